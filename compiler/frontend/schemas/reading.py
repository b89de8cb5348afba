"""Schemas of any dialect to JSON Schema 2020-12, each shared one once, under a name of its own.

Here live the walk through schemas and the collection of what is reached; single keywords are in `keywords`, names in
`names`. Here never lives a reading of operations.
Called by the readers of operations (`schema`), then by `load` (`finish`). A reference becomes
`{"$ref": "#/components/schemas/NAME"}`; what is missing becomes `{"x-switchgear-missing": "<ref>"}`, which takes
every value, so that the operation stays usable. Keys come out sorted: the order in a file cannot reach the output.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from compiler.errors import LimitError
from compiler.frontend.documents.dialect import Dialect
from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.documents.references import MissingReference, SourceDocument, SourceDocuments, SourcePlace
from compiler.frontend.findings import Findings
from compiler.frontend.schemas.keywords import (
    ANNOTATIONS,
    CHECKS,
    LEFT_OUT,
    ONE_SCHEMA,
    SCHEMA_LISTS,
    SCHEMA_MAPS,
    UnfitKeyword,
    allow_null,
    in_new_words,
    is_nullable,
)
from compiler.frontend.schemas.names import name_schemas
from compiler.frontend.schemas.patterns import PatternJudge
from compiler.frontend.schemas.shapes import NotPlain, mapping, plain, text
from compiler.frontend.schemas.values import repair_values
from compiler.ir.model import Schema

Key = tuple[SourceDocument, tuple[str, ...]]
POINTER = "#/components/schemas/"
MISSING = "x-switchgear-missing"
_SHAPING = ("properties", "required", "allOf", "oneOf", "anyOf")
WRITTEN = "$written"  # a reference as its author wrote it, while its schema is being read


@dataclass(frozen=True, slots=True)
class Bundle:
    """All reached schemas by name. `uses`: operation key → names it refers to; `inner`: the same between schemas.

    `gaps`: operation key or schema name → references in it that lead nowhere.
    """

    schemas: dict[str, Schema]
    uses: Mapping[str, tuple[str, ...]]
    inner: Mapping[str, tuple[str, ...]]
    gaps: Mapping[str, tuple[MissingReference, ...]]


class Collector:
    """Converts schemas and remembers what they reach, under the operation named last with `begin`."""

    def __init__(self, library: SourceDocuments, findings: Findings, limits: ReadLimits) -> None:
        self._library = library
        self._findings = findings
        self._patterns = PatternJudge()
        self._most = limits.schemas
        self._places: dict[Key, SourcePlace] = {}
        self._owner: str | Key = ""
        self._uses: dict[str | Key, dict[Key, None]] = {}
        self._gaps: dict[str | Key, dict[MissingReference, None]] = {}
        self._pending: list[tuple[dict[str, Any], Key]] = []
        self._document: SourceDocument = library.main
        self._trail: list[str] = []

    def begin(self, owner: str | Key) -> None:
        """From here on, what is reached is reached by `owner`; what it reached before is forgotten."""
        self._owner = owner
        self._uses[owner] = {}
        self._gaps[owner] = {}

    def missing(self, gap: MissingReference) -> None:
        """Counts a reference that leads nowhere and is not in a schema."""
        self._gaps[self._owner][gap] = None

    def schema(self, place: SourcePlace) -> Schema:
        """The schema at `place` in the normal form; references in it are named by `finish`."""
        self._document = place.document
        self._trail = list(place.tokens)
        converted = self._schema(place.value)
        return converted if isinstance(converted, dict) else ({} if converted else {"not": {}})

    def finish(self, operations: Iterable[str]) -> Bundle:
        """Everything that the given operations reach; to be called once, after all of them have been read.

        Raises LimitError beyond the limit.
        """
        kept = list(operations)
        converted: dict[Key, Schema] = {}
        waiting = [key for operation in kept for key in self._uses[operation]]
        while waiting:
            key = waiting.pop()
            if key not in converted:
                self.begin(key)
                place = self._places[key]
                converted[key] = self._findings.contained.tried(place.pointer, partial(self.schema, place), {})
                waiting += self._uses[key]
            if len(converted) > self._most:
                raise LimitError(f"more than {self._most} shared schemas", self._library.main.name)
        names = name_schemas([((key[0].name, key[1]), key) for key in converted], self._library.main.name)
        for reference, key in self._pending:
            reference["$ref"] = POINTER + names[key] if key in names else ""
            reference.pop(WRITTEN, None)
        return Bundle(
            schemas={names[key]: converted[key] for key in sorted(converted, key=names.__getitem__)},
            uses={one: _names(self._uses[one], names) for one in kept},
            inner={names[key]: _names(self._uses[key], names) for key in converted},
            gaps={one: _gaps(self._gaps[one]) for one in kept}
            | {names[key]: _gaps(self._gaps[key]) for key in converted},
        )

    def _schema(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if not isinstance(value, dict):
            self._warn("schema-invalid", "is not a schema; any value is taken")
            return {}
        ref = value.get("$ref", value.get("$dynamicRef"))
        converted = self._reference(ref, value) if isinstance(ref, str) else self._members(in_new_words(value))
        return allow_null(converted) if is_nullable(value) else converted

    def _reference(self, ref: str, written: Mapping[str, Any]) -> dict[str, Any]:
        """Beside a reference, OpenAPI 3.0 and Swagger 2.0 ignore everything; notes are kept, as people mean them.

        In 3.1 what stands there holds as well: members beside a reference are more of the same object.
        """
        is_modern = self._document.dialect is Dialect.MODERN
        beside = {
            key: value
            for key, value in written.items()
            if key not in ("$ref", "$dynamicRef") and (is_modern or key in ANNOTATIONS or key.startswith("x-"))
        }
        converted = self._members(in_new_words(beside))
        target = self._library.resolve(ref, self._document)
        if isinstance(target, MissingReference):
            self._gaps[self._owner][target] = None
            return {**converted, MISSING: ref}
        key = (target.document, target.tokens)
        self._places[key] = target
        self._uses[self._owner][key] = None
        more = {word: converted.pop(word) for word in _SHAPING if word in converted}
        reference = {"$ref": "", **({} if more else converted), WRITTEN: ref}
        self._pending.append((reference, key))
        return {"allOf": [reference, more], **converted} if more else reference

    def _members(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        trail = self._trail
        for keyword in sorted(schema):
            if keyword in LEFT_OUT:
                continue
            trail.append(keyword)
            try:
                converted[keyword] = self._keyword(keyword, schema[keyword])
            except UnfitKeyword as error:
                self._warn("schema-keyword", f"{error}; the keyword is left out")
            except NotPlain:
                self._warn("integer-too-large", "an integer beyond 2^53 has no exact form in JSON; left out")
            trail.pop()
        for keyword, message in repair_values(converted):
            self._findings.note("value-unfit", SourcePlace(self._document, (*trail, keyword), None).pointer, message)
        if "discriminator" in converted and "oneOf" in converted:
            _discriminate(converted)
        return converted

    def _keyword(self, keyword: str, value: Any) -> Any:
        if keyword in SCHEMA_MAPS:
            return self._map(keyword, value)
        if keyword in ONE_SCHEMA:
            return self._schema(value)
        if keyword in SCHEMA_LISTS:
            return self._list(value)
        if keyword == "pattern":
            return self._pattern(value)
        check = CHECKS.get(keyword)
        return check(value) if check is not None else plain(value)

    def _map(self, keyword: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnfitKeyword("is not a mapping")
        converted = {}
        for name in sorted(value):
            if keyword == "patternProperties" and (fault := self._patterns.fault(name)):
                self._warn("schema-keyword", f"{name[:60]!r} {fault}; left out")
                continue
            self._trail.append(name)
            inner = self._schema(value[name])
            converted[name] = {} if inner is True and keyword == "properties" else inner  # which say the same
            self._trail.pop()
        return converted

    def _pattern(self, value: Any) -> str:
        fault = self._patterns.fault(value) if isinstance(value, str) else "is not text"
        if fault:
            raise UnfitKeyword(fault)
        return str(value)

    def _list(self, value: Any) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise UnfitKeyword("is not a list of schemas")
        converted = []
        for number, one in enumerate(value):
            self._trail.append(str(number))
            converted.append(self._schema(one))
            self._trail.pop()
        return converted

    def _warn(self, code: str, message: str) -> None:
        pointer = SourcePlace(self._document, tuple(self._trail), None).pointer
        self._findings.warning(code, pointer, message, "correct it in the description, or with an overlay")


def _discriminate(schema: dict[str, Any]) -> None:
    """Says in the alternatives which value of the discriminating member chooses them; that one fits is enough then.

    Mappings name a schema by its reference, its file or its bare name; without one it is chosen by its name.
    """
    said = mapping(schema["discriminator"])
    member = text(said.get("propertyName"))
    if not member:
        return
    named: dict[str, list[str]] = {}
    for value, target in sorted(mapping(said.get("mapping")).items()):
        named.setdefault(_bare(text(target)), []).append(value)
    options = schema.pop("oneOf")
    for option in options:
        name = _bare(option.get(WRITTEN, "")) if isinstance(option, dict) else ""
        if name and "$ref" in option:
            option["properties"] = {member: {"enum": named.get(name, [name])}}
            option["required"] = [member]
    schema["anyOf"] = options


def _bare(reference: str) -> str:
    """The schema's own name at the end of a reference: `#/components/schemas/Cat`, `cats.json#/Cat`, `Cat`."""
    return unquote(reference).rpartition("/")[2].rpartition("#")[2].removesuffix(".json").removesuffix(".yaml")


def _names(keys: Iterable[Key], names: Mapping[Key, str]) -> tuple[str, ...]:
    return tuple(sorted({names[key] for key in keys}))


def _gaps(gaps: Iterable[MissingReference]) -> tuple[MissingReference, ...]:
    return tuple(sorted(gaps, key=lambda gap: (gap.file, gap.ref)))
