"""Which thing a request is about, where its body says so: updates that are sent to a collection, ids of new things."""

from pathlib import Path
from typing import Any

from compiler.ir.model import Role
from tests.compiler.odd import DONE, answers, asked, compiled, given, only, sent

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _at(path: str, **methods: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {path: {"parameters": [given(name) for name in names], **methods}}


def test_a_put_to_a_collection_with_the_id_of_one_in_its_body_updates_that_one(tmp_path: Path) -> None:
    role = {**_object(roleId=_NUMBER, name=_TEXT, note=_TEXT), "required": ["roleId", "name"]}
    put = {"requestBody": sent(role), "responses": answers(role)}
    paths = _at("/roles", get={"responses": answers({"type": "array", "items": role})}, put=put)
    paths |= _at("/roles/{roleId}", get={"responses": answers(role)}, delete={"responses": DONE})
    one = only(compiled(tmp_path, paths), "PUT /roles")
    assert (one.flow.title, one.is_verified) == ("Update role", True)
    assert {"role", "name", "note"} == {*asked(one)}
    assert [s.role for s in one.flow.steps] == [Role.LOOKUP, Role.CHANGE, Role.READ_BACK]


def test_where_nothing_lists_the_things_the_id_is_given_once(tmp_path: Path) -> None:
    pet = _object(id=_NUMBER, name=_TEXT)
    paths = _at("/pet", put={"requestBody": sent(pet), "responses": answers(pet)})
    paths["/pet/{petId}"] = {
        "parameters": [given("petId", schema=_NUMBER)],
        "get": {"responses": answers(pet)},
        "delete": {"responses": DONE},
    }
    one = only(compiled(tmp_path, paths), "PUT /pet")
    assert (one.flow.title, one.is_verified) == ("Update pet", True)
    assert len([name for name in asked(one) if "id" in name.lower() or name == "pet"]) == 1
    assert one.flow.steps[-1].role is Role.READ_BACK
