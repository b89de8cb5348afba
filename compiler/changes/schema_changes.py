"""Whether two descriptions say the same with a schema, or the newer one takes or promises less: bounded.

What one schema reaches can be all that there are, and every operation may reach it. So shared schemas are compared
once; an operation is looked at closer only where it reaches one that differs, each pair of schemas once, and not at
all where it reaches too much to be decided. Called by `drift`; JSON Schema 2020-12, through jsonschema-rs.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs
from jsonschema_rs.canonical import CanonicalizationError, Containment

from compiler.ir.model import Api, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.twin.values.validation import SchemaView, Validation
from compiler.twin.values.validators import references
from workflow.documents.schemas import as_json

_LARGEST = 150_000  # bytes of both schemas with all that they reach; beyond, deciding one pair takes seconds


class SchemaChanges:
    """The schemas of two descriptions of one API."""

    def __init__(self, old: Api, new: Api) -> None:
        self._shared = (old.schemas, new.schemas)
        self._sides = tuple(Validation(api.schemas, SharedSchemas(api.schemas)) for api in (old, new))
        self._edges = tuple({name: set(references(one)) for name, one in api.schemas.items()} for api in (old, new))
        self._touched = _reaching(_different(old.schemas, new.schemas), self._edges)
        self._sizes: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self._decided: dict[tuple[bytes, bytes, SchemaView], bool | None] = {}

    def are_same(self, old: Schema, new: Schema) -> bool:
        """Whether both say the same, with all that they refer to."""
        return old == new and self._touched.isdisjoint(references(old))

    def takes_no_less(self, old: Schema, new: Schema, view: SchemaView) -> bool | None:
        """Whether the newer one takes (of a reply: promises) what the older one does; None where nobody can say."""
        key = (as_json(old, is_sorted=True), as_json(new, is_sorted=True), view)
        if key not in self._decided:
            self._decided[key] = self._looked_at(old, new, view)
        return self._decided[key]

    def _looked_at(self, old: Schema, new: Schema, view: SchemaView) -> bool | None:
        if self._size(0, old) + self._size(1, new) > _LARGEST:
            return None
        was, now = (side.self_contained(one, view) for side, one in zip(self._sides, (old, new), strict=True))
        return _covers(was, now) if view is SchemaView.RESPONSE else _covers(now, was)

    def _size(self, side: int, schema: Schema) -> int:
        """The bytes that a schema reaches, counted no further than what is too much."""
        seen: set[str] = set()
        waiting, spent = list(references(schema)), len(as_json(schema))
        while waiting and spent <= _LARGEST:
            name = waiting.pop()
            if name in seen or name not in self._shared[side]:
                continue
            seen.add(name)
            if name not in self._sizes[side]:
                self._sizes[side][name] = len(as_json(self._shared[side][name]))
            spent += self._sizes[side][name]
            waiting += self._edges[side][name]
        return spent


def _different(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> set[str]:
    return {name for name in old.keys() | new.keys() if name not in old or name not in new or old[name] != new[name]}


def _reaching(names: Iterable[str], edges: Iterable[Mapping[str, set[str]]]) -> set[str]:
    """These, and all from which one of them is reached."""
    users: dict[str, list[str]] = {}
    for side in edges:
        for user, used in side.items():
            for name in used:
                users.setdefault(name, []).append(user)
    reached, waiting = set(names), list(names)
    while waiting:
        found = [user for user in users.get(waiting.pop(), ()) if user not in reached]
        reached.update(found)
        waiting += found
    return reached


def _covers(wide: Any, narrow: Any) -> bool | None:
    """Whether every value of `narrow` is one of `wide`; None where that cannot be decided."""
    if _are_lists(wide, narrow):  # the library cannot say no of lists
        return _covers(*({**each["items"], "components": each.get("components", {})} for each in (wide, narrow)))
    try:
        found = jsonschema_rs.canonicalize(wide).covers(jsonschema_rs.canonicalize(narrow))
    except (CanonicalizationError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
        return None
    return None if found is Containment.UNKNOWN else found is Containment.YES


def _are_lists(one: Any, other: Any) -> bool:
    """True for two lists that differ in what they are lists of, and in nothing else."""
    if not (isinstance(one, dict) and isinstance(other, dict)):  # `true` and `false` are schemas, too
        return False
    bare = [{k: v for k, v in each.items() if k not in ("items", "components")} for each in (one, other)]
    is_alike = bare[0] == bare[1] and bare[0].get("type") == "array"
    return is_alike and all(isinstance(each.get("items"), dict) for each in (one, other))
