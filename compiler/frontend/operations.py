"""Paths and operations of every dialect as operations of the IR, one by one.

Here lives what all versions share: path items, methods, merging of parameters, templates, tolerated mistakes. The
parts of an operation are read by `openapi3` or `swagger2`. Called by `load`.
One bad operation is dropped with a diagnostic; the run goes on. OpenAPI 3.2 "Paths Object", "Path Item Object".
"""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from compiler.errors import LimitError
from compiler.frontend import path_queries
from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.documents.references import MissingReference, SourceDocuments, SourcePlace
from compiler.frontend.findings import Findings
from compiler.frontend.schemas.reading import Collector
from compiler.frontend.schemas.shapes import mapping, sequence, text
from compiler.ir.model import ApiParameter, Body, Operation, Response
from workflow.documents.operations import METHODS as IN_CAPITALS
from workflow.documents.operations import is_method
from workflow.documents.path_queries import address_of, asked_query, parted

METHODS = tuple(sorted(method.lower() for method in IN_CAPITALS))
_FURTHER = "additionalOperations"  # OpenAPI 3.2: methods of other names, written as they are sent
_BODILESS = frozenset(("GET", "HEAD"))  # RFC 9110, 9.3.1: a body has no meaning in them
_TEMPLATE_NAME = re.compile(r"\{([^{}]*)\}")
_STATUS = re.compile(r"[1-5](\d\d|XX)\Z|default\Z")


class PartReader(Protocol):
    """What differs by version: the parts of an operation."""

    def parameter(self, place: SourcePlace) -> ApiParameter | None: ...

    def body(self, operation: SourcePlace, parameters: Sequence[SourcePlace]) -> Body | None: ...

    def response(self, status: str, written: SourcePlace, operation: SourcePlace) -> Response: ...


class BadOperation(ValueError):
    """An operation that cannot be kept; the text says why."""


