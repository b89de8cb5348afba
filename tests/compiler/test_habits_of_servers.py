"""Habits of servers that others wrote, each of which once made a claim false: cut to the point, told by the plan.

What an update has for a default, where two changes of one flow go, what only rehearses, what an accepted change leads
to, which thing a name names, what is gone when it is empty.
"""

from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Role
from compiler.passes.flows.steps import queries
from tests.compiler.odd import DONE, answers, compiled, given, only, sent
from workflow.risks import Risk

TEXT = {"type": "string"}


def thing(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def kept(
    shown: Any, made: Any | None = None, changed: Any | None = None, key: str = "id", query: Any = ()
) -> dict[str, Any]:
    """Boxes that are listed, made, read and changed, each at the address that its `key` makes."""
    one = [given(key), *query]
    return {
        "/boxes": {
            "get": {"parameters": [*query], "responses": answers({"type": "array", "items": shown})},
            "post": {"parameters": [*query], "requestBody": sent(made or shown), "responses": answers(shown, "201")},
        },
        f"/boxes/{{{key}}}": {
            "get": {"parameters": one, "responses": answers(shown)},
            "patch": {"parameters": one, "requestBody": sent(changed or made or shown), "responses": answers(shown)},
        },
    }


def of_intent(made: Compiled, intent: str) -> CompiledWorkflow:
    return next(one for one in made.workflows if one.flow.intent == intent)


def properties(one: CompiledWorkflow) -> dict[str, Any]:
    found: dict[str, Any] = one.document["workflows"][0]["inputs"]["properties"]
    return found


def test_what_an_update_may_set_is_not_put_in_for_the_caller_and_a_creation_keeps_its_defaults(tmp_path: Path) -> None:
    policy = {**TEXT, "default": "immediate"}
    inner = thing(retries={"type": "integer", "default": 3})
    shown = thing(id=TEXT, name=TEXT, policy=policy, options=inner)
    made = compiled(tmp_path, kept(shown, thing(name=TEXT, policy=policy, options=inner)))
    updating = properties(only(made, "PATCH /boxes/{id}"))
    assert "default" not in updating["policy"]
    assert "default" not in str(updating)
    assert properties(of_intent(made, "create"))["policy"]["default"] == "immediate"
    assert "default" not in properties(of_intent(made, "ensure"))["policy"]  # it may be an update


def test_two_changes_of_one_flow_are_made_in_one_place(tmp_path: Path) -> None:
    where = [{"name": "project", "in": "query", "schema": TEXT}]
    shown = thing(id=TEXT, name=TEXT, size={"type": "integer"})
    made = compiled(tmp_path, kept(shown, thing(name=TEXT, size={"type": "integer"}), query=where))
    ensuring = of_intent(made, "ensure")
    assert [name for name in properties(ensuring) if name.startswith("project")] == ["project"]
    told = [[v for name, _, v in step.parameters if name == "project"] for step in ensuring.flow.steps]
    assert told == [["$inputs.project"]] * len(ensuring.flow.steps)


@pytest.mark.parametrize("default", [True, False])
def test_an_action_that_only_rehearses_by_default_has_to_be_told(default: bool, tmp_path: Path) -> None:
    body = thing(dry_run={"type": "boolean", "default": default}, reason=TEXT)
    shown = thing(id=TEXT, name=TEXT)
    clear = {
        "post": {"summary": "Clear a box", "parameters": [given("id")], "requestBody": sent(body), "responses": DONE}
    }
    made = compiled(tmp_path, {**kept(shown), "/boxes/{id}/clear": clear})
    dry_run = next(each for each in only(made, "POST /boxes/{id}/clear").flow.inputs if each.name == "dry_run")
    assert dry_run.is_required is default
    assert dry_run.schema.get("default") == (None if default else False)


def tasks_of(answer: Any, folder: Path) -> Compiled:
    task = thing(id=TEXT, state={**TEXT, "enum": ["waiting", "completed", "failed"]})
    read = {"get": {"parameters": [given("id")], "responses": answers(task)}}
    shown = thing(id=TEXT, name=TEXT)
    paths = kept(shown)
    paths["/boxes/{id}"]["delete"] = {"parameters": [given("id")], "responses": answers(thing(**answer), "202")}
    return compiled(folder, {**paths, "/tasks/{id}": read})


@pytest.mark.parametrize(
    "answer",
    [{"task": {**TEXT, "format": "uri"}}, {"task_href": TEXT}, {"job": TEXT, "taskUrl": TEXT}],
    ids=["by format", "by name", "beside another"],
)
def test_the_address_of_a_task_in_the_body_of_a_202_is_what_is_waited_for(answer: Any, tmp_path: Path) -> None:
    made = tasks_of(answer, tmp_path)
    flow = only(made, "DELETE /boxes/{id}").flow
    assert [step.operation for step in flow.steps if step.role is Role.WAIT] == ["GET /tasks/{id}"]
    assert next(step for step in flow.steps if step.role is Role.CHANGE).transforms == {"job": "last_path_segment"}


def test_a_word_beside_it_is_no_address_of_a_task(tmp_path: Path) -> None:
    made = tasks_of({"task": TEXT}, tmp_path)
    assert all(job.handle_within == "header" for job in made.api.jobs)


def test_an_id_that_people_have_to_give_is_what_they_call_the_thing(tmp_path: Path) -> None:
    made_of = {**thing(box_id=TEXT, host=TEXT, title=TEXT), "required": ["box_id"]}
    made = compiled(tmp_path, kept(thing(box_id=TEXT, host=TEXT, title=TEXT), made_of, key="box_id"))
    (boxes,) = [each for each in made.api.resources if each.collection == "/boxes"]
    assert (boxes.id_field, boxes.natural_keys) == ("box_id", ())


def test_a_name_of_another_thing_and_the_host_of_what_is_none_name_nothing(tmp_path: Path) -> None:
    shown = thing(id=TEXT, host=TEXT, bundle_name=TEXT, bundle_version=TEXT)
    made = compiled(tmp_path, kept(shown, thing(size={"type": "integer"})))
    (boxes,) = [each for each in made.api.resources if each.collection == "/boxes"]
    assert boxes.natural_keys == ()


def test_a_thing_that_is_a_list_is_gone_when_nothing_is_in_it(tmp_path: Path) -> None:
    shares = thing(items={"type": "array", "items": thing(user=TEXT)}, _pagination=thing(total={"type": "integer"}))
    paths = {
        "/shares": {"get": {"responses": answers({"type": "array", "items": thing(server=TEXT)})}},
        "/shares/{server}": {
            "get": {"parameters": [given("server")], "responses": answers(shares)},
            "delete": {"summary": "Revoke shares", "parameters": [given("server")], "responses": DONE},
        },
    }
    gone = only(compiled(tmp_path, paths), "DELETE /shares/{server}").flow.steps[-1]
    assert gone.role is Role.GONE
    assert "$response.body#/items/0 == null" in gone.success[0]["condition"]


def test_settings_of_which_there_is_one_are_gone_when_no_member_has_anything(tmp_path: Path) -> None:
    of_null = thing(store={"anyOf": [TEXT, {"type": "null"}]}, pool={"type": ["string", "null"]})
    for number, shown in enumerate((of_null, thing(store=TEXT))):
        (folder := tmp_path / str(number)).mkdir()
        paths = {"/admin/storage": {"get": {"responses": answers(shown)}, "delete": {"responses": DONE}}}
        gone = only(compiled(folder, paths, "3.1.0"), "DELETE /admin/storage").flow.steps[-1]
        emptied = "($response.body#/pool == null) && ($response.body#/store == null)"
        assert gone.role is Role.GONE
        assert (emptied in gone.success[0]["condition"]) is (shown is of_null)


def test_a_slash_at_the_end_of_the_address_at_which_things_are_made_belongs_to_the_request_alone(
    tmp_path: Path,
) -> None:
    box = thing(id=TEXT, name=TEXT)
    paths = {
        "/boxes/": {"post": {"requestBody": sent(thing(name=TEXT)), "responses": answers(box, "201")}},
        "/boxes/{id}": {"get": {"parameters": [given("id")], "responses": answers(box)}},
    }
    made = only(compiled(tmp_path, paths), "POST /boxes/")
    assert made.flow.id == "odd_create_box"
    assert [step.operation for step in made.flow.steps] == ["POST /boxes/", "GET /boxes/{id}"]


def test_the_place_where_a_file_is_kept_is_not_the_file(tmp_path: Path) -> None:
    file = {**TEXT, "format": "binary"}
    paths = kept(thing(id=TEXT, name=TEXT, file=TEXT))
    paths["/boxes"]["post"]["requestBody"] = sent(thing(name=TEXT, file=file), "multipart/form-data")
    flow = of_intent(compiled(tmp_path, paths), "create").flow
    told = [each for step in flow.steps for each in step.expects if each["place"] == "/file"]
    assert told
    assert all("found" not in each for each in told)


def test_a_list_of_orders_is_as_grave_as_the_gravest_that_one_may_be(tmp_path: Path) -> None:
    ways = [
        thing(action={**TEXT, "const": order}, ids={"type": "array", "items": TEXT}) for order in ("create", "delete")
    ]
    body = thing(actions={"type": "array", "items": {"oneOf": ways}})
    many = {"patch": {"summary": "Change boxes", "requestBody": sent(body), "responses": answers(thing(done=TEXT))}}
    paths = kept(thing(id=TEXT, name=TEXT))
    paths["/boxes"] |= many
    made = compiled(tmp_path, paths, "3.1.0")
    assert next(o.risk for o in made.api.operations if o.key == "PATCH /boxes") is Risk.DESTROY


def test_what_each_alternative_orders_counts(tmp_path: Path) -> None:
    ways = [thing(type={**TEXT, "enum": [order]}) for order in ("resize", "detach")]
    act = {
        "post": {"summary": "Act", "parameters": [given("id")], "requestBody": sent({"anyOf": ways}), "responses": DONE}
    }
    made = compiled(tmp_path, {**kept(thing(id=TEXT, name=TEXT)), "/boxes/{id}/actions": act})
    risk = next(o.risk for o in made.api.operations if o.key == "POST /boxes/{id}/actions")
    assert risk in (Risk.DISRUPT, Risk.DESTROY)


def test_inputs_are_found_wherever_a_value_uses_them() -> None:
    value = {"a": "$inputs.one", "b": ["text {$inputs.two}", {"c": "$steps.find.outputs.id"}]}
    assert (queries.inputs_used(value), queries.steps_used(value)) == (["one", "two"], ["find"])
