"""What operators found in descriptions that nobody had prepared for: each kind of fault in a small description."""

from pathlib import Path
from typing import Any

from compiler.ir.model import Role
from tests.compiler.odd import DONE, THING, THINGS, answers, asked, compiled, given, only, sent
from workflow.risks import Risk

_TEXT = {"type": "string"}
_UNTOLD = {"200": {"description": "", "content": {"application/json": {}}}}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _at(path: str, **methods: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {path: {"parameters": [given(name) for name in names], **methods}}


def test_a_parameter_that_addresses_things_of_several_kinds_is_no_name_of_the_one_kind_that_is_listed(
    tmp_path: Path,
) -> None:
    daemon = _object(svc_id=_TEXT, zone_name=_TEXT)
    paths = _at("/daemons", get={"responses": answers({"type": "array", "items": daemon})})
    paths |= _at("/daemons/{svc_id}", get={"responses": answers(daemon)})
    paths |= _at("/disks", get={"responses": _UNTOLD})
    paths |= _at("/disks/{svc_id}", get={"responses": _UNTOLD}) | _at("/disks/{svc_id}/purge", post={"responses": DONE})
    made = compiled(tmp_path, paths)
    asked = [s.operation for s in only(made, "POST /disks/{svc_id}/purge").flow.steps]
    assert asked == ["GET /disks/{svc_id}", "POST /disks/{svc_id}/purge"]  # the very thing, and no daemon
    (looked, _) = only(made, "GET /daemons/{svc_id}").flow.steps
    assert looked.role is Role.LOOKUP


def test_a_deletion_that_is_said_to_end_something_is_called_by_that_and_stays_as_grave(tmp_path: Path) -> None:
    ends = {"description": "Clear any sign-in failures of the user", "responses": DONE}
    flow = only(compiled(tmp_path, _at("/attacks/users/{userId}", delete=ends)), "DELETE /attacks/users/{userId}").flow
    assert (flow.id, flow.title, flow.risk) == ("odd_clear_user", "Clear user", Risk.DESTROY)
    assert flow.description.startswith("Clear any sign-in failures of the user. ")


def test_what_is_deleted_from_something_is_not_told_as_the_deletion_of_that(tmp_path: Path) -> None:
    taken = {"summary": "Delete image from cache", "responses": DONE}
    paths = _at("/images", get={"responses": THINGS}) | _at("/images/{image_id}", get={"responses": answers(THING)})
    flow = only(compiled(tmp_path, paths | _at("/cache/{image_id}", delete=taken)), "DELETE /cache/{image_id}").flow
    assert flow.title == "Delete image from cache"


def test_a_name_or_an_id_in_an_address_is_of_the_thing_and_no_thing_of_its_own(tmp_path: Path) -> None:
    paths = _at("/projects", get={"responses": THINGS}) | _at("/projects/{id}", get={"responses": answers(THING)})
    paths |= _at("/projects/{id}/{environment_name_or_uuid}", get={"responses": answers(THING)})
    paths |= _at("/pools/{pool_name}/scrub", post={"responses": DONE})
    made = compiled(tmp_path, paths)
    shown = only(made, "GET /projects/{id}/{environment_name_or_uuid}")
    assert shown.flow.id == "odd_describe_project_environment"
    scrub = asked(only(made, "POST /pools/{pool_name}/scrub"))
    assert scrub["pool_name"]["description"] == "Name of the pool."


def test_what_is_found_by_its_id_is_no_thing_by_id(tmp_path: Path) -> None:
    paths = _at("/roles-by-id/{role-id}", get={"responses": answers(THING)})
    (told,) = asked(only(compiled(tmp_path, paths), "GET /roles-by-id/{role-id}")).values()
    assert told["description"] == "Id of the role."


def test_the_kinds_of_one_creation_are_called_as_their_summaries_say(tmp_path: Path) -> None:
    def making(kind: str) -> Any:
        return {
            "operationId": f"create-database-{kind.lower()}",
            "summary": f"Create ({kind})",
            "description": f"Create a new {kind} database.",
            "requestBody": sent(_object(name=_TEXT)),
            "responses": DONE,
        }

    kinds = ("Redis", "KeyDB", "Clickhouse")
    paths = {f"/databases/{kind.lower()}": {"post": making(kind)} for kind in kinds}
    made = compiled(tmp_path, paths)
    ids = [only(made, f"POST /databases/{kind.lower()}").flow.id for kind in kinds]
    assert ids == ["odd_create_redis_database", "odd_create_key_db_database", "odd_create_clickhouse_database"]


def test_a_word_that_stands_behind_the_verb_of_the_operations_id_is_no_verb_itself(tmp_path: Path) -> None:
    tidies = {
        "operationId": "aws-configure-role-tag-blacklist-tidy-operation",
        "requestBody": sent(_object(safety_buffer=_TEXT)),
        "responses": DONE,
    }
    goal = "/config/tidy/roletag-blacklist"
    flow = only(compiled(tmp_path, _at(goal, post=tidies)), f"POST {goal}").flow
    assert not flow.title.startswith("Blacklist")


def test_the_list_that_an_operation_is_about_is_shown(tmp_path: Path) -> None:
    words = {"type": "array", "items": _TEXT}
    body = _object(
        Cmd={**words, "description": "Command to run, as a list of words."},
        Env={**words, "description": "Environment variables."},
        Tty={"type": "boolean", "description": "Allocate a terminal."},
    )
    runs = {"description": "Run a command inside a running box.", "requestBody": sent(body), "responses": DONE}
    paths = _at("/boxes", get={"responses": THINGS}) | _at("/boxes/{id}", get={"responses": answers(THING)})
    one = only(compiled(tmp_path, paths | _at("/boxes/{id}/exec", post=runs)), "POST /boxes/{id}/exec")
    assert {"Cmd", "Tty"} <= asked(one).keys()
    assert "Env" not in asked(one)


def test_what_addresses_a_thing_is_asked_for_where_it_is_made(tmp_path: Path) -> None:
    members = dict.fromkeys(("acl", "auth", "clients", "disks", "groups", "portals", "controls"), _TEXT)
    body = sent(_object(**members, target_iqn=_TEXT))
    change = {"requestBody": sent(_object(**members)), "responses": DONE}
    paths = _at("/targets", get={"responses": _UNTOLD}, post={"requestBody": body, "responses": DONE})
    paths |= _at("/targets/{target_iqn}", get={"responses": _UNTOLD}, put=change)
    assert "target_iqn" in asked(only(compiled(tmp_path, paths), "POST /targets"))