class OperationReader:
    """Reads all operations of a description; `collector` learns which operation reaches which schemas."""

    def __init__(
        self, library: SourceDocuments, collector: Collector, parts: PartReader, findings: Findings, limits: ReadLimits
    ) -> None:
        self._library = library
        self._collector = collector
        self._parts = parts
        self._findings = findings
        self._limits = limits

    def read(self, main: SourcePlace) -> tuple[Operation, ...]:
        """The operations, without digests, by path and then method. Raises LimitError beyond the limit."""
        found: list[Operation] = []
        for path, item in self._items(main):
            found += self._findings.contained.tried(path, partial(self._of_item, path, item), ())
            if len(found) > self._limits.operations:
                raise LimitError(f"more than {self._limits.operations} operations", main.document.name)
        return tuple(sorted(found, key=lambda one: (one.path, one.method)))

    def _of_item(self, path: str, item: SourcePlace) -> list[Operation]:
        shared = self._declared(item)
        self._note_servers(item)
        found: list[Operation] = []
        for method, place in self._methods(item):
            kept = partial(self._kept, method, path, place, shared)
            found += self._findings.contained.tried(f"{method} {path}", kept, ())
        return found

    def _methods(self, item: SourcePlace) -> Iterator[tuple[str, SourcePlace]]:
        """The operations of a path by their methods, those under `additionalOperations` after the others."""
        for method in METHODS:
            if mapping(item.value).get(method) is not None:
                yield method.upper(), item.child(method)
        for method in sorted(mapping(mapping(item.value).get(_FURTHER))):
            place = item.child(_FURTHER, method)
            if is_method(method) and method.lower() not in (*METHODS, "trace"):
                yield method, place
            else:
                self._findings.warning("method-unserved", place.pointer, f"{method[:20]!r} is not sent; left out")

    def _items(self, main: SourcePlace) -> Iterator[tuple[str, SourcePlace]]:
        paths = main.child("paths")
        taken: set[Hashable] = set()
        for written_path in sorted(mapping(paths.value), key=lambda path: (plain_path(path) != path, path)):
            written = paths.child(written_path)
            if written_path.startswith("x-"):
                continue
            path = plain_path(written_path)
            why = path_queries.fault_of(path) if path.startswith("/") else "is not a path"
            is_taken = path_queries.identity_of(path) in taken
            if why or is_taken:
                why = why or "is another way to write a path that is there"
                self._findings.error("path-invalid", written.pointer, f"{written_path[:80]!r} {why}; left out")
                continue
            if path != written_path:
                message = f"{written_path[:80]!r} has empty or dot segments; taken as {path[:80]!r}"
                self._findings.warning("path-repaired", written.pointer, message, "write the path as it is sent")
            taken.add(path_queries.identity_of(path))
            item = self._findings.contained.tried(path, partial(self._item, written), None)
            if item is not None:
                yield path, item

    def _item(self, written: SourcePlace) -> SourcePlace | None:
        """The path item with what it refers to; its own members win."""
        place = self._library.follow(written)
        if isinstance(place, MissingReference):
            message = f"{place.ref} {place.reason}; its operations are not known"
            self._findings.error("path-missing", written.pointer, message, "put the file below the root")
            return None
        if not isinstance(place.value, dict):
            self._findings.error("path-invalid", written.pointer, "is not a path item; left out")
            return None
        if "trace" in place.value:
            self._findings.warning("method-unserved", place.pointer, "`trace` is not compiled; left out")
        own = {key: value for key, value in mapping(written.value).items() if key != "$ref"}
        if place is written or not own or place.document is not written.document:
            return place
        return SourcePlace(place.document, place.tokens, {**place.value, **own})

    def _note_servers(self, holder: SourcePlace) -> None:
        if mapping(holder.value).get("servers"):
            message = "`servers` of its own is not followed; requests go to the target's address"
            self._findings.warning("servers-ignored", holder.pointer, message)

    def _kept(self, method: str, path: str, place: SourcePlace, shared: Sequence[SourcePlace]) -> tuple[Operation, ...]:
        try:
            return (self._operation(method, path, self._referred(place), shared),)
        except BadOperation as error:
            remedy = "correct it in the description, or with an overlay"
            self._findings.error("operation-invalid", place.pointer, f"{error}; the operation is left out", remedy)
            return ()

    def _referred(self, written: SourcePlace) -> SourcePlace:
        """The operation with what a `$ref` in its place leads to; its own members win. Raises BadOperation."""
        place = self._library.follow(written)
        if isinstance(place, MissingReference):
            raise BadOperation(f"{place.ref} {place.reason}")
        own = {key: value for key, value in mapping(written.value).items() if key != "$ref"}
        if place is written or not own or not isinstance(place.value, dict):
            return place
        return SourcePlace(place.document, place.tokens, {**place.value, **own})

    def _operation(self, method: str, path: str, place: SourcePlace, shared: Sequence[SourcePlace]) -> Operation:
        if not isinstance(place.value, dict):
            raise BadOperation("is not an operation")
        names = _template_names(path)
        self._note_servers(place)
        self._collector.begin(f"{method} {path}")
        declared = _merge(shared, self._declared(place))
        given = path_queries.with_query(path, self._parameters(path, place, declared, names))
        for name in given.differing:
            message = f"the path gives {name} a value that its description does not allow; sent as the path has it"
            self._findings.warning("path-query-differs", place.pointer, message)
        members = place.value
        return Operation(
            method=method,
            path=path,
            pointer=place.pointer,
            digest="",
            operation_id=text(members.get("operationId")),
            summary=text(members.get("summary")),
            description=text(members.get("description")),
            tags=self._tags(place),
            parameters=given.parameters,
            body=self._body(method, place, declared),
            responses=self._responses(place),
            is_deprecated=members.get("deprecated") is True,
        )

    def _body(self, method: str, place: SourcePlace, declared: Sequence[SourcePlace]) -> Body | None:
        body = self._parts.body(place, declared)
        if body is not None and method in _BODILESS:
            self._findings.note("body-of-a-read", place.pointer, f"{method} carries no body; left out")
            return None
        return body

    def _tags(self, place: SourcePlace) -> tuple[str, ...]:
        written = mapping(place.value).get("tags")
        if isinstance(written, str):
            self._findings.note("tags-text", place.pointer, "`tags` is text, taken as a list of one")
            return (written,)
        return tuple(one for one in sequence(written) if isinstance(one, str))

    def _declared(self, holder: SourcePlace) -> tuple[SourcePlace, ...]:
        """The declared parameters, followed; what is missing is noted and left out."""
        written = mapping(holder.value).get("parameters")
        if written is not None and not isinstance(written, list):
            self._findings.warning("parameter-invalid", holder.pointer, "`parameters` is not a list; left out")
        found = []
        for number in range(len(sequence(written))):
            place = self._library.follow(holder.child("parameters", number))
            if isinstance(place, MissingReference):
                message = f"the parameter {place.ref} {place.reason}; left out"
                self._findings.error("parameter-missing", holder.pointer, message, "put the file below the root")
            else:
                found.append(place)
        return tuple(found)

    def _parameters(
        self, path: str, place: SourcePlace, declared: Sequence[SourcePlace], names: tuple[str, ...]
    ) -> tuple[ApiParameter, ...]:
        found: dict[tuple[str, str], ApiParameter] = {}
        asked = [placeholder for _, placeholder in asked_query(path)]
        for one in declared:
            parameter = self._parts.parameter(one)
            if parameter is None:
                continue
            if parameter.location == "path" and parameter.name not in (*names, *asked):
                message = f"the path has no {{{parameter.name}}}; the parameter is left out"
                self._findings.warning("parameter-not-in-path", place.pointer, message)
            else:
                found[parameter.location, parameter.name] = parameter
        for name in names:
            if ("path", name) not in found:
                self._findings.note("parameter-undeclared", place.pointer, f"{{{name}}} is not declared; taken as text")
                found["path", name] = ApiParameter(name, "path", is_required=True, schema={"type": "string"})
        return tuple(found.values())

    def _responses(self, place: SourcePlace) -> tuple[Response, ...]:
        responses = place.child("responses")
        by_status = mapping(responses.value)
        if not by_status:
            self._findings.note("responses-missing", place.pointer, "no reply is described")
        found = {}
        for written in sorted(by_status):
            status = written.upper() if written.upper() != "DEFAULT" else "default"
            if _STATUS.match(status):
                found[status] = self._parts.response(status, responses.child(written), place)
            elif not written.startswith("x-"):
                self._findings.warning("status-invalid", responses.pointer, f"{written[:20]!r} is no status; left out")
        return tuple(found[status] for status in sorted(found, key=_status_order))


