"""The outputs of a read as they are shown: what was asked for of them, or, where they are large, what people read.

Called after the outputs were judged and recorded: nothing here decides how a run ended, and the record keeps the whole.
Small outputs come as they are. Of what is shown in part it is said how many items and fields there are, and how the
rest is had; counts are of all that the device told. The shape is made for a reader: it is held to no output schema but
to the lenient one that clients are told (`Entry.output_schema`). Pure. Called by the doors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from runtime.errors import BadInput
from runtime.results.brief import MOST_ROWS, brief_thing, selected, summary, usual_fields
from runtime.results.tables import Row, Table, check_fields, chosen, exchanged, fields_of, newest, table_of
from runtime.results.view import ALL, View

Json = Any
# 2,000 tokens: what comes whole, and what is shown of the rest where nobody asks for more.
SMALL_BYTES = 8_000
# What is said besides: counts, names of other fields, how the rest is had.
_TOLD_BYTES = 1_600
MOST_OTHERS = 30
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Shaped:
    """`shown`: how much of how much `outputs` are, and how the rest is had; empty where they are the whole."""

    outputs: dict[str, Json]
    shown: dict[str, Json] = field(default_factory=dict)


def shaped(outputs: Mapping[str, Json], view: View) -> Shaped:
    """What `view` leaves of the outputs. Raises BadInput for a field that is not there, and items where are none."""
    whole = dict(outputs)
    if view.is_whole and not view.chooses_items:
        return Shaped(whole)
    table = table_of(whole)
    if table is not None:
        return _shaped_table(whole, table, view)
    if any(isinstance(value, list) for value in whole.values()):
        return Shaped(whole)  # no items, or none that have fields
    if view.chooses_items:
        raise BadInput("there are no items to choose from", "/where", "leave where out; select chooses fields")
    return _shaped_thing(whole, view)


def _shaped_table(outputs: dict[str, Json], table: Table, view: View) -> Shaped:
    rows = chosen(table.rows, view.where)
    rows = rows if view.newest is None else newest(rows, view.newest)
    told: dict[str, Json] = {"list": table.pointer, "items": len(table.rows)}
    told |= {"matching": len(rows)} if view.chooses_items else {}
    if view.select is not None and ALL not in view.select:
        check_fields(table.rows, view.select, "/select")
        picked = [selected(row, view.select) for row in rows]
        return Shaped(exchanged(outputs, table.place, picked), told)
    part = exchanged(outputs, table.place, rows)
    if view.is_whole or len(orjson.dumps(part)) <= SMALL_BYTES:
        return Shaped(part, told if view.chooses_items else {})
    return _usual(part, table.place, rows, told)


def _usual(outputs: dict[str, Json], place: Sequence[str], rows: Sequence[Row], told: dict[str, Json]) -> Shaped:
    """The fields that people read of the items, or of too many what differs."""
    fields = usual_fields(rows)
    names = fields_of(rows)
    while len(rows) <= MOST_ROWS and len(fields) >= FEWEST:
        part = exchanged(outputs, place, [selected(row, fields) for row in rows])
        if len(orjson.dumps(part)) <= SMALL_BYTES - _TOLD_BYTES:
            return Shaped(part, {**told, "fields": f"{len(fields)} of {len(names)}", **_rest(fields, names)})
        fields = fields[:-1]
    beside = {name: value for name, value in outputs.items() if name != place[0]}
    about = {**told, "summarised": len(rows), **summary(rows, SMALL_BYTES - 2 * _TOLD_BYTES)}
    return Shaped(beside, {**about, **_rest((), names)})


def _rest(shown: Sequence[str], names: Sequence[str]) -> dict[str, Json]:
    others = [name for name in names if name not in shown]
    more = {"and_more": len(others) - MOST_OTHERS} if len(others) > MOST_OTHERS else {}
    how = f"select “name, /a/b” shows fields, select “{ALL}” all of them; where {{“field”: value}} chooses items"
    return {"other_fields" if shown else "all_fields": others[:MOST_OTHERS], **more, "rest": how}


def _shaped_thing(outputs: dict[str, Json], view: View) -> Shaped:
    """Of outputs without a list: the fields of the one thing that they are about."""
    place = next((name for name, value in outputs.items() if isinstance(value, Mapping)), None)
    thing = outputs if place is None else outputs[place]
    if view.select is not None and ALL not in view.select:
        check_fields([thing], view.select, "/select")
        picked = selected(thing, view.select)
        return Shaped(picked if place is None else {**outputs, place: picked}, {"fields": len(picked)})
    if view.is_whole or len(orjson.dumps(outputs)) <= SMALL_BYTES:
        return Shaped(outputs)
    brief, left = brief_thing(thing)
    if not left:
        return Shaped(outputs)
    told = {"fields": f"{len(brief)} of {len(thing)}", "left_out": left, "rest": f"select “name, /a/b”, or “{ALL}”"}
    return Shaped(brief if place is None else {**outputs, place: brief}, told)
