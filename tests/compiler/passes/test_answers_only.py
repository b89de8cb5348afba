"""POSTs that only answer: a word that asks, a text that asks, and an answer as such questions have it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from compiler.ir.model import Api, Operation, Response
from compiler.passes import effects
from compiler.passes.outcome import Options
from workflow.profiles.profile import Profile
from workflow.risks import Risk

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_LIST = {"type": "array", "items": {"type": "object", "properties": {"id": _TEXT}}}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members}


def _post(path: str, summary: str, answer: Mapping[str, Any], status: str = "200") -> Operation:
    reply = Response(status, "", "application/json", answer)
    return Operation("POST", path, f"#{path}", path, summary=summary, responses=(reply,))


def _risk(operation: Operation, *others: Operation) -> Risk | None:
    judged = effects.run(Api("t", "t", "1", "d", "", (operation, *others)), Options(Profile(api="t"))).api.operations
    assert not judged[0].is_safe  # nobody is told that it is safe
    return judged[0].risk


ASKING = [
    ("/faces/compare", "Compares two faces", _object(similarity=_NUMBER)),
    ("/stations/search", "Search stations", _object(hits=_LIST, total=_NUMBER)),
    ("/metrics:query", "Queries the metrics", _object(rows=_LIST)),
    ("/queryPipelineRuns", "Query pipeline runs in the factory", _object(value=_LIST)),
    ("/requests/count", "Count requests by criteria", _object(count=_NUMBER)),
    ("/invoices/preview", "Preview an invoice", _object(html=_TEXT)),
    ("/billing/estimate", "Estimate costs of updating a subscription", _object(amount=_NUMBER)),
    ("/rules/validate", "Validate a rule", _object(valid={"type": "boolean"}, errors=_LIST)),
]


@pytest.mark.parametrize(("path", "summary", "answer"), ASKING)
def test_what_asks_and_is_answered_at_once_is_a_read(path: str, summary: str, answer: Any) -> None:
    assert _risk(_post(path, summary, answer)) is Risk.READ


@pytest.mark.parametrize(
    ("path", "summary", "answer"),
    [
        ("/faces/compare", "Compares two faces", _object(id=_TEXT, similarity=_NUMBER)),  # a comparison is made
        ("/trusts:validate", "Validate the trust state", _object(done=_NUMBER, error=_object(code=_NUMBER))),
        ("/rules/validate", "Validate a rule", _object(result=_TEXT)),
        ("/codes/validate", "Validate a token", _object(valid={"type": "boolean"})),
        ("/stations/search", "Search stations and mark them as seen", _object(hits=_LIST)),
        ("/stations/search", "Starts a search", _object(hits=_LIST)),
        ("/stations/search", "Search stations", _object(token=_TEXT)),
        ("/channels/query", "Get or create channel", _object(messages=_LIST)),
        ("/accounts/verify", "Verify an account", _object(valid={"type": "boolean"})),
        ("/orders/search", "Creates a search", _object(hits=_LIST)),
    ],
)
def test_what_lacks_evidence_of_either_kind_stays_a_change(path: str, summary: str, answer: Any) -> None:
    operation = _post(path, summary, answer)
    name = "getOrCreateChannel" if "channels" in path else ""
    assert _risk(replace(operation, operation_id=name)) is not Risk.READ


def test_where_things_stand_below_they_may_have_been_made_by_it() -> None:
    path, summary, answer = ASKING[1]
    below = replace(_post(f"{path}/{{id}}", "Shows a search", answer), method="GET")
    assert _risk(_post(path, summary, answer), below) is Risk.CHANGE


def test_an_answer_that_says_that_it_was_made_is_none() -> None:
    for status in ("201", "202"):
        assert _risk(_post(*ASKING[1], status)) is Risk.CHANGE
