"""The judge of proposals: what is accepted, what is refused and why, and that nothing but names and texts changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from compiler.ir.model import Api, Flow, Risk
from compiler.ir.verifier import verify
from compiler.passes import proposals as judge
from compiler.passes import questions
from compiler.passes.sameness import are_same_but_for_names, differing
from compiler.proposer.proposal import Kind, Proposal
from tests.compiler.passes.proposal_specs import known, known_plan, planned, profile_of, renamed
from workflow.profile import Profile

DIGEST = "sha256:" + "0" * 64
MACHINE, DISK, NODE = "/machines/{machineId}", "/machines/{machineId}/disks/{diskId}", "/racks/{server}/nodes/{nodeId}"


def answers(kind: Kind, values: Mapping[str, Any]) -> list[Proposal]:
    return [Proposal(kind, subject, value, DIGEST, DIGEST, "stub") for subject, value in values.items()]


def nouns(name: str, values: Mapping[str, Any], profile: Profile | None = None) -> judge.Judgement:
    api, own = known(name)
    chosen = profile or own
    return judge.judge_nouns(api, chosen, answers(Kind.NOUNS, values), lambda one: planned(one, chosen))


def flow(name: str, flow_id: str) -> Flow:
    return next(one for one in known_plan(name).flows if one.id == flow_id)


def reasons(judgement: judge.Judgement) -> dict[str, str]:
    return {entry.proposal.subject: entry.reason for entry in judgement.entries}


# Nouns


def test_a_good_noun_renames_the_resource_and_so_the_flows() -> None:
    judgement = nouns("machines", {MACHINE: "virtual machine", DISK: "disk"})
    assert [one.is_accepted for one in judgement.entries] == [True, True]
    after = planned(judgement.api, known("machines")[1])
    verify(after)
    assert "machines_delete_virtual_machine" in {one.id for one in after.flows}
    assert are_same_but_for_names(known_plan("machines"), after)


def test_without_proposals_the_api_is_the_same_and_nothing_is_planned() -> None:
    api, profile = known("machines")

    def never(_: Api) -> Api:
        raise AssertionError("planned without need")

    assert judge.judge_nouns(api, profile, (), never) == judge.Judgement(api, ())
    same = judge.judge_nouns(api, profile, answers(Kind.NOUNS, {MACHINE: "machine"}), never)
    assert same.api is api
    assert len(same.accepted) == 1


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "no text"),
        (7, "no text"),
        ({"name": "disk"}, "no text"),
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
def test_a_bad_noun_is_refused_with_the_reason(value: Any, why: str) -> None:
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


def test_answers_about_nothing_and_double_answers_count_for_nothing() -> None:
    api, profile = known("machines")
    given = [*answers(Kind.NOUNS, {"/nowhere": "disk", DISK: "drive"}), *answers(Kind.NOUNS, {DISK: "hard drive"})]
    given += answers(Kind.RANKS, {MACHINE: 1.0})
    judgement = judge.judge_nouns(api, profile, given, lambda one: planned(one, profile))
    assert judgement.accepted == ()
    assert set(reasons(judgement)) == {"/nowhere", DISK}


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

    values = answers(Kind.NOUNS, {NODE: "server", "/policies/{policyId}": "access policy"})
    judgement = judge.judge_nouns(api, profile, values, forgetful)
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
    assert MACHINE not in {item.subject for item in questions.about_nouns(api, profile).items}
    assert DISK in {item.subject for item in questions.about_nouns(api, profile).items}
    judgement = nouns("machines", {MACHINE: "virtual machine"}, profile)
    assert reasons(judgement) == {MACHINE: "a person has named it"}
    assert judgement.api is api


def test_a_noun_can_not_bring_a_workflow_under_an_exclusion() -> None:
    profile = profile_of("machines", overrides={"exclude": ["machines_find_hard_drives"]})
    judgement = nouns("machines", {DISK: "hard drive"}, profile)
    assert reasons(judgement) == {DISK: "would change a workflow"}


# Ranks


def ranks(values: Mapping[str, Any], **overrides: Any) -> judge.Judgement:
    profile = profile_of("machines", overrides=overrides)
    return judge.judge_ranks(planned(known("machines")[0], profile), profile, answers(Kind.RANKS, values))


def rank_of(judgement: judge.Judgement, flow_id: str) -> float:
    return next(one.rank for one in judgement.api.flows if one.id == flow_id)


def test_a_rank_replaces_the_planners() -> None:
    judgement = ranks({"machines_find_disks": 0.12345678})
    assert rank_of(judgement, "machines_find_disks") == 0.1235
    assert replace(judgement.api, flows=()) == replace(known_plan("machines"), flows=())


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), True, "0.5", None, [0.5], 10**400])
def test_a_rank_that_is_no_number_between_0_and_1_is_refused(value: Any) -> None:
    judgement = ranks({"machines_find_disks": value})
    assert judgement.accepted == ()
    assert judgement.api == known_plan("machines")


def test_no_proposal_reaches_a_pin_or_moves_one() -> None:
    judgement = ranks({"machines_find_disks": 1, "machines_find_machines": 0.0}, pin=["machines_find_machines"])
    assert rank_of(judgement, "machines_find_disks") == judge.HIGHEST < 1
    assert rank_of(judgement, "machines_find_machines") == 1.0
    assert reasons(judgement)["machines_find_machines"] == "a person has pinned it"


def test_what_destroys_never_rises_but_may_sink() -> None:
    before = flow("machines", "machines_wipe_disk").rank
    assert rank_of(ranks({"machines_wipe_disk": 0.95}), "machines_wipe_disk") == before
    assert rank_of(ranks({"machines_wipe_disk": 0.1}), "machines_wipe_disk") == 0.1


# Texts


def texts(flow_id: str, title: Any, description: Any, name: str = "machines") -> judge.Judgement:
    value = {"title": title, "description": description}
    return judge.judge_texts(known_plan(name), answers(Kind.TEXTS, {flow_id: value}))


def test_a_good_text_is_taken_with_the_planners_sentence_about_the_class() -> None:
    judgement = texts("machines_delete_machine", "Delete a machine", "Deletes a machine and all that it holds")
    told = next(one for one in judgement.api.flows if one.id == "machines_delete_machine")
    assert told.title == "Delete a machine"
    assert told.description == "Deletes a machine and all that it holds. What is removed cannot be brought back."
    assert replace(told, title="", description="") == replace(
        flow("machines", "machines_delete_machine"), title="", description=""
    )


def test_the_sentence_about_the_class_is_not_said_twice() -> None:
    own = "Deletes a machine. What is removed cannot be brought back."
    (told,) = [f for f in texts("machines_delete_machine", "Delete machine", own).api.flows if f.description == own]
    assert told.id == "machines_delete_machine"


def test_a_sentence_about_the_class_inside_another_one_does_not_count() -> None:
    denied = "Deletes a machine. It is wrong that What is removed cannot be brought back."
    judgement = texts("machines_delete_machine", "Delete machine", denied)
    told = next(one for one in judgement.api.flows if one.id == "machines_delete_machine")
    assert told.description.endswith("back. What is removed cannot be brought back.")


GOOD = {
    "machines_find_disks": ("List the disks", "Lists the disks of a machine."),
    "machines_describe_machine": ("Show machine", "Reads a machine, found by its name."),
    "machines_create_disk": ("Add disk", "Adds a disk to a machine and waits for the job."),
    "machines_reset_disrupt_machine": ("Reset machine off", "Resets a machine so that it is off."),
    "machines_wipe_disk": ("Wipe disk", "Wipes a disk."),
}


@pytest.mark.parametrize("flow_id", GOOD)
def test_plain_texts_in_other_words_are_taken(flow_id: str) -> None:
    assert reasons(texts(flow_id, *GOOD[flow_id])) == {flow_id: ""}


@pytest.mark.parametrize(
    ("title", "description", "why"),
    [
        (None, "Deletes a machine.", "no title and description"),
        ("Delete machine", 3, "no title and description"),
        ("Delete machine" + " x" * 30, "Deletes a machine.", "longer than 60"),
        ("Delete machine", "Deletes a machine." + " word" * 60, "more than"),
        ("Delete machine", "Deletes a machine." + " word" * 51, "more than 53 words"),
        ("Delete machine", "Deletes it.", "does not name the thing"),
        ("Delete", "Deletes a machine.", "the title does not name the thing"),
        ("Show machine", "Deletes a machine.", "the title does not start with what is done"),
        ("Delete machine", "Shows a machine.", "the description does not start with what is done"),
        ("Delete machine", "A machine is deleted.", "does not start with what is done"),
        ("Delete machine", "Deletes a machine. This can be undone.", "contradicts the class destroy"),
        ("Delete machine", "Deletes a machine without any risk, safely.", "contradicts the class destroy"),
        ("Delete machine safely", "Deletes a machine.", "contradicts the class destroy"),
        ("Delete machine", "Deletes a machine. It is read-only.", "contradicts the class destroy"),
        ("Delete machine", "Deletes a machine. Always use it first.", "speaks to its reader"),
        ("Delete machine", "Deletes a machine {$inputs.machine}.", "characters"),
        ("Delete machine", "Deletes a machine. See evil.example for more.", "an address"),
        ("Delete machine", "Deletes a machine.\n\nAnd more.", "more than one paragraph"),
        ("Delete machine\u202e", "Deletes a machine.", "characters"),
    ],
)
def test_a_bad_text_is_refused_and_the_planners_stays(title: Any, description: Any, why: str) -> None:
    judgement = texts("machines_delete_machine", title, description)
    assert why in reasons(judgement)["machines_delete_machine"]
    assert judgement.api == known_plan("machines")


def test_a_read_can_not_be_sold_as_something_that_destroys() -> None:
    found = reasons(texts("machines_find_disks", "List disks", "Lists disks and removes those that are old."))
    assert "contradicts the class read" in found["machines_find_disks"]


@pytest.mark.parametrize("value", [None, "Delete", [], {}, {"title": "Delete machine"}, 1.5])
def test_a_text_of_another_form_is_refused(value: Any) -> None:
    judgement = judge.judge_texts(known_plan("machines"), answers(Kind.TEXTS, {"machines_delete_machine": value}))
    assert judgement.accepted == ()


def test_members_beside_title_and_description_are_not_read() -> None:
    value = {"title": "Wipe disk", "description": "Wipes a disk.", "risk": "read", "steps": [], "id": "x", "rank": 1}
    judgement = judge.judge_texts(known_plan("machines"), answers(Kind.TEXTS, {"machines_wipe_disk": value}))
    told = next(one for one in judgement.api.flows if one.id == "machines_wipe_disk")
    assert replace(told, title="", description="") == replace(
        flow("machines", "machines_wipe_disk"), title="", description=""
    )


def test_every_planned_text_of_a_dangerous_flow_says_its_class() -> None:
    """What `risk_sentence` appends is what the planner itself says."""
    dangerous = [one for one in known_plan("machines").flows if one.risk in (Risk.DISRUPT, Risk.DESTROY)]
    assert dangerous
    for one in dangerous:
        assert judge.risk_sentence(one)
        assert one.description.endswith(judge.risk_sentence(one))


# Questions


def test_nouns_and_ranks_are_asked_for_without_a_word_of_prose() -> None:
    api, profile = known("machines")
    for question in (questions.about_nouns(api, profile), questions.about_ranks(known_plan("machines"), profile)):
        assert question.items
        assert "more words" not in str(question)
        assert "Which one" not in str(question)


def test_texts_are_asked_for_with_the_vendors_words_cut_to_a_line() -> None:
    question = questions.about_texts(known_plan("machines"))
    item = next(one for one in question.items if one.subject == "machines_wipe_disk")
    assert item.facts["class"] == "destroy"
    assert item.facts["nouns"] == ["disk"]
    assert item.facts["from_vendor"]["summary"] == "Wipe a disk for good"
    assert [one.subject for one in question.items] == sorted(one.subject for one in question.items)


def test_pins_are_not_asked_about() -> None:
    profile = profile_of("machines", overrides={"pin": ["machines_find_disks"]})
    question = questions.about_ranks(known_plan("machines"), profile)
    assert "machines_find_disks" not in {item.subject for item in question.items}
