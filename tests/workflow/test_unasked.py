"""What an update changed beside what was asked for is told with the success, and nothing that may be so is."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, sent
from tests.workflow.documents import program, step
from workflow.requests.events import EndRun, StartTimer, TimerFired
from workflow.running import turn

LATE = {"name": "late", "type": "retry", "retryAfter": 1, "retryLimit": 3}
WHICH = [{"name": "key", "in": "path", "value": "$steps.find.outputs.id"}]
CONFIG = {"type": "object", "properties": {"boot": {"type": "string"}, "cache": {"type": "string"}, "on": {}}}
MEMBERS = ("name", "tags", "config", "state", "lastUser", "ports", "cpus", "quiet", "apiToken", "labels")
INPUTS = {"type": "object", "properties": {"vm": {"type": "string"}} | {n: {} for n in MEMBERS} | {"config": CONFIG}}
WEB = {"id": "v-1", "name": "web", "tags": ["a"], "config": {"boot": "bios", "cache": "none", "on": True},
       "state": "on", "lastUser": "ann", "ports": [{"id": 1, "rx": 5}], "cpus": 2, "quiet": False,
       "apiToken": "t0k", "labels": {"of": "mine"}}  # fmt: skip


def found(**own: Any) -> dict[str, Any]:
    place = {"context": "$response.body", "selector": "$[?@.name == '{$inputs.vm}'].id", "type": "jsonpath"}
    return step("find", "get", "/vms", outputs={"id": place}, **{"x-switchgear": {"role": "lookup"}}, **own)


def change(method: str = "patch", path: str = "/vms/{key}", step_id: str = "change", **own: Any) -> dict[str, Any]:
    body = {"contentType": "application/json", "payload": {name: f"$inputs.{name}" for name in MEMBERS}}
    return step(step_id, method, path, parameters=WHICH, requestBody=body, **own)


def back(**own: Any) -> dict[str, Any]:
    expects = [{"place": f"/{n}", "asked": f"$inputs.{n}", "found": f"$response.body#/{n}"} for n in MEMBERS]
    told = {"x-switchgear": {"role": "read_back", "expects": expects}}
    return step("back", "get", "/vms/{key}", parameters=WHICH, onFailure=[LATE], **told, **own)


def ran(after: dict[str, Any], *steps: dict[str, Any], before: Any = WEB, **given: Any) -> EndRun:
    """The end of an update of `web`, read as often as the run wants."""
    run = Dialogue(program(*(steps or (found(), change(), back())), inputs=INPUTS), vm="web", **given)
    command: Any = run.first
    while not isinstance(command, EndRun):
        if isinstance(command, StartTimer):
            command = run.say(TimerFired(command.step_id))
            continue
        shown = {"find": [before], "look": before, "back": {**WEB, **given, **after}}.get(command.step_id)
        command = run.answer(command.step_id, 204 if shown is None else 200, shown)
    return command


def told(end: EndRun) -> dict[str, Any]:
    ended(end, "succeeded")
    return {each["place"]: (each["before"], each["found"]) for each in end.differences}


def test_what_a_partial_update_wiped_is_told_with_its_success() -> None:
    end = ran({"tags": [], "cpus": 1}, name="web9")
    assert told(end) == {"/tags": (["a"], []), "/cpus": (2, 1)}
    assert end.verified == "some"
    assert "not asked for, and not as it was before: tags is empty (was: ['a']), cpus is 1 (was: 2)" in end.verified_why
    assert end.failure is None


def test_what_was_in_an_object_of_which_a_part_was_sent_is_told_where_it_is_gone() -> None:
    end = ran({"config": {"boot": "uefi"}}, config={"boot": "uefi"})
    assert told(end) == {"/config/cache": ("none", None), "/config/on": (True, None)}
    assert "config/cache is not there (was: none)" in end.verified_why


def test_a_map_that_was_not_sent_is_told_where_it_was_emptied() -> None:
    assert told(ran({"labels": {}}, quiet=True)) == {"/labels/of": ("mine", None)}


def test_what_stood_in_a_map_beside_what_was_sent_is_told_where_it_is_gone() -> None:
    web = {**WEB, "labels": {"site": "a", "volatile.uuid": "1"}}
    assert told(ran({"labels": {"own": "x"}}, before=web, labels={"own": "x"})) == {"/labels/site": ("a", None)}
    assert told(ran({"labels": {"site": "a", "own": "x"}}, before=web, labels={"own": "x"})) == {}


def test_an_update_that_leaves_the_rest_alone_is_verified_as_a_whole() -> None:
    end = ran({"config": {**WEB["config"], "boot": "uefi"}}, config={"boot": "uefi"})
    assert (told(end), end.verified) == ({}, "all")


@pytest.mark.parametrize(
    "after",
    [
        {"state": "off"},  # moves by itself
        {"lastUser": "bob"},
        {"ports": [{"id": 1, "rx": 9}]},  # so does what is in a list of things
        {"apiToken": "other"},  # a secret
        {"extra": None},  # nobody can set it
        {"cpus": "two"},  # another kind of value is another way to show it
        {"tags": "a"},
        {"name": "WEB"},  # another form is the same value
    ],
)
def test_what_may_be_otherwise_by_right_is_not_told(after: dict[str, Any]) -> None:
    end = ran(after, quiet=True)
    assert (told(end), end.verified) == ({}, "all")


@pytest.mark.parametrize("now", [None, True])
def test_what_was_false_may_be_left_out_and_may_come_true_with_another(now: Any) -> None:
    assert told(ran({"quiet": now}, cpus=4)) == {}


def test_what_was_emptied_as_a_whole_was_asked_for() -> None:
    assert told(ran({"config": {}}, config={})) == {}


def test_it_is_told_when_a_second_reading_shows_it_too() -> None:
    run = Dialogue(program(found(), change(), back(), inputs=INPUTS), vm="web", name="web9")
    run.answer("find", 200, [WEB])
    run.answer("change", 204)
    assert run.answer("back", 200, {**WEB, "name": "web9", "tags": []}) == StartTimer("back", 1)
    sent(run.say(TimerFired("back")), "back", 2)
    assert told(run.answer("back", 200, {**WEB, "name": "web9"})) == {}


def test_what_the_thing_itself_showed_goes_before_what_the_list_did() -> None:
    look = step("look", "get", "/vms/{key}", parameters=WHICH, **{"x-switchgear": {"role": "check"}})
    assert told(ran({}, found(), look, change(), back(), before={**WEB, "cpus": 8}, name="web9")) == {"/cpus": (8, 2)}


def test_what_a_put_emptied_or_put_back_that_nobody_named_is_told_with_its_success() -> None:
    end = ran({"tags": [], "cpus": 1}, found(), change("put"), back(), name="web9")
    assert told(end) == {"/tags": (["a"], []), "/cpus": (2, 1)}
    assert end.verified == "some"
    assert told(ran({}, found(), change("put"), back(), name="web9")) == {}


def test_what_took_nothing_of_what_was_asked_for_and_changed_something_else_was_done_in_part() -> None:
    end = ended(
        ran({"name": "web", "tags": []}, found(), change("put"), back(), name="web9"), "partial", "partly_taken"
    )
    assert end.failure.done == ("change",)
    assert (
        "name is web (asked for: web9); not asked for, and not as it was before: tags is empty" in end.failure.message
    )
    ended(ran({"name": "web"}, found(), change("put"), back(), name="web9"), "failed", "not_taken")


@pytest.mark.parametrize(
    "steps",
    [
        (found(), change(path="/vms/{key}/settings"), back()),
        (found(), change("post", "/vms/{key}/stop", "stop"), change(), back()),  # another change may be why
        (found(), change(), change("post", "/vms/{key}/start", "start"), back()),
    ],
)
def test_of_what_is_no_partial_update_of_that_thing_alone_nothing_is_told(steps: tuple[dict[str, Any], ...]) -> None:
    assert told(ran({"tags": []}, *steps, name="web9")) == {}


def test_what_the_list_does_not_show_was_not_there_for_the_run() -> None:
    assert told(ran({"tags": []}, before={"id": "v-1", "name": "web"}, name="web9")) == {}


def test_what_is_found_and_read_back_in_one_list_is_held_against_what_the_list_showed() -> None:
    of_name = "$[?@.name == '{$inputs.vm}']"
    shown = [
        {
            "place": f"/{n}",
            "asked": f"$inputs.{n}",
            "found": {"context": "$response.body", "selector": f"{of_name}.{n}", "type": "jsonpath"},
        }
        for n in MEMBERS
        if n != "name"
    ]
    listed = step("back", "get", "/vms", onFailure=[LATE], **{"x-switchgear": {"role": "read_back", "expects": shown}})
    run = Dialogue(program(found(), change(), listed, inputs=INPUTS), vm="web", cpus=4)
    run.answer("find", 200, [WEB])
    run.answer("change", 204)
    command: Any = run.answer("back", 200, [{**WEB, "cpus": 4, "tags": []}])
    while isinstance(command, StartTimer):
        run.say(TimerFired(command.step_id))
        command = run.answer("back", 200, [{**WEB, "cpus": 4, "tags": []}])
    assert told(command) == {"/tags": (["a"], [])}


def test_what_was_so_before_is_no_part_that_was_taken_and_is_one_when_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored = {"name": "web", "cpus": 2}
    end = ended(ran(ignored, name="web", cpus=4), "failed", "not_taken")
    assert (end.failure.done, end.failure.may_be_done) == ((), ("change",))
    ended(ran({"cpus": 2}, name="other", cpus=4), "partial", "partly_taken")
    monkeypatch.setattr(turn, "with_before", lambda found, _before: found)
    ended(ran(ignored, name="web", cpus=4), "partial", "partly_taken")


def test_a_state_that_goes_on_after_it_was_set_is_no_difference_unless_it_is_as_before_or_speaks_of_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = ended(ran({"state": "running"}, name="w", state="queued"), "succeeded")
    assert end.verified == "some"
    assert "it is shown as running, which it was not before" in end.verified_why
    for shown in ("on", "failed", "on_error"):
        ended(ran({"state": shown}, name="w", state="queued"), "partial", "partly_taken")
    ended(ran({"cpus": 3}, name="w", cpus=4), "partial", "partly_taken")
    monkeypatch.setattr(turn, "with_before", lambda found, _before: found)
    ended(ran({"state": "running"}, name="w", state="queued"), "partial", "partly_taken")
