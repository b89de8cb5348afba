"""Names of things: which are asked about, what is accepted, what is refused and why, and that nothing else changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from compiler.ir.model import Api, Resource
from compiler.ir.schemas import SharedSchemas
from compiler.ir.verifier import verify
from compiler.passes.flows.context import address
from compiler.passes.sameness import are_same_but_for_names, differing
from compiler.proposals import nouns as room
from compiler.proposer.question import ModelAnswer, QuestionKind
from tests.compiler.proposals.compiled_specs import Scripted
from tests.compiler.proposals.proposal_specs import known, known_plan, planned, profile_of, renamed
from workflow.profiles.profile import Profile

DIGEST = "sha256:" + "0" * 64
MACHINE, DISK, NODE = "/machines/{machineId}", "/machines/{machineId}/disks/{diskId}", "/racks/{server}/nodes/{nodeId}"


def answers(values: Mapping[str, str]) -> list[ModelAnswer]:
    """As if just this had been offered and chosen."""
    return [
        ModelAnswer(QuestionKind.NOUN, subject, (value, "other"), (value, value), DIGEST, "stub")
        for subject, value in values.items()
    ]


def nouns(name: str, values: Mapping[str, str], profile: Profile | None = None) -> room.JudgedNouns:
    api, own = known(name)
    chosen = profile or own
    return room.judge(api, chosen, answers(values), lambda one: planned(one, chosen))


def reasons(judged: room.JudgedNouns) -> dict[str, str]:
    return {entry.answer.subject: entry.reason for entry in judged.entries}


def test_a_good_noun_renames_the_resource_and_so_the_flows() -> None:
    judgement = nouns("machines", {MACHINE: "virtual machine", DISK: "disk"})
    assert [one.is_accepted for one in judgement.entries] == [True, True]
    after = planned(judgement.api, known("machines")[1])
    verify(after)
    assert "machines_delete_virtual_machine" in {one.id for one in after.flows}
    assert are_same_but_for_names(known_plan("machines"), after)


def test_without_proposals_the_api_is_the_same_and_nothing_is_planned() -> None:
    api, profile = known("machines")

    assert room.judge(api, profile, (), planned_never) == room.JudgedNouns(api, ())
    same = room.judge(api, profile, answers({MACHINE: "machine"}), planned_never)
    assert same.api is api
    assert same.entries[0].is_accepted


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("virtual machine {{x}}", "other characters"),
        ("one two three four machine", "more than 4 words"),
        ("machine " + "x" * 40, "longer than 40"),
        ("delete machine", "says what is done"),
        ("machine reset", "says what is done"),
        ("harmless machine", "is a judgement"),
        ("read-only machine", "says what is done"),
        ("unused machine", "is a judgement"),
        ("coffee cup", "not recognisable"),
        ("your machine", "speaks to its reader"),
        ("disk", "another thing is called so"),
        ("Disks", "another thing is called so"),
        ("DISK", "another thing is called so"),
    ],
)
def test_a_bad_noun_is_refused_with_the_reason(value: str, why: str) -> None:
    judgement = nouns("machines", {MACHINE: value})
    assert judgement.api is known("machines")[0]
    assert why in reasons(judgement)[MACHINE]


def test_of_two_things_that_want_one_name_the_first_gets_it_whatever_the_order_of_answers() -> None:
    wanted = {MACHINE: "storage device", DISK: "storage device"}
    for given in (wanted, dict(reversed(wanted.items()))):
        found = reasons(nouns("machines", given))
        assert found[MACHINE] == "not recognisable: it shares no word with the API's own"
        assert found[DISK] == ""
    wanted = {"/users/{id}": "user clock", "/system/clock": "user clock"}
    for given in (wanted, dict(reversed(wanted.items()))):
        assert reasons(nouns("settings", given)) == {
            "/system/clock": "",
            "/users/{id}": "another thing is called so",
        }


def test_names_are_not_swapped() -> None:
    """Approvers would read one name and change the other thing."""
    found = reasons(nouns("machines", {MACHINE: "disk", DISK: "machine"}))
    assert set(found.values()) == {"another thing is called so"}


def test_answers_about_nothing_and_answers_that_differ_count_for_nothing() -> None:
    api, profile = known("machines")
    differing_ones = [ModelAnswer(QuestionKind.NOUN, DISK, ("disk", "drive"), ("drive", "disk"), DIGEST, "stub")]
    judged = room.judge(api, profile, [*answers({"/nowhere": "disk"}), *differing_ones], lambda one: one)
    assert judged.api is api
    assert reasons(judged) == {
        DISK: "another answer when the order was turned round",
        "/nowhere": "nothing of that name was asked about",
    }


def test_what_was_not_offered_is_no_name() -> None:
    api, profile = known("machines")
    judged = room.judge(
        api, profile, [ModelAnswer(QuestionKind.NOUN, DISK, ("disk",), ("drive", "drive"), DIGEST, "s")], planned_never
    )
    assert judged.api is api
    assert not judged.entries[0].is_accepted


def planned_never(_: Api) -> Api:
    raise AssertionError("planned without need")


def test_a_noun_that_is_also_the_name_of_an_input_joins_nothing() -> None:
    """The caller gives `/racks/{server}` as `server`; a node called server is looked up by an input of its own."""
    api, profile = known("racks")
    assert not differing(known_plan("racks"), planned(renamed(api, {"node": "server"}), profile))
    assert reasons(nouns("racks", {NODE: "server"})) == {NODE: ""}


def test_a_noun_that_would_change_a_workflow_is_refused_by_the_comparison_of_plans() -> None:
    """No planner of ours does this: a stand-in forgets a workflow as soon as something is called a server."""
    api, profile = known("racks")

    def forgetful(named: Api) -> Api:
        made = planned(named, profile)
        is_told = any(resource.name == "server" for resource in named.resources)
        kept = tuple(one for one in made.flows if one.goal != f"GET {NODE}")
        return replace(made, flows=kept) if is_told else made

    values = answers({NODE: "server", "/policies/{policyId}": "access policy"})
    judgement = room.judge(api, profile, values, forgetful)
    assert reasons(judgement) == {NODE: "would change a workflow", "/policies/{policyId}": ""}
    assert {r.name for r in judgement.api.resources} == {"node", "access policy"}


@pytest.mark.parametrize(
    "members",
    [
        {"vocabulary": {"machines": "machine"}},
        {"overrides": {"exclude": ["machines_delete_machine"]}},
        {"overrides": {"pin": ["machines_find_machines"]}},
        {"overrides": {"rename": {"machines_update_machine": "machines_change_machine"}}},
        {"overrides": {"rename": {"x": "machines_change_machine"}}},
    ],
)
def test_a_name_that_a_person_has_chosen_or_counts_on_is_neither_asked_for_nor_changed(members: Any) -> None:
    """Else a proposal could slip a workflow past an exclusion, or a pin off its workflow."""
    profile = profile_of("machines", **members)
    api, _ = known("machines")
    settled = {address(one): room.is_settled(one, profile) for one in api.resources}
    assert (settled[MACHINE], settled[DISK]) == (True, False)
    judgement = nouns("machines", {MACHINE: "virtual machine"}, profile)
    assert reasons(judgement) == {MACHINE: "a person has named it"}
    assert judgement.api is api


def test_a_noun_can_not_bring_a_workflow_under_an_exclusion() -> None:
    profile = profile_of("machines", overrides={"exclude": ["machines_find_hard_drives"]})
    judgement = nouns("machines", {DISK: "hard drive"}, profile)
    assert reasons(judgement) == {DISK: "would change a workflow"}


def with_names_cut_short(api: Api) -> Api:
    short = {"machine": "sys machine", "disk": "vol disk"}
    return renamed(api, short)


def test_only_what_has_an_unsure_name_is_asked_about() -> None:
    api, profile = known("machines")
    assert room.about(api, profile) == []
    asked = room.about(with_names_cut_short(api), profile)
    assert asked[: len(room.KNOWN)] == list(room.KNOWN)
    assert [(one.subject, one.options) for one in asked[len(room.KNOWN) :]] == [
        (MACHINE, ("sys machine", "system machine", "machine")),
        (DISK, ("vol disk", "volume disk", "disk")),
    ]


def test_names_cut_short_are_offered_whole_and_by_their_end() -> None:
    resource = Resource(noun="VirDomainNetDevice", name="vir domain net device")
    found = list(dict.fromkeys(room.names_for(resource, SharedSchemas({}))))
    assert found == ["vir domain net device", "virtual domain network device", "network device"]


def test_nothing_of_prose_is_told_or_offered() -> None:
    asked = room.about(with_names_cut_short(known("machines")[0]), known("machines")[1])
    assert asked
    assert "more words" not in str(asked)
    assert "Which one" not in str(asked)


def test_who_chooses_by_position_names_nothing() -> None:
    api, profile = known("machines")
    by_place = [
        ModelAnswer(
            QuestionKind.NOUN, MACHINE if n == 0 else f"/{n}", ("machine", "vm"), ("machine", "vm"), DIGEST, "stub"
        )
        for n in range(6)
    ]
    judged = room.judge(api, profile, by_place, planned_never)
    assert {"by position" in entry.reason for entry in judged.entries} == {True}


def test_who_is_wrong_about_what_everybody_knows_names_nothing_and_is_asked_no_more() -> None:
    api, profile = known("machines")
    short = with_names_cut_short(api)
    asker = Scripted(lambda question, _: question.options[0])
    given = room.asked(short, profile, asker)
    assert [one.subject for one in asker.asked] == [one.subject for one in room.KNOWN]
    judged = room.judge(short, profile, given, planned_never)
    assert {entry.reason for entry in judged.entries} == {"no information: 1 of 2 answers that are known were wrong"}


def test_who_knows_what_everybody_knows_names_what_is_cut_short() -> None:
    api, profile = known("machines")
    short = with_names_cut_short(api)
    given = room.asked(short, profile, Scripted(lambda question, _: question.expected or question.options[1]))
    judged = room.judge(short, profile, given, lambda one: planned(one, profile))
    assert {r.name for r in judged.api.resources} >= {"system machine", "volume disk"}
