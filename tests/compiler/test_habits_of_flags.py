"""Habits of a server of feature flags: a PUT that empties what is not given, orders to flags that there are not.

Each once made a claim false; cut to the point. See `test_habits_of_servers`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compiler.ir.model import Diagnostic, FlowStep
from compiler.passes.flows.simpler import NOT_LOOKED, without_look
from compiler.passes.names.paths import is_by_another_key
from compiler.proofs.verifying import Verifier
from tests.compiler.odd import DONE, answers, compiled, given, only, sent
from tests.compiler.test_habits_of_servers import TEXT, thing

FLAG = thing(name=TEXT, kind=TEXT, note=TEXT, stale={"type": "boolean"})
ONE = "/flags/{name}"


def flags(**more: Any) -> dict[str, Any]:
    """Flags that are called by their name, whose update takes less than a read shows."""
    one = [given("name")]
    update = {"requestBody": sent(thing(kind=TEXT, note=TEXT)), "responses": answers(FLAG)}
    return {
        "/flags": {
            "get": {"responses": answers({"type": "array", "items": FLAG})},
            "post": {"requestBody": sent({**FLAG, "required": ["name"]}), "responses": answers(FLAG, "201")},
        },
        ONE: {"parameters": one, "get": {"responses": answers(FLAG)}, "put": update, "delete": {"responses": DONE}},
        **{f"{ONE}/{path}": {"parameters": one, **operations} for path, operations in more.items()},
    }


def looks(tmp_path: Path, paths: dict[str, Any], key: str) -> list[FlowStep]:
    """The reads of the flag before the change."""
    one = only(compiled(tmp_path, paths), key)
    assert one.is_verified
    number = next(n for n, step in enumerate(one.flow.steps) if step.operation == key)
    return [step for step in one.flow.steps[:number] if step.operation == f"GET {ONE}"]


def test_what_a_put_may_empty_is_read_before_it(tmp_path: Path) -> None:
    (look,) = looks(tmp_path, flags(), f"PUT {ONE}")
    assert look.failures[0]["x-switchgear"]["code"] == "not_found"


def test_a_put_that_is_all_there_is_to_make_a_thing_with_is_no_update_of_what_has_to_be_there(tmp_path: Path) -> None:
    paths = flags()
    del paths["/flags"]["post"]
    assert looks(tmp_path, paths, f"PUT {ONE}") == []


@pytest.mark.parametrize("deed", ["complete", "sort", "ping"])
def test_what_an_order_that_nothing_shows_is_done_to_is_looked_for_before(deed: str, tmp_path: Path) -> None:
    (look,) = looks(tmp_path, flags(**{deed: {"post": {"responses": DONE}}}), f"POST {ONE}/{deed}")
    assert look.failures[0]["x-switchgear"]["code"] == "not_found"


@pytest.mark.parametrize("deed", ["restore", "revive", "unarchive"])
def test_what_is_brought_back_need_not_be_there_before(deed: str, tmp_path: Path) -> None:
    assert looks(tmp_path, flags(**{deed: {"post": {"responses": DONE}}}), f"POST {ONE}/{deed}") == []


def keys(parameter: str) -> dict[str, Any]:
    """Keys, one of which is read by its name, as the list of those that are called so."""
    key = thing(name=TEXT, secret=TEXT, kind=TEXT)
    some = {**thing(keys={"type": "array", "items": {"$ref": "#/components/schemas/Key"}}), "required": ["keys"]}
    listed = answers({"$ref": "#/components/schemas/Keys"})
    return {
        "paths": {
            "/keys": {
                "get": {"responses": listed},
                "post": {"requestBody": sent(key), "responses": answers(key, "201")},
            },
            "/keys/{name}": {"parameters": [given("name")], "get": {"responses": listed}},
            f"/keys/{{{parameter}}}": {"parameters": [given(parameter)], "delete": {"responses": DONE}},
        },
        "schemas": {"Key": key, "Keys": some},
    }


def test_what_is_read_by_its_name_is_not_looked_for_by_what_is_no_name(tmp_path: Path) -> None:
    made = keys("token")
    one = only(compiled(tmp_path, made["paths"], schemas=made["schemas"]), "DELETE /keys/{token}")
    assert [step.operation for step in one.flow.steps] == ["DELETE /keys/{token}"]


@pytest.mark.parametrize(
    ("path", "read", "is_another"),
    [
        ("/keys/{token}", "GET /keys/{name}", True),
        ("/keys/{keyName}", "GET /keys/{key-id}", True),
        ("/keys/{token}/revoke", "GET /keys/{name}", True),
        ("/keys/{name}", "GET /keys/{keyName}", False),
        ("/keys/{key}", "GET /keys/{id}", False),
        ("/halls/{hallId}/keys", "GET /halls/{hallId}/keys/{name}", False),  # what is made in it has no name yet
        ("/halls/{hallId}/keys/{name}", "GET /halls/{hallId}", False),
        ("/keys/{token}", "GET /settings", False),
    ],
)
def test_a_name_and_what_is_no_name_are_two_keys_of_one_thing(path: str, read: str, is_another: bool) -> None:
    assert is_by_another_key(path, read) is is_another


def test_one_that_is_read_as_the_list_of_those_of_its_name_is_gone_when_that_is_empty(tmp_path: Path) -> None:
    made = keys("keyName")
    one = only(compiled(tmp_path, made["paths"], schemas=made["schemas"]), "DELETE /keys/{keyName}")
    look, _, gone = one.flow.steps
    for empty in ("$response.body#/keys != null", "$response.body#/keys/0 == null"):
        assert empty in str(look.failures)
        assert empty in str(gone.success)


def test_an_order_is_kept_without_its_look_where_the_twin_has_no_such_thing(tmp_path: Path) -> None:
    key = f"POST {ONE}/ping"
    made = compiled(tmp_path, flags(ping={"post": {"responses": DONE}}))
    flow = only(made, key).flow
    look = next(step for step in flow.steps if step.id == "look")
    elsewhere = replace(look, parameters=tuple((*each[:2], "nowhere") for each in look.parameters))
    lost = replace(flow, steps=tuple(elsewhere if step is look else step for step in flow.steps))
    verifier = Verifier(made.api, made.profile, False)
    assert isinstance(verifier.verified(lost), Diagnostic)
    kept = verifier.second_try(lost)
    assert kept is not None
    assert kept.is_verified
    assert [step.operation for step in kept.flow.steps] == [key]
    assert NOT_LOOKED in kept.flow.why
    assert without_look(kept.flow) is None
