"""A thing that is called otherwise is read back where it stands then, one whose name was ignored where it was."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, sent
from tests.workflow.documents import program, step
from workflow.requests.events import EndRun, RequestFailed, StartTimer, TimerFired

LATE = {"name": "late", "type": "retry", "retryAfter": 1, "retryLimit": 3}
WHICH = [{"name": "name", "in": "path", "value": "$inputs.user"}]
RENAMING = program(
    step(
        "change",
        "patch",
        "/users/{name}",
        parameters=WHICH,
        requestBody={"contentType": "application/json", "payload": {"name": "$inputs.name", "note": "$inputs.note"}},
        **{"x-switchgear": {"role": "change", "effect": "update"}},
    ),
    step(
        "back",
        "get",
        "/users/{name}",
        parameters=WHICH,
        onFailure=[LATE],
        outputs={"item": "$response.body"},
        **{
            "x-switchgear": {
                "role": "read_back",
                "moved": "$inputs.name",
                "decides": True,
                "expects": [{"place": "/name", "asked": "$inputs.name", "found": "$response.body#/name"}],
            }
        },
    ),
    inputs={"type": "object", "properties": {n: {"type": "string"} for n in ("user", "name", "note")}},
    outputs={"item": "$steps.back.outputs.item"},
)


def ran(users: dict[str, Any], *, lost: bool = False, **given: Any) -> tuple[EndRun, list[str]]:
    """The end of a renaming, and the addresses that were read, on a server that has these users afterwards."""
    run, asked = Dialogue(RENAMING, user="ann", **given), []
    command: Any = run.first
    while not isinstance(command, EndRun):
        if isinstance(command, StartTimer):
            command = run.say(TimerFired(command.step_id))
        elif command.step_id == "change":
            fails = RequestFailed("change", "unknown_fate", "the connection was lost")
            command = run.say(fails) if lost else run.answer("change", 204)
        else:
            asked.append(command.path)
            user = users.get(command.path.rpartition("/")[2])
            command = run.answer("back", 404 if user is None else 200, user)
    return command, asked


def test_a_renamed_thing_is_read_at_its_new_address() -> None:
    end, asked = ran({"bea": {"name": "bea"}}, name="bea")
    assert ended(end, "succeeded").verified == "all"
    assert asked == ["/users/ann", "/users/bea"]
    assert end.outputs == {"item": {"name": "bea"}}


def test_a_name_that_was_ignored_is_told_by_what_stands_at_the_old_address() -> None:
    end, asked = ran({"ann": {"name": "ann"}}, name="bea")
    assert end.outcome in ("partial", "failed")
    assert [(each["asked"], each["found"]) for each in end.differences] == [("bea", "ann")]
    assert set(asked) == {"/users/ann"}


def test_what_is_at_neither_address_is_in_doubt() -> None:
    end, asked = ran({}, name="bea")
    assert end.failure is not None
    assert end.failure.status == 404
    assert asked == ["/users/ann", "/users/bea", "/users/ann", "/users/bea"]


@pytest.mark.parametrize("given", [{"note": "x"}, {"name": "ann"}], ids=["no new name", "the same name"])
def test_without_a_new_name_the_old_address_is_the_only_one(given: dict[str, Any]) -> None:
    assert set(ran({}, **given)[1]) == {"/users/ann"}


def test_a_renaming_whose_answer_was_lost_is_found_at_the_new_address() -> None:
    end, asked = ran({"bea": {"name": "bea"}}, lost=True, name="bea")
    assert ended(end, "succeeded").outputs == {"item": {"name": "bea"}}
    assert "/users/bea" in asked


def test_the_change_itself_goes_to_the_old_address() -> None:
    assert sent(Dialogue(RENAMING, user="ann", name="bea").first, "change").path == "/users/ann"


PLACED = program(
    step(
        "change",
        "post",
        "/halls/{hall}/boxes/{name}",
        parameters=[*WHICH, {"name": "hall", "in": "path", "value": "$inputs.hall"}],
        requestBody={
            "contentType": "application/json",
            "payload": {"name": "$inputs.name", "hall": "$inputs.new_hall"},
        },
        **{"x-switchgear": {"role": "change", "effect": "update"}},
    ),
    step(
        "back",
        "get",
        "/halls/{hall}/boxes/{name}",
        parameters=[
            *WHICH,
            {"name": "hall", "in": "path", "value": "$inputs.hall"},
            {"name": "project", "in": "query", "value": "$inputs.project"},
        ],
        onFailure=[LATE],
        **{
            "x-switchgear": {
                "role": "read_back",
                "moved": "$inputs.name",
                "placed": {"hall": "$inputs.new_hall", "project": "$inputs.new_project"},
                "expects": [{"place": "/hall", "asked": "$inputs.new_hall", "found": "$response.body#/hall"}],
            }
        },
    ),
    inputs={
        "type": "object",
        "properties": {n: {"type": "string"} for n in ("user", "name", "hall", "new_hall", "project", "new_project")},
    },
)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"new_hall": "b"}, ("/halls/b/boxes/ann", "p")),
        ({"new_hall": "b", "name": "bea"}, ("/halls/b/boxes/bea", "p")),
        ({"name": "bea"}, ("/halls/a/boxes/bea", "p")),
        ({"new_hall": "b", "new_project": "q"}, ("/halls/b/boxes/ann", "q")),
    ],
)
def test_what_was_taken_elsewhere_is_read_there(given: dict[str, str], address: tuple[str, str]) -> None:
    run = Dialogue(PLACED, user="ann", hall="a", project="p", **given)
    assert sent(run.answer("change", 204), "back").path == "/halls/a/boxes/ann"
    run.answer("back", 404)
    again = run.say(TimerFired("back"))
    assert (again.path, dict(again.query)["project"]) == address
    assert ended(run.answer("back", 200, {"hall": given.get("new_hall")}), "succeeded")


def test_what_was_taken_nowhere_is_read_where_it_was() -> None:
    run = Dialogue(PLACED, user="ann", hall="a", project="p", new_hall="a")
    run.answer("change", 204)
    run.answer("back", 404)
    assert run.say(TimerFired("back")).path == "/halls/a/boxes/ann"
