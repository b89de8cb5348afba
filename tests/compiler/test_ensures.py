"""What an `ensure` takes for “there as it is asked for”: all that was asked for is so, and nothing is left to send."""

from pathlib import Path
from typing import Any

from compiler.compiled import CompiledWorkflow
from tests.compiler.odd import answers, asked, compiled, given, sent
from tests.compiler.test_habits_of_servers import TEXT, of_intent, thing

HALL = thing(hall_id=TEXT, name=TEXT)
SHOWN = thing(box_id=TEXT, name=TEXT, hall_id=TEXT, size=TEXT, rim=thing(width=TEXT))


def ensuring(folder: Path, made: Any, changed: Any, shown: Any = SHOWN) -> CompiledWorkflow:
    """The workflow that makes sure of a box, where boxes stand in halls."""
    of_box, of_hall = [given("box_id")], [given("hall_id")]
    paths = {
        "/halls": {"get": {"responses": answers({"type": "array", "items": HALL})}},
        "/halls/{hall_id}": {"get": {"parameters": of_hall, "responses": answers(HALL)}},
        "/boxes": {
            "get": {"responses": answers({"type": "array", "items": shown})},
            "post": {"requestBody": sent(made), "responses": answers(shown, "201")},
        },
        "/boxes/{box_id}": {
            "get": {"parameters": of_box, "responses": answers(shown)},
            "put": {"parameters": of_box, "requestBody": sent(changed), "responses": answers(shown)},
        },
    }
    one = of_intent(compiled(folder, paths), "ensure")
    assert one.is_verified
    return one


def leaves_it(one: CompiledWorkflow) -> list[str]:
    """When nothing is sent, beside that it is there."""
    look = next(step for step in one.flow.steps if step.id == "look")
    branch = next(each for each in look.branches if each["name"] == "same_already")
    return [each["condition"] for each in branch["criteria"]][1:]


def test_another_thing_that_both_changes_may_name_is_asked_for_once_and_compared(tmp_path: Path) -> None:
    made = {**thing(name=TEXT, hall_id=TEXT), "required": ["name", "hall_id"]}
    for number, needed in enumerate((["hall_id"], [])):
        (folder := tmp_path / str(number)).mkdir()
        one = ensuring(folder, made, {**thing(name=TEXT, hall_id=TEXT), "required": needed})
        assert {"hall", "name"} == {*asked(one)}
        assert leaves_it(one) == ["$steps.find_hall.outputs.id == $steps.look.outputs.hall_id"]
        assert one.flow.steps[0].id == "find_hall"
        hall = next(each for each in one.flow.steps[-1].expects if each["place"] == "/hall_id")
        assert hall["asked"] == "$steps.find_hall.outputs.id"  # whether it was made or changed


def test_where_an_update_could_send_only_the_name_nothing_is_sent(tmp_path: Path) -> None:
    assert leaves_it(ensuring(tmp_path, {**thing(name=TEXT), "required": ["name"]}, thing(name=TEXT))) == []


def test_what_no_list_shows_is_sent_whenever_it_is_given(tmp_path: Path) -> None:
    body = {**thing(name=TEXT, size=TEXT, secret=TEXT), "required": ["name"]}
    assert leaves_it(ensuring(tmp_path, body, body)) == [
        "$inputs.size == null || $inputs.size == $steps.look.outputs.size",
        "$inputs.secret == null",
    ]


def test_what_only_a_creation_takes_is_compared_as_well(tmp_path: Path) -> None:
    made = {**thing(name=TEXT, size=TEXT), "required": ["name"]}
    one = ensuring(tmp_path, made, thing(name=TEXT))
    assert leaves_it(one) == ["$inputs.size == null || $inputs.size == $steps.look.outputs.size"]


RIM = {**thing(width=TEXT), "required": ["width"]}
WITH_RIM = {**thing(name=TEXT, size=TEXT, rim=RIM), "required": ["name", "rim"]}


def test_what_stands_inside_a_part_is_compared_where_the_list_shows_it(tmp_path: Path) -> None:
    one = ensuring(tmp_path, WITH_RIM, WITH_RIM)
    assert "$inputs.width == null || $inputs.width == $steps.look.outputs.width" in leaves_it(one)
    look = next(step for step in one.flow.steps if step.id == "look")
    assert "rim.width" in str(look.outputs["width"])


def test_what_stands_inside_a_part_that_no_list_shows_is_sent_whenever_it_is_given(tmp_path: Path) -> None:
    one = ensuring(tmp_path, WITH_RIM, WITH_RIM, thing(box_id=TEXT, name=TEXT, size=TEXT))
    assert "$inputs.width == null" in leaves_it(one)


def test_an_object_that_only_a_creation_needs_is_asked_for_in_parts_and_an_update_sends_these(tmp_path: Path) -> None:
    changed = thing(name=TEXT, size=TEXT, rim=thing(width=TEXT))
    one = ensuring(tmp_path, WITH_RIM, changed)
    assert "rim" not in asked(one)
    sends = {step.id: step.payload for step in one.flow.steps if step.payload}
    assert sends["update"]["rim"] == sends["create"]["rim"] == {"width": "$inputs.width"}


def test_parts_that_need_not_be_given_are_not_sent_by_an_update_since_an_empty_object_would_empty_what_is_there(
    tmp_path: Path,
) -> None:
    body = {**thing(name=TEXT, rim=thing(width=TEXT)), "required": ["name", "rim"]}
    one = ensuring(tmp_path, body, thing(name=TEXT, rim=thing(width=TEXT)))
    sends = {step.id: step.payload for step in one.flow.steps if step.payload}
    assert sends["update"].get("rim") != {"width": "$inputs.width"}
    assert "$inputs.width == null || $inputs.width == $steps.look.outputs.width" in leaves_it(one)
