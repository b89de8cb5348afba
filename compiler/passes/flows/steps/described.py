"""Reads whose description has another good status than 200: that is as good an answer.

Nothing is assumed of a device that is described with 200, or with all of 2XX. Called by `builder` for every step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import FlowStep, Operation
from compiler.passes.flows.steps import queries

_WITH_CONTENT = ("201", "203", "206")  # 202, 204 and 205 are no answer to a read (RFC 9110, 15.3)


def answered_as_described(step: FlowStep, operation: Operation) -> FlowStep:
    """The step; where it reads what is described without a 200, the status that is described counts as well."""
    described = {reply.status.upper() for reply in operation.responses}
    other = next((status for status in _WITH_CONTENT if status in described), "")
    if operation.method != "GET" or not other or described & {"200", "2XX", "DEFAULT"}:
        return step
    good = queries.simple(f"{queries.IS_GOOD} || $statusCode == {other}")
    failures = ({**each, "criteria": _with(good, each.get("criteria", ()))} for each in step.failures)
    return replace(step, success=tuple(_with(good, step.success)), failures=tuple(failures))


def _with(good: Mapping[str, Any], criteria: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [good if each == queries.OK else each for each in criteria]
