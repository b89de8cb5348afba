"""The class of an operation: never too low, and seldom too high; what may be promised to change nothing."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.ir.model import ApiParameter, Body, Effect, Operation
from compiler.ir.schemas import SharedSchemas
from compiler.passes.risk import lexicon
from compiler.passes.risk.judging import judged
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.compiler.passes.labelled import Labelled, classed, labelled, operation
from workflow.risks import GRAVITY, Risk

ACTIONS = tuple(labelled())
_HALVES = ("tune", "test", "third", "fourth")
_MOST_ABOVE = 0.05


def test_the_table_has_two_halves_of_at_least_a_hundred_and_fifty_actions_each() -> None:
    sizes = Counter(one.half for one in ACTIONS)
    assert min(sizes["tune"], sizes["test"]) >= 150
    assert {one.risk for one in ACTIONS if one.half == "test"} == set(Risk)


@pytest.mark.parametrize("one", ACTIONS, ids=lambda one: one.operation.key)
def test_nothing_is_below_its_class(one: Labelled) -> None:
    found = classed(one.operation)
    assert found.risk is not None
    assert GRAVITY[found.risk] >= GRAVITY[one.risk], found.risk_reason


@pytest.mark.parametrize("half", (*_HALVES, "all"))
def test_few_are_above_their_class(half: str) -> None:
    own = [one for one in ACTIONS if half in (one.half, "all")]
    above = [one.operation.key for one in own if GRAVITY[classed(one.operation).risk or Risk.READ] > GRAVITY[one.risk]]
    assert len(above) <= _MOST_ABOVE * len(own), above


def risk_of(*told: str) -> Risk | None:
    return classed(operation(*told)).risk


@pytest.mark.parametrize(
    "told",
    [
        ("POST /nodes/{id}/status", "node_cmd", "Reboot or shutdown a node"),
        ("POST /x/check", "", "", "", "command=ForceOff,On"),
        ("POST /x/list", "", "Get the list, then restart everything"),
        ("POST /getStatusAndReboot",),
        ("POST /search?reboot",),
        ("POST /x/query", "", "", "Reboots the node."),
        ("POST /x/validate", "validateAndApplyUpgrade"),
        ("GET /nodes/{id}/status/reboot", "rebootNode", "Reboot a node"),
        ("GET /cgi?action=restart",),
        ("PUT /nodes/{id}/power",),
        ("PATCH /vms/{id}", "", "", "", "powerState=RUNNING,STOPPED"),
    ],
)
def test_a_word_that_suggests_reading_outvotes_none_that_acts(told: tuple[str, ...]) -> None:
    assert risk_of(*told) in (Risk.DISRUPT, Risk.DESTROY)


@pytest.mark.parametrize(
    "told",
    [
        ("POST /system/testFireSuppression", "testFireSuppression", "testFireSuppression"),
        ("POST /search", "search", "Search"),
        ("POST /validate", "validate", "Validate"),
        ("POST /volumes/{id}/check", "check", "Check a volume"),
        ("POST /x/get", "get", "Move things"),
        ("POST /things?dryRun", "make", "Make things"),
    ],
)
def test_a_post_is_no_read_for_asking_alone(told: tuple[str, ...]) -> None:
    assert risk_of(*told) is Risk.CHANGE


@pytest.mark.parametrize(
    "told",
    [
        ("PUT /x/{id}/note", "setNote", "Set a note", "Does not delete or reboot anything."),
        ("POST /x/{id}/undelete", "undelete", "Undelete a thing"),
        ("POST /x/{id}/unlock", "unlock", "Unlock it"),
        ("POST /jobs/cancelReboot", "cancelReboot", "Cancel a reboot that is planned"),
        ("PUT /x/{id}/restart-policy", "setRestartPolicy", "Set the restart policy"),
        ("POST /x/{id}/list-marker", "mark", "Mark deleted and stopped things"),
        ("PATCH /x/{id}", "", "", "", "state=stopped,deleted,evicted"),
        (
            "POST /x/{id}/fill",
            "",
            "",
            "Fills it. If an error occurs meanwhile, the workflow fails, the data is deleted.",
        ),
    ],
)
def test_negations_opposites_and_states_are_no_deeds(told: tuple[str, ...]) -> None:
    assert risk_of(*told) is Risk.CHANGE


@pytest.mark.parametrize(
    "told",
    [
        ("GET /x/deleted",),
        ("GET /reboots",),
        ("GET /x/upgrade", "", "Get the upgrade"),
        ("GET /failover_cluster/{id}", "getFailoverCluster", "Get details of a failover cluster"),
        ("GET /pages/{id}/blocks", "allBlocks", "All blocks of a page"),
        ("GET /x/updates", "", "Updates available for a node"),
        ("GET /x/start", "", "Start time of the node"),
        ("GET /x/import", "", "Import contacts status"),
        ("GET /x/usage", "", "Create a report of the usage"),
        ("GET /query", "", "Execute a query"),
        ("GET /deploys/{id}", "getDeploy"),
        ("GET /BootOptions/{id}", "", "BootOption instance"),
        ("GET /boot_options", "", "Boot options of a machine"),
        ("GET /Triggers", "", "Triggers instance"),
        ("GET /info/import", "", "Import methods and values discovery"),
        ("GET /roles/{name}", "read-role", "Create a role and associate policies to it"),
        ("GET /actions/{action}", "", "One of the actions"),
        ("GET /vms/{id}/{operation}", "", "Get what is known of an operation"),
        ("GET /images/{id}?format", "", "The picture"),
    ],
)
def test_a_get_reads_unless_it_says_that_it_acts(told: tuple[str, ...]) -> None:
    found = classed(operation(*told))
    assert (found.effect, found.risk, found.is_safe) == (Effect.READ, Risk.READ, True)


@pytest.mark.parametrize(
    ("told", "risk"),
    [
        (("GET /pods/{id}/{action}", "", "Perform an action on a pod"), Risk.DISRUPT),
        (("GET /pods/{id}/{command}",), Risk.DISRUPT),
        (("GET /key/generate", "", "Generate API key"), Risk.CHANGE),
        (("GET /vms/{id}/start", "", "Start a VM"), Risk.CHANGE),
        (("GET /vms/{id}/start",), Risk.CHANGE),
        (("GET /users/new", "", "Adds a user"), Risk.CHANGE),
        (("GET /ports/enable",), Risk.CHANGE),
        (("GET /alarms/clear",), Risk.DESTROY),
        (("GET /factory", "", "Reset device configuration"), Risk.DESTROY),
        (("GET /logs/delete", "", "Delete VM logs"), Risk.DESTROY),
        (("GET /jobs/cancel", "", "Cancel execution of a job"), Risk.DISRUPT),
        (("GET /#Action=UpdateThing", "GET_UpdateThing", "", "Updates scaling parameters of a thing."), Risk.CHANGE),
        (("GET /#Action=RunPolicy", "GET_ExecutePolicy", "", "Executes the specified policy."), Risk.CHANGE),
        (("GET /learning", "", "Activate/deactivate the learning"), Risk.CHANGE),
    ],
)
def test_a_get_does_what_it_says(told: tuple[str, ...], risk: Risk) -> None:
    found = classed(operation(*told))
    assert (found.effect, found.risk, found.is_safe) == (Effect.ACT, risk, False)


@pytest.mark.parametrize(
    ("key", "others", "effect"),
    [
        ("PUT /ports/enable/{port}", (), Effect.ACT),
        ("PUT /ports/{port}", (), Effect.UPDATE),
        ("PUT /backup/{id}", (), Effect.UPDATE),  # a thing as well as a verb
        ("PUT /enable/{id}", ("GET /enable",), Effect.UPDATE),
    ],
)
def test_what_something_is_done_to_is_no_item_of_a_collection(
    key: str, others: tuple[str, ...], effect: Effect
) -> None:
    assert classed(operation(key), *map(operation, others)).effect is effect


@pytest.mark.parametrize("values", [(), ("start", "stop")])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_what_a_part_of_the_address_orders_is_as_grave_as_the_gravest(method: str, values: tuple[str, ...]) -> None:
    schema = {"type": "string", **({"enum": [*values]} if values else {})}
    asked = ApiParameter("action", "path", is_required=True, schema=schema)
    assert classed(replace(operation(f"{method} /vms/{{id}}/{{action}}"), parameters=(asked,))).risk is Risk.DISRUPT


def test_a_state_in_the_address_is_ordered_by_what_changes_alone() -> None:
    asked = ApiParameter("state", "path", is_required=True, schema={"type": "string", "enum": ["running", "stopped"]})
    by_method = {
        method: classed(replace(operation(f"{method} /vms/{{id}}/state/{{state}}"), parameters=(asked,))).risk
        for method in ("PUT", "GET")
    }
    assert by_method == {"PUT": Risk.DISRUPT, "GET": Risk.READ}


def test_a_get_that_acts_is_no_read_and_may_not_be_sent_twice() -> None:
    found = classed(operation("GET /system/reboot", "reboot", "Reboot the system"))
    assert (found.effect, found.is_idempotent, found.is_safe) == (Effect.ACT, False, False)


def test_a_post_that_is_taken_for_a_read_is_not_called_safe() -> None:
    found = classed(operation("POST /items/query", "queryItems", "Query items", "Read-only."))
    assert (found.risk, found.is_safe) == (Risk.READ, False)


STRONG = tuple(sorted(word for word in lexicon.STRONG if word in lexicon.FORMS))
_METHODS = ("POST", "PUT", "PATCH")


def _spellings(word: str, spelling: str) -> Operation:
    return {
        "path": lambda: operation(f"POST /things/{{id}}/{word}"),
        "camel": lambda: operation(f"POST /things/doThe{word.title()}Now"),
        "kebab": lambda: operation(f"POST /things/force-{word}"),
        "id": lambda: operation("POST /things/go", f"{word}Things"),
        "summary": lambda: operation("POST /things/status", "", f"{word.title()} a thing"),
        "second verb": lambda: operation("POST /things/get", "", f"Read and {word} a thing"),
        "description": lambda: operation("POST /things/go", "", "", f"{word.title()} the thing."),
        "value": lambda: operation("POST /things/list", "", "", "", f"action=get,{word}"),
    }[spelling]()


@given(
    word=st.sampled_from(STRONG),
    spelling=st.sampled_from(["path", "camel", "kebab", "id", "summary", "second verb", "description", "value"]),
)
def test_an_unmistakable_word_counts_wherever_it_stands(word: str, spelling: str) -> None:
    assert classed(_spellings(word, spelling)).risk in (Risk.DISRUPT, Risk.DESTROY)


@given(asking=st.sampled_from(sorted(lexicon.ASKING)), word=st.sampled_from(STRONG))
def test_asking_words_beside_it_change_nothing_of_its_class(asking: str, word: str) -> None:
    plain = classed(operation(f"POST /things/{word}")).risk
    beside = classed(operation(f"POST /things/{word}", f"{asking}Things", f"{asking.title()} things")).risk
    assert plain is not None and beside is not None
    assert GRAVITY[beside] >= GRAVITY[plain]


def test_each_word_has_one_meaning_and_a_reason() -> None:
    bases = [word.base for word in (*lexicon.WORDS, *lexicon.OF_ACTIONS)]
    assert [base for base, times in Counter(bases).items() if times > 1] == []
    assert all(word.why for word in lexicon.WORDS)


def test_what_only_seems_to_read_is_stored_and_promises_nothing(tmp_path: Path) -> None:
    ok = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {}}}}}}
    asked = {"operationId": "queryItems", "summary": "Query items", "description": "Read-only.", "responses": ok}
    acting = {"operationId": "reboot", "summary": "Reboot the system", "responses": {"204": {"description": ""}}}
    paths = {"/items/query": {"post": asked}, "/system/reboot": {"get": acting}}
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps({"openapi": "3.0.3", "info": {"title": "g", "version": "1"}, "paths": paths}))
    found = {one.flow.goal: one for one in compile_spec(CompileRequest(path))[0].workflows}
    hints = {goal: (one.flow.risk, one.tool["annotations"]["readOnlyHint"]) for goal, one in found.items()}
    assert hints == {"POST /items/query": (Risk.READ, False), "GET /system/reboot": (Risk.DISRUPT, False)}
    assert "Changes nothing" not in found["POST /items/query"].flow.description


def test_a_body_that_is_one_of_several_orders_is_as_grave_as_the_gravest() -> None:
    nothing = {"type": "null"}
    orders = [{"type": "object", "required": [w], "properties": {w: nothing}} for w in ("forceDelete", "reboot")]
    plain = operation("POST /servers/{id}/action", "act", "Run an action")
    one = replace(plain, body=Body("application/json", {"oneOf": orders}, is_required=True))
    assert classed(one).risk is Risk.DESTROY


@pytest.mark.parametrize(
    ("told", "risk"),
    [
        ("If set to `true`, destroys a resource. It can be recovered.", Risk.DESTROY),
        ("Returns a value of `true` if the object has been destroyed.", Risk.CHANGE),
        ("If true, the name is shown.", Risk.CHANGE),
    ],
)
def test_a_switch_does_what_its_description_says_that_it_does_when_it_is_true(told: str, risk: Risk) -> None:
    body = {"type": "object", "properties": {"destroyed": {"type": "boolean", "description": told}}}
    one = replace(operation("PATCH /volumes/{id}"), body=Body("application/json", body, True))
    assert judged(one, Effect.UPDATE, SharedSchemas({}), is_readable=True).risk is risk


def test_what_an_operation_does_besides_is_read_in_its_description() -> None:
    assert risk_of("PATCH /snapshots", "", "Manage a snapshot", "Renames, destroys, or recovers a snapshot.") is (
        Risk.DESTROY
    )
    assert risk_of("PATCH /groups", "", "Modify a group", "Sets its schedule. Also renames or destroys a group.") is (
        Risk.DESTROY
    )


@pytest.mark.parametrize(
    ("told", "risk"),
    [
        (("POST /commands/unlockconnector",), Risk.DISRUPT),
        (("POST /sites/{id}/slotsswap",), Risk.DISRUPT),
        (("POST /pools/{id}/disableautoscale",), Risk.CHANGE),
        (("POST /chargers/{id}/remotestop",), Risk.DISRUPT),
        (("POST /things/removenodes",), Risk.DESTROY),
        (("POST /streams/{id}/checkpoint", "", "Make a checkpoint"), Risk.CHANGE),
    ],
)
def test_words_that_are_written_together_are_told_apart(told: tuple[str, ...], risk: Risk) -> None:
    assert risk_of(*told) is risk


@pytest.mark.parametrize(
    ("told", "risk"),
    [
        (("POST /x/{id}/go", "", "", "Removes one or more tags from a disk."), Risk.CHANGE),
        (("POST /x/{id}/go", "", "", "Removes disks by their tags."), Risk.DESTROY),
        (("POST /x/{id}/go", "", "", "Removes tags from an image."), Risk.DESTROY),
        (("POST /x/{id}/go", "", "", "Disables one or more alarms."), Risk.CHANGE),
        (("POST /x/{id}/go", "", "Look it up", "Applies to all disks."), Risk.CHANGE),
        (("POST /x/{id}/go", "", "", "Convert a result to a readable format."), Risk.CHANGE),
        (("POST /x/{id}/go", "", "", "Make a network with a /16 block."), Risk.CHANGE),
        (("POST /x/{id}/failoverAllowDataLoss",), Risk.DESTROY),
        (("POST /x/{id}/preventDataLoss",), Risk.CHANGE),
        (("POST /x/{id}/go", "", "", "Fails over. This may result in data loss."), Risk.DESTROY),
        (("POST /x/{id}/copy", "", "Copy it", "", "allowOverwrite=:boolean"), Risk.DESTROY),
        (("POST /x/{id}/hook", "", "", "", "hookMethod=POST,DELETE"), Risk.CHANGE),
        (("POST /charts/{id}/look", "", "", "", "format=:object"), Risk.CHANGE),
        (("POST /run/{action}",), Risk.DISRUPT),
        (("GET /shift", "", "Shift"), Risk.READ),
        (("GET /swaps/{id}", "swap", "Swap details"), Risk.READ),
    ],
)
def test_a_word_does_what_its_object_lets_it_do(told: tuple[str, ...], risk: Risk) -> None:
    assert risk_of(*told) is risk
