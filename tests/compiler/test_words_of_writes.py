"""What a PUT or PATCH says of itself: that it makes what is not there, does an action, or brings into a state."""

from pathlib import Path
from typing import Any

from compiler.compiled import Compiled
from compiler.ir.model import Role
from tests.compiler.odd import DONE, answers, asked, compiled, given, only, sent
from workflow.risks import Risk

_TEXT = {"type": "string"}


def _object(*required: str, **members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": members}


def _write(summary: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"summary": summary, "responses": DONE, **({"requestBody": sent(body)} if body else {})}


def _named(made: Compiled, goal: str) -> dict[str, tuple[str, Risk]]:
    found = [one.flow for one in made.workflows if one.flow.goal == goal]
    return {flow.title: (flow.id, flow.risk) for flow in found}


def test_a_put_that_makes_what_is_not_there_is_no_alias_of_the_patch_beside_it(tmp_path: Path) -> None:
    disk = _object("disk_id", disk_id=_TEXT, path=_TEXT, is_root={"type": "boolean"})
    writes = {"put": _write("Creates or updates a disk.", disk), "patch": _write("Updates a disk.", disk)}
    fan = {"get": {"responses": answers(_object(speed=_TEXT, mode=_TEXT))}}
    fan |= {"put": _write("Creates or updates the fan.", _object(speed=_TEXT, mode=_TEXT))}
    fan |= {"patch": _write("Updates the fan.", _object(speed=_TEXT, mode=_TEXT))}
    same = {"get": fan["get"], "put": _write("Updates the lid.", _object(speed=_TEXT)), "patch": fan["patch"]}
    made = compiled(
        tmp_path, {"/disks/{disk_id}": {"parameters": [given("disk_id")], **writes}, "/fan": fan, "/lid": same}
    )
    assert only(made, "PUT /disks/{disk_id}").flow.title == "Set disk"
    assert only(made, "PUT /disks/{disk_id}").is_verified
    assert only(made, "PATCH /disks/{disk_id}").flow.title == "Update disk"
    steps = [step.role for step in only(made, "PUT /fan").flow.steps]
    assert steps == [Role.CHANGE, Role.READ_BACK]  # nothing is read before: there may be no fan
    assert not any(one.flow.goal == "PUT /lid" for one in made.workflows)  # an alias


def test_an_id_that_the_body_repeats_is_asked_for_once(tmp_path: Path) -> None:
    disk = _object("disk_id", disk_id=_TEXT, path=_TEXT)
    paths = {"/disks/{disk_id}": {"parameters": [given("disk_id")], "patch": _write("Updates a disk.", disk)}}
    one = only(compiled(tmp_path, paths), "PATCH /disks/{disk_id}")
    assert asked(one).keys() == {"disk_id", "path"}
    assert one.flow.steps[-1].payload == {"disk_id": "$inputs.disk_id", "path": "$inputs.path"}


def test_a_state_that_is_to_be_reached_is_named_by_what_reaches_it_in_its_own_class(tmp_path: Path) -> None:
    states = {"type": "string", "enum": ["Paused", "Resumed"]}
    paths = {"/machine": {"patch": _write("Updates the machine's state.", _object("state", state=states))}}
    named = _named(compiled(tmp_path, paths), "PATCH /machine")
    assert {title: risk for title, (_, risk) in named.items()} == {
        "Pause machine": Risk.DISRUPT,
        "Resume machine": Risk.CHANGE,
    }


def test_actions_of_nothing_but_the_api_are_workflows_of_their_own(tmp_path: Path) -> None:
    kinds = {"type": "string", "enum": ["FlushCounters", "InstanceStart", "SendAlert"]}
    paths = {"/actions": {"put": _write("Creates a synchronous action.", _object("action_type", action_type=kinds))}}
    named = _named(compiled(tmp_path, paths), "PUT /actions")
    assert set(named) == {"Flush counters", "Start instance", "Send alert"}
    assert named["Start instance"][1] is Risk.CHANGE


def test_a_put_is_named_by_the_verb_that_its_address_and_its_summary_share(tmp_path: Path) -> None:
    size = _object("size", size={"type": "integer"})
    paths = {
        "/vm.resize-disk": {"put": _write("Resize a disk", size)},
        "/vm.coredump": {"put": _write("Takes a VM coredump.", _object(url=_TEXT))},
        "/vm.receive-migration": {"put": _write("Receive a VM migration from URL", _object(url=_TEXT))},
        "/vm.nmi": {"put": _write("Inject an NMI.")},
    }
    made = compiled(tmp_path, paths)
    names = {goal: only(made, goal).flow.id.partition("_")[2] for goal in (f"PUT {path}" for path in paths)}
    assert [name.split("_")[0] for name in names.values()] == ["resize", "take", "receive", "inject"]


def test_two_verbs_of_one_write_are_no_title(tmp_path: Path) -> None:
    paths = {"/boot-source": {"put": _write("Creates or updates the boot source.", _object(path=_TEXT))}}
    assert only(compiled(tmp_path, paths), "PUT /boot-source").flow.title == "Set boot source"
