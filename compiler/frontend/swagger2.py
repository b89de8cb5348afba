"""Parameters, bodies and replies of Swagger 2.0 as parts of the IR.

Here lives what Swagger 2.0 says otherwise than OpenAPI 3: bodies among the parameters, form fields, `collectionFormat`,
`consumes` and `produces`, schemas written into parameters. Called by `operations` alone.
Swagger 2.0 "Parameter Object", "Response Object", "Items Object".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from compiler.frontend.documents.references import MissingReference, SourceDocuments, SourcePlace
from compiler.frontend.findings import Findings
from compiler.frontend.media import choose_media_type, sent_as
from compiler.frontend.openapi3 import IGNORED_HEADERS, read_out, usable
from compiler.frontend.schemas.reading import MISSING, Collector
from compiler.frontend.schemas.shapes import mapping, sequence, text
from compiler.ir.model import ApiParameter, Body, Response, Schema

_LOCATIONS = ("header", "path", "query")
_NOT_SCHEMA = frozenset(("allowEmptyValue", "collectionFormat", "description", "in", "name", "required"))
_STYLES: Mapping[str, tuple[str, bool]] = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}


class Swagger2Reader:
    """As `OpenApi3Reader`, for Swagger 2.0. `main` is the document, whose `consumes` and `produces` are defaults."""

    def __init__(self, library: SourceDocuments, collector: Collector, findings: Findings, main: SourcePlace) -> None:
        self._library = library
        self._collector = collector
        self._findings = findings
        self._main = mapping(main.value)

    def parameter(self, place: SourcePlace) -> ApiParameter | None:
        """The parameter at `place`; None for bodies and form fields, which `body` reads, and for what is none."""
        members = mapping(place.value)
        name, location = text(members.get("name")), text(members.get("in"))
        if location in ("body", "formData"):
            return None
        if not name or location not in _LOCATIONS:
            self._findings.error("parameter-invalid", place.pointer, f"not a parameter (`in` is {location[:20]!r})")
            return None
        if location == "header" and name.lower() in IGNORED_HEADERS:
            return None
        style, explode = self._style(place, location)
        return ApiParameter(
            name=name,
            location=location,
            is_required=location == "path" or members.get("required") is True,
            schema=self._inline(place),
            description=text(members.get("description")),
            style=style,
            explode=explode,
            example=usable(members.get("x-example")),
        )

    def _style(self, place: SourcePlace, location: str) -> tuple[str, bool]:
        written = text(mapping(place.value).get("collectionFormat")) or "csv"
        if written not in _STYLES:
            self._findings.warning("style-unknown", place.pointer, f"{written[:20]!r} is taken as `csv`")
        style, explode = _STYLES.get(written, _STYLES["csv"])
        if location != "query":
            return "simple", False
        return (style, explode) if mapping(place.value).get("type") == "array" else ("form", True)

    def _inline(self, place: SourcePlace) -> Schema:
        """The parameter's own schema keywords, or its `schema` where an author mixed the versions."""
        members = mapping(place.value)
        if "schema" in members:
            return self._collector.schema(place.child("schema"))
        own = {key: value for key, value in members.items() if key not in _NOT_SCHEMA and not key.startswith("x-")}
        return self._collector.schema(SourcePlace(place.document, place.tokens, own))

    def body(self, operation: SourcePlace, parameters: Sequence[SourcePlace]) -> Body | None:
        """The body parameter, or all form fields as one object."""
        whole = next((p for p in parameters if mapping(p.value).get("in") == "body"), None)
        if whole is not None:
            return self._whole(operation, whole)
        fields = [p for p in parameters if mapping(p.value).get("in") == "formData"]
        return self._form(operation, fields) if fields else None

    def _whole(self, operation: SourcePlace, place: SourcePlace) -> Body:
        members = mapping(place.value)
        return Body(
            media_type=sent_as(self._media_type(operation, "consumes") or "application/json", has_binary_schema=False),
            schema=self._collector.schema(place.child("schema")) if "schema" in members else {},
            is_required=members.get("required") is True,
            example=usable(members.get("x-example")),
            description=text(members.get("description")),
        )

    def _form(self, operation: SourcePlace, fields: Sequence[SourcePlace]) -> Body:
        named = {text(mapping(place.value).get("name")): place for place in fields}
        properties: dict[str, Any] = {}
        for name in sorted(named):
            described = text(mapping(named[name].value).get("description"))
            properties[name] = {**self._inline(named[name]), **({"description": described} if described else {})}
        required = sorted(name for name, place in named.items() if mapping(place.value).get("required") is True)
        schema: Schema = {"properties": properties, "type": "object"}
        has_file = any(mapping(place.value).get("type") == "file" for place in fields)
        consumed = [one for one in self._media_types(operation, "consumes") if "form" in one]
        fallback = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
        return Body(
            media_type="multipart/form-data" if has_file else choose_media_type(consumed) or fallback,
            schema={**schema, "required": required} if required else schema,
            is_required=bool(required),
        )

    def response(self, status: str, written: SourcePlace, operation: SourcePlace) -> Response:
        """The reply for `status`; its media type from `produces`, since Swagger 2.0 says it for all replies."""
        place = self._library.follow(written)
        if isinstance(place, MissingReference):
            self._collector.missing(place)
            return Response(status, media_type="application/json", schema={MISSING: place.ref})
        members = mapping(place.value)
        examples = mapping(members.get("examples"))
        schema = self._collector.schema(place.child("schema")) if "schema" in members else None
        media_type = self._media_type(operation, "produces")
        shown = choose_media_type(examples)
        return Response(
            status=status,
            description=text(members.get("description")),
            media_type=(media_type or "application/json") if schema is not None else "",
            schema=schema,
            example=read_out(usable(examples[shown]), shown) if shown else None,
            headers=tuple(sorted({name.lower() for name in mapping(members.get("headers"))})),
        )

    def _media_type(self, operation: SourcePlace, keyword: str) -> str:
        return choose_media_type(self._media_types(operation, keyword))

    def _media_types(self, operation: SourcePlace, keyword: str) -> list[str]:
        own = mapping(operation.value).get(keyword)
        names = sequence(own) if isinstance(own, list) else sequence(self._main.get(keyword))
        return [one for one in names if isinstance(one, str)]
