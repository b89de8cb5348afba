"""Reads that are answered with another thing than was asked for: whatever it shows, it says nothing of that one."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, sent
from tests.workflow.documents import program, step
from workflow.replies.comparing import is_another_id
from workflow.requests.events import StartTimer, TimerFired

LATE = {"name": "late", "type": "retry", "retryAfter": 1, "retryLimit": 1}
THERE = [{"condition": "$statusCode == 200"}]


def found(member: str = "id") -> dict[str, Any]:
    place = {"context": "$response.body", "selector": f"$[?@.name == 'web']['{member}']", "type": "jsonpath"}
    return step("find", "get", "/vms", outputs={"id": place}, **{"x-switchgear": {"role": "lookup"}})


def at(path: str = "/vms/{key}", own: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    which = [{"name": "key", "in": "path", "value": "$steps.find.outputs.id"}]
    told = {"x-switchgear": own or {"role": "read"}}
    return step("read", "get", path, parameters=which, successCriteria=THERE, **members, **told)


def read(
    reply: Any, listed: Any = "v-1", member: str = "id", path: str = "/vms/{key}", item: str = "$response.body"
) -> Any:
    run = Dialogue(program(found(member), at(path, outputs={"item": item})))
    run.answer("find", 200, [{"name": "web", member: listed}, {"name": "db", member: "v-2"}])
    return run.answer("read", 200, reply)


def test_a_read_that_shows_another_thing_fails_and_says_which() -> None:
    end = ended(read({"id": "v-2", "name": "db"}), "failed", "another_thing")
    assert "id is v-2, and v-1 was asked for" in end.failure.message


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        ("v-1", "v-1"),
        ("v-1", "V-1"),
        (7, "7"),
        ("7", 7),
        ("v-1", "/api/vms/v-1/"),
        ("v-1", "https://device/api/vms/v-1"),
        ("v-1", None),
        ("v-1", {"value": "v-2"}),
        ("7", "6f1c3f9e-3b5a-4c57-9d1e-0c5a3c0f2b11"),
        ("6F1C3F9E-3B5A-4C57-9D1E-0C5A3C0F2B11", "{6f1c3f9e-3b5a-4c57-9d1e-0c5a3c0f2b11}"),
    ],
)
def test_an_id_in_another_form_or_none_at_all_is_no_other_thing(listed: Any, shown: Any) -> None:
    ended(read({"id": shown}, listed), "succeeded")
    assert not is_another_id(listed, shown)


def test_it_is_the_thing_in_its_envelope_whose_id_is_compared() -> None:
    ended(read({"id": "reply-9", "data": {"id": "v-1"}}, item="$response.body#/data"), "succeeded")
    ended(read({"id": "v-1", "data": {"id": "v-2"}}, item="$response.body#/data"), "failed", "another_thing")


def test_a_check_of_what_comes_as_a_list_of_one_is_of_that_one() -> None:
    own = {"role": "check"}
    run = Dialogue(program(found(), at(own=own), step("stop", "post", "/stop")))
    run.answer("find", 200, [{"name": "web", "id": "v-1"}])
    ended(run.answer("read", 200, [{"id": "v-2"}]), "failed", "another_thing")


def test_of_what_says_how_a_thing_is_the_thing_around_it_is_compared() -> None:
    place = "$response.body#/data/status/health"
    shown = {"id": "reply-9", "data": {"id": "v-1", "status": {"health": "ok"}}}
    ended(read(shown, item=place), "succeeded")
    ended(read({**shown, "data": {**shown["data"], "id": "v-2"}}, item=place), "failed", "another_thing")


@pytest.mark.parametrize("path", ["/vms/{key}/disks", "/snapshots/{key}", "/vms/{key}:sizes"])
def test_what_is_no_thing_of_that_list_may_have_any_id(path: str) -> None:
    ended(read({"id": "d-9"}, path=path), "succeeded")


def changing(role: str, success: list[dict[str, Any]], **own: Any) -> Dialogue:
    which = [{"name": "key", "in": "path", "value": "$steps.find.outputs.id"}]
    look = at(own={"role": role, **own}, onFailure=[LATE]) | {"successCriteria": success}
    run = Dialogue(program(found(), step("change", "delete", "/vms/{key}", parameters=which), look))
    run.answer("find", 200, [{"name": "web", "id": "v-1"}])
    run.answer("change", 204)
    return run


@pytest.mark.parametrize("role", ["read_back", "gone"])
def test_another_thing_behind_a_change_is_read_again_and_decides_nothing(role: str) -> None:
    run = changing(role, THERE if role == "read_back" else [{"condition": "$statusCode == 404"}])
    assert run.answer("read", 200, {"id": "v-2"}) == StartTimer("read", 1)
    sent(run.say(TimerFired("read")), "read", 2)
    end = ended(run.answer("read", 200, {"id": "v-2"}), "unknown", "another_thing")
    assert end.failure.may_be_done == ("change",)


def test_the_thing_itself_may_come_at_the_second_reading() -> None:
    run = changing("read_back", THERE)
    run.answer("read", 200, {"id": "v-2"})
    run.say(TimerFired("read"))
    ended(run.answer("read", 200, {"id": "v-1"}), "succeeded")


def test_another_thing_does_not_settle_what_became_of_a_change_in_doubt() -> None:
    shown = {"place": "/cpus", "asked": 8, "found": "$response.body#/cpus"}
    which = [{"name": "key", "in": "path", "value": "$steps.find.outputs.id"}]
    look = at(own={"role": "read_back", "expects": [shown], "decides": True}, onFailure=[LATE])
    run = Dialogue(program(found(), step("change", "patch", "/vms/{key}", parameters=which), look))
    run.answer("find", 200, [{"name": "web", "id": "v-1"}])
    run.answer("change", 500)
    assert isinstance(run.answer("read", 200, {"id": "v-2", "cpus": 8}), StartTimer)
