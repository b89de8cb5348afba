"""What may be sent twice: by what an operation does and says, not by its method."""

from typing import Any

import pytest

from compiler.ir.model import Body, Effect, Operation
from compiler.ir.schemas import SharedSchemas
from compiler.passes.repeating import is_repeatable
from workflow.profiles.profile import Verbs
from workflow.risks import Risk

PLAIN = {"type": "object", "properties": {"name": {"type": "string"}, "mode": {"enum": ["fast", "slow"]}}}


def repeatable(
    key: str = "PUT /vms/{id}",
    effect: Effect = Effect.UPDATE,
    risk: Risk = Risk.CHANGE,
    schema: Any = None,
    **more: Any,
) -> bool:
    method, path = key.split(" ")
    kind = more.pop("media_type", "application/json")
    verbs = more.pop("verbs", Verbs())
    is_bare = method == "DELETE" or more.pop("is_bare", False)
    body = None if is_bare else Body(kind, PLAIN if schema is None else schema, is_required=True)
    operation = Operation(method, path, "", "", body=body, **more)
    return is_repeatable(operation, effect, risk, verbs, SharedSchemas({}))


def members(**named: Any) -> Any:
    return {"type": "object", "properties": named}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_sets_what_it_says_may_be_sent_twice(method: str) -> None:
    assert repeatable(f"{method} /vms/{{id}}")


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("PUT /nodes/{id}/states/power", {}),
        ("PUT /vms/{id}/power", {}),
        ("PATCH /vms/{id}/actions/{action}", {}),
        ("PUT /keys/{id}/rotation", {"summary": "Rotates the key"}),
        ("PUT /tokens/{id}", {"operation_id": "regenerateToken"}),
        ("PUT /vms/{id}", {"effect": Effect.ACT}),
        ("PUT /vms/{id}", {"risk": Risk.DISRUPT}),
        ("PATCH /vms/{id}", {"risk": Risk.DESTROY}),
        ("PUT /nodes/{id}/provision", {"schema": members(target={"enum": ["on", "off", "rebooting"]})}),
        ("PATCH /vms/{id}", {"schema": members(action={"type": "string"})}),
        ("PATCH /vms/{id}", {"schema": members(resetCounters={"type": "boolean"})}),
        ("PATCH /vms/{id}", {"media_type": "application/json-patch+json"}),
        ("POST /vms/{id}", {}),
    ],
)
def test_what_acts_is_sent_once_whatever_its_method(key: str, more: Any) -> None:
    assert not repeatable(key, **more)


def test_a_put_without_a_body_puts_something_under_its_name_and_does_nothing_else_that_may_be_repeated() -> None:
    assert repeatable("PUT /groups/{id}/members/{member}", is_bare=True)
    assert not repeatable("PUT /groups/{id}/order", is_bare=True)
    assert not repeatable("PATCH /groups/{id}", is_bare=True)


def test_what_only_sounds_a_little_like_it_sets_what_it_says() -> None:
    assert repeatable(schema=members(state={"enum": ["running", "stopped"]}, resetPolicy={"type": "string"}))
    assert repeatable("PATCH /runners/{id}", summary="Changes a runner")


@pytest.mark.parametrize(
    ("key", "may"),
    [
        ("DELETE /vms/{id}", True),
        ("DELETE /vms", False),
        ("DELETE /vms/{id}/log", False),
        ("DELETE /queue/{index}", False),
        ("DELETE /rules/{rulePosition}", False),
    ],
)
def test_a_deletion_may_be_sent_twice_where_it_names_one_thing(key: str, may: bool) -> None:
    assert repeatable(key, Effect.DELETE, Risk.DESTROY) is may


def test_the_profile_has_the_last_word() -> None:
    assert repeatable("POST /vms", Effect.CREATE, verbs=Verbs(idempotent=("POST /vms",)))
    assert repeatable("PUT /vms/{id}/power", verbs=Verbs(idempotent=("PUT /vms/{id}/power",)))
    assert not repeatable(verbs=Verbs(not_idempotent=("PUT /vms/{id}",)))
