"""Things that stand in two places: every workflow stays, and the preferred place is told and ranked first."""

from pathlib import Path

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec

API = """
openapi: 3.1.0
info: {title: Rack, version: '1'}
paths:
  /boxes/{boxId}/slots: &list
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: &slot
      {type: object, properties: {id: {type: string}, name: {type: string}}}}}}}}}
  /boxes/{boxId}/slots/{slotId}: &item
    get: {responses: {'200': {description: ok, content: {application/json: {schema: *slot}}}}}
    delete: {responses: {'204': {description: gone}}}
  /racks/{rackId}/slots: *list
  /racks/{rackId}/slots/{slotId}: *item
"""
PROFILE = "api: rack\nidentity: {same_as: {'/racks/{rackId}/slots': '/boxes/{boxId}/slots'}}\n"


def compiled(folder: Path, profile: str) -> Compiled:
    (folder / "api.yaml").write_text(API)
    (folder / "profile.yaml").write_text(profile)
    return compile_spec(CompileRequest(folder / "api.yaml"))[0]


def about(made: Compiled, place: str) -> list[CompiledWorkflow]:
    return [w for w in made.workflows if w.flow.goal.partition(" ")[2].startswith(place)]


def test_workflows_about_the_other_place_stay_and_name_the_preferred_one(tmp_path: Path) -> None:
    made = compiled(tmp_path, PROFILE)
    there, here = about(made, "/boxes/"), about(made, "/racks/")
    assert len(there) == len(here) > 0
    assert all("The same things as" in w.flow.description for w in here)
    assert not any("The same things as" in w.flow.description for w in there)


def test_the_preferred_place_comes_first(tmp_path: Path) -> None:
    made = compiled(tmp_path, PROFILE)
    ranks = {w.flow.goal: w.flow.rank for w in made.workflows}
    assert ranks["GET /boxes/{boxId}/slots"] > ranks["GET /racks/{rackId}/slots"]


def test_the_same_kind_of_thing_is_not_taken_for_the_same_thing(tmp_path: Path) -> None:
    made = compiled(tmp_path, "api: rack\n")
    assert not any("The same things as" in w.flow.description for w in made.workflows)
