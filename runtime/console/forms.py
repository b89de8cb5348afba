"""What a form sends: its fields, in order, as the browser wrote them; and the inputs of a workflow out of them.

A field of a workflow's input is text in a form and a number, a truth or JSON in a call: what its schema says decides,
and what does not fit goes to the API as it is, whose judgement the page shows. A file comes whole. Here never lives a
judgement of values. WHATWG URL, `application/x-www-form-urlencoded`; RFC 7578, `multipart/form-data`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

Json = Any
MOST_FIELDS = 2000
# Beside a file there are a few.
MOST_FIELDS_BESIDE = 20
FORM, WITH_FILE = "application/x-www-form-urlencoded", "multipart/form-data"
# What the field of an input is called: no input can be taken for a field of ours.
OF_INPUT = "in."


class NoForm(ValueError):
    """The body is not what a form of ours sends."""


@dataclass(frozen=True, slots=True)
class ConsoleForm:
    """`files`: what was sent of a file, by the field's name."""

    pairs: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)

    def get(self, name: str, otherwise: str = "") -> str:
        return next((value for key, value in self.pairs if key == name), otherwise)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


async def form_of(request: Request) -> ConsoleForm:
    """The fields. Raises NoForm."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == WITH_FILE:
        return await _with_file(request)
    if kind != FORM:
        raise NoForm
    try:
        text = (await request.body()).decode()
        return ConsoleForm(tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)))
    except ValueError as error:
        raise NoForm from error


async def _with_file(request: Request) -> ConsoleForm:
    try:
        async with request.form(max_files=1, max_fields=MOST_FIELDS_BESIDE) as form:
            told = form.multi_items()
            pairs = tuple((name, value) for name, value in told if isinstance(value, str))
            files = {name: await value.read() for name, value in told if isinstance(value, UploadFile)}
    except (HTTPException, ValueError) as error:
        raise NoForm from error
    return ConsoleForm(pairs, files)


@dataclass(frozen=True, slots=True)
class Field:
    """One input as a form shows it. `kind`: text, number, choice, truth or json; `choices`: of a choice, as texts."""

    name: str
    kind: str
    is_required: bool
    description: str
    type: str
    choices: tuple[str, ...] = ()
    example: str = ""
    value: str = ""

    @property
    def key(self) -> str:
        return OF_INPUT + self.name


def fields_of(
    schema: Mapping[str, Json], examples: Mapping[str, Json], values: Mapping[str, Json] | None = None
) -> list[Field]:
    """The inputs that a schema asks for, needed ones first; `values`: what stands in them at first."""
    properties, required = schema.get("properties") or {}, schema.get("required") or ()
    given = values or {}
    found = [
        _field(name, told if isinstance(told, Mapping) else {}, name in required, examples, given)
        for name, told in properties.items()
    ]
    return sorted(found, key=lambda each: not each.is_required)


def _field(
    name: str, told: Mapping[str, Json], is_required: bool, examples: Mapping[str, Json], values: Mapping[str, Json]
) -> Field:
    kind, choices = _kind(told)
    shown = examples.get(name, next(iter(told.get("examples") or ()), told.get("default")))
    return Field(
        name=name,
        kind=kind,
        is_required=is_required,
        description=str(told.get("description", "")),
        type=_type(told),
        choices=choices,
        example="" if shown is None else _text(shown),
        value=_text(values[name]) if name in values else "",
    )


def _kind(told: Mapping[str, Json]) -> tuple[str, tuple[str, ...]]:
    choices = told.get("enum")
    if isinstance(choices, list) and all(isinstance(each, str) for each in choices):
        return "choice", tuple(choices)
    kinds = {"string": "text", "integer": "number", "number": "number", "boolean": "truth"}
    kind = told.get("type")
    return kinds.get(kind, "json") if isinstance(kind, str) else "json", ()


def _type(told: Mapping[str, Json]) -> str:
    kind = told.get("type", "any JSON")
    return " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def inputs_of(form: ConsoleForm, schema: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs that a form says; a field that was left empty is not given."""
    return dict(_inputs(form, schema.get("properties") or {}))


def _inputs(form: ConsoleForm, properties: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, told in properties.items():
        text = form.get(OF_INPUT + name)
        if text:
            kind, _ = _kind(told if isinstance(told, Mapping) else {})
            yield name, text if kind in ("text", "choice") else _value(text)


def _value(text: str) -> Json:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _text(value: Json) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
