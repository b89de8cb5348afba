"""What a form says, as the API takes it: lists of names, pairs, numbers, JSON; an empty field is left out.

Here is only told what cannot be said to the API at all (no number, no JSON): whether a wish is a good one, the API
says. Called by the pages that add something.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from runtime.console.forms import ConsoleForm
from runtime.console.inside import ApiRefusal

Json = Any
SCOPE = ("apis", "risks", "workflows", "targets")


def listed(text: str) -> list[str]:
    """`a, b` as its parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def pairs(text: str) -> dict[str, str]:
    """`site=oslo, rack=3` by name. Raises ApiRefusal."""
    found = [part.partition("=") for part in listed(text)]
    if any(not mark for _, mark, _ in found):
        raise ApiRefusal(422, "bad input", "A label is NAME=VALUE.", "write for example site=oslo, rack=3")
    return {name.strip(): value.strip() for name, _, value in found}


def numbers(form: ConsoleForm, names: Iterable[str]) -> dict[str, Json]:
    """Those fields that have a number in them. Raises ApiRefusal."""
    return {name: _number(name, form.get(name).strip()) for name in names if form.get(name).strip()}


def texts(form: ConsoleForm, names: Iterable[str]) -> dict[str, str]:
    """Those fields that say something."""
    return {name: form.get(name).strip() for name in names if form.get(name).strip()}


def inputs(text: str) -> Json:
    """A JSON object; nothing is none. Raises ApiRefusal."""
    try:
        value = orjson.loads(text) if text.strip() else {}
    except orjson.JSONDecodeError as error:
        raise ApiRefusal(422, "bad input", f"The inputs are not JSON: {error}", 'write {"name": "value"}') from error
    if not isinstance(value, dict):
        raise ApiRefusal(422, "bad input", "The inputs are no JSON object.", 'write {"name": "value"}')
    return value


def scope(form: ConsoleForm) -> Mapping[str, Json]:
    """What a token, a user or a sender is limited to. Raises ApiRefusal."""
    told: dict[str, Json] = {kind: listed(form.get(kind)) for kind in SCOPE}
    told["labels"] = pairs(form.get("labels"))
    return {kind: value for kind, value in told.items() if value}


def nothing_said() -> ApiRefusal:
    """For a form of which no button of ours was pressed."""
    return ApiRefusal(422, "bad request", "The form does not say what is to be done.", "choose one of its buttons")


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    except ValueError as error:
        raise ApiRefusal(422, "bad input", f"{name} is no number.", "give one, or leave it empty") from error


def written(value: Json) -> str:
    """A value as a person edits it."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
