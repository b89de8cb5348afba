"""What a caller asks to be shown of a read's outputs: `select`, the fields, and `where`, the items; and its reading.

`select` names fields by name or JSON Pointer, `*` all of them. `where` maps a field to a value that it equals, or to
one comparison (`contains`, `greater`, `less`, `equals`); its member `newest` takes the last so many. It is a value:
what follows from it is in `shaping`. Everything is bounded, for it is judged item by item. Here never lives a run:
what is asked of the device is the same, whatever is shown of its answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from runtime.errors import BadInput
from workflow.errors import ExpressionError
from workflow.json.pointers import NOTHING, Nothing, parse_pointer, resolve

Json = Any
Operator = Literal["equals", "contains", "greater", "less"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
ALL = "*"
NEWEST = "newest"
# As much as one question needs; what is longer is a program, and is better written where its data is.
MOST_FIELDS, MOST_CONDITIONS, MOST_NEWEST, MOST_TEXT = 32, 8, 1000, 200
Scalar = str | int | float | bool | None
SELECT_SCHEMA: Json = {
    "description": "Fields to show, by name or JSON Pointer: “name, state, /disks/0/size”. “*”: all.",
    "anyOf": [
        {"type": "string", "maxLength": MOST_FIELDS * MOST_TEXT},
        {"type": "array", "maxItems": MOST_FIELDS, "items": {"type": "string", "maxLength": MOST_TEXT}},
    ],
}
_VALUE: Json = {"type": ["string", "number", "boolean", "null"], "maxLength": MOST_TEXT}
_ORDERED: Json = {**_VALUE, "type": ["string", "number"]}
_COMPARED: Json = {
    "type": "object",
    "properties": {**dict.fromkeys(OPERATORS, _ORDERED), "equals": _VALUE},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
_COUNT: Json = {"type": "integer", "minimum": 1, "maximum": MOST_NEWEST}
WHERE_SCHEMA: Json = {
    "type": "object",
    "description": "Items to show, all to hold: {“state”: “RUNNING”, “name”: {“contains”: “web”}, “newest”: 5}.",
    "properties": {
        NEWEST: {
            "anyOf": [
                _COUNT,
                {
                    "type": "object",
                    "properties": {"count": _COUNT, "by": {"type": "string", "maxLength": MOST_TEXT}},
                    "required": ["count", "by"],
                    "additionalProperties": False,
                },
            ]
        }
    },
    "additionalProperties": {"anyOf": [_VALUE, _COMPARED]},
    "maxProperties": MOST_CONDITIONS,
}


@dataclass(frozen=True, slots=True)
class Filter:
    field: str
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class Newest:
    """`by`: the field that says when; empty: the one that looks like it."""

    count: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """`select` None: those fields that people read; with `ALL` in it: every one."""

    select: tuple[str, ...] | None = None
    where: tuple[Filter, ...] = ()
    newest: Newest | None = None

    @property
    def is_whole(self) -> bool:
        return self.select is not None and ALL in self.select

    @property
    def chooses_items(self) -> bool:
        return bool(self.where) or self.newest is not None


READABLE = View()
"""What a model is shown that asks for nothing."""
WHOLE = View(select=(ALL,))
"""What a program is given that asks for nothing."""


def view_of(select: Json, where: Json, unasked: View = READABLE) -> View:
    """The view that these arguments say; None for what was not given. Raises BadInput."""
    if select is None and where is None:
        return unasked
    fields = unasked.select if select is None else _fields(select)
    conditions, newest = ((), None) if where is None else _items(where)
    return View(fields, conditions, newest)


def value_at(row: Json, field: str) -> Json | Nothing:
    """What stands in `row` under a field, by its name or pointer."""
    if field.startswith("/"):
        return resolve(row, parse_pointer(field))
    return row.get(field, NOTHING) if isinstance(row, Mapping) else NOTHING


def _fields(select: Json) -> tuple[str, ...]:
    given = select.split(",") if isinstance(select, str) else select
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BadInput("select is a list of fields", "/select", "name fields, with commas between")
    fields = tuple(dict.fromkeys(each.strip() for each in given if each.strip()))
    if not 0 < len(fields) <= MOST_FIELDS:
        raise BadInput(f"select names 1 to {MOST_FIELDS} fields", "/select", f"name fewer, or {ALL} for all")
    return tuple(_field(each, "/select") for each in fields)


def _field(field: str, at: str) -> str:
    if len(field) > MOST_TEXT:
        raise BadInput(f"a field has at most {MOST_TEXT} characters", at, "name a field of the items")
    if field.startswith("/"):
        try:
            parse_pointer(field)
        except ExpressionError as error:
            raise BadInput(f"a field is no JSON Pointer: {error}", at, "write ~1 for / and ~0 for ~") from error
    return field


def _items(where: Json) -> tuple[tuple[Filter, ...], Newest | None]:
    if not isinstance(where, Mapping) or len(where) > MOST_CONDITIONS:
        what = f"where is an object of at most {MOST_CONDITIONS} conditions"
        raise BadInput(what, "/where", "give {field: value}, or {field: {contains: text}}")
    newest = _newest(where[NEWEST]) if NEWEST in where else None
    return tuple(_condition(field, value) for field, value in where.items() if field != NEWEST), newest


def _condition(field: str, told: Json) -> Filter:
    at = f"/where/{field[:MOST_TEXT]}"
    operator, value = ("equals", told) if not isinstance(told, Mapping) else next(iter(told.items()), ("", None))
    if (isinstance(told, Mapping) and len(told) != 1) or operator not in OPERATORS:
        raise BadInput("a condition is one comparison", at, f"give one of {', '.join(OPERATORS)}")
    if not (value is None or isinstance(value, str | int | float)) or (
        isinstance(value, str) and len(value) > MOST_TEXT
    ):
        raise BadInput("a condition compares with a short text, a number, true, false or null", at, "give such a value")
    if operator in ("greater", "less", "contains") and (value is None or isinstance(value, bool)):
        raise BadInput(f"{operator} takes a text or a number", at, "give such a value, or equals")
    return Filter(_field(field, at), operator, value)


def _newest(told: Json) -> Newest:
    count, by = (told.get("count"), told.get("by", "")) if isinstance(told, Mapping) else (told, "")
    is_count = isinstance(count, int) and count is not True and 1 <= count <= MOST_NEWEST
    if not isinstance(count, int) or not is_count or not isinstance(by, str):
        what = f"{NEWEST} is a number from 1 to {MOST_NEWEST}, or a count and the field to go by"
        raise BadInput(what, f"/where/{NEWEST}", "give 5, or {count: 5, by: created}")
    return Newest(count, _field(by, f"/where/{NEWEST}") if by else "")