def _status_order(status: str) -> tuple[int, str]:
    """200 before 2XX before default."""
    return (2 if status == "default" else 1 if status.endswith("XX") else 0, status)


def plain_path(path: str) -> str:
    """The path without empty and dot segments (RFC 3986, 5.2.4); a slash at the end stays."""
    path, query = parted(path)
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    if not path.startswith("/") or not kept:
        return path + query if not path.startswith("/") else "/" + query
    return "/" + "/".join(kept) + ("/" if path.endswith("/") else "") + query


def _template_names(path: str) -> tuple[str, ...]:
    address = address_of(path)
    names = tuple(dict.fromkeys(_TEMPLATE_NAME.findall(address)))
    if "{" in (rest := _TEMPLATE_NAME.sub("", address)) or "}" in rest:
        raise BadOperation("the braces of the path do not match")
    if "" in names:
        raise BadOperation("the path has a parameter without a name")
    return names


def _merge(shared: Sequence[SourcePlace], own: Sequence[SourcePlace]) -> tuple[SourcePlace, ...]:
    """Parameters of the path and of the operation; the operation's stand in the place of equal ones."""
    merged: dict[tuple[str, str], SourcePlace] = {}
    for place in (*shared, *own):
        members: Mapping[str, Any] = mapping(place.value)
        merged[text(members.get("in")), text(members.get("name"))] = place
    return tuple(merged.values())
