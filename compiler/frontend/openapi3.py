"""Parameters, bodies and replies of OpenAPI 3.0, 3.1 and 3.2 as parts of the IR.

Here lives the reading of these three objects; paths and operations are read in `operations`, Swagger 2.0 in
`swagger2`. Called by `operations` alone. A part that cannot be read is left out with a diagnostic.
OpenAPI 3.2 "Parameter Object", "Request Body Object", "Response Object", "Media Type Object".
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from compiler.frontend.documents.references import MissingReference, SourceDocuments, SourcePlace
from compiler.frontend.findings import Findings
from compiler.frontend.media import choose_media_type, is_json, sent_as
from compiler.frontend.schemas.reading import MISSING, Collector
from compiler.frontend.schemas.shapes import NotPlain, mapping, plain, text
from compiler.ir.model import EMPTY, ApiParameter, Body, Response, Schema

_LOCATIONS = ("cookie", "header", "path", "query")
_STYLES: Mapping[str, str] = {"cookie": "form", "header": "simple", "path": "simple", "query": "form"}
# OpenAPI says to ignore parameters of these names: other parts of the description speak for them.
IGNORED_HEADERS = frozenset(("accept", "authorization", "content-type"))


class OpenApi3Reader:
    """Reads the parts of an operation; schemas go through the collector, which follows their references."""

    def __init__(self, library: SourceDocuments, collector: Collector, findings: Findings) -> None:
        self._library = library
        self._collector = collector
        self._findings = findings

    def parameter(self, place: SourcePlace) -> ApiParameter | None:
        """The parameter at `place`, already followed; None, with a diagnostic, for what is none."""
        members = mapping(place.value)
        name, location = text(members.get("name")), text(members.get("in"))
        if not name or location not in _LOCATIONS:
            self._findings.error("parameter-invalid", place.pointer, f"not a parameter (`in` is {location[:20]!r})")
            return None
        if location == "header" and name.lower() in IGNORED_HEADERS:
            return None
        schema, style = self._parameter_schema(place)
        style = style or text(members.get("style")) or _STYLES[location]
        explode = members.get("explode")
        return ApiParameter(
            name=name,
            location=location,
            is_required=location == "path" or members.get("required") is True,
            schema=schema,
            description=text(members.get("description")),
            style=style,
            explode=explode if isinstance(explode, bool) else style == "form",
            example=self.example(place),
        )

    def _parameter_schema(self, place: SourcePlace) -> tuple[Schema, str]:
        """The schema, and the style `json` where the value travels as JSON text (`content` instead of `schema`)."""
        members = mapping(place.value)
        media_type = choose_media_type(mapping(members.get("content")))
        if "schema" not in members and media_type:
            schema = self._schema_below(place.child("content", media_type))
            return schema or {}, "json" if is_json(media_type) else ""
        return self._schema_below(place) or {}, ""

    def body(self, operation: SourcePlace, _parameters: Sequence[SourcePlace]) -> Body | None:
        """The request body in the chosen media type, None where the operation declares none."""
        written = operation.child("requestBody")
        if written.value is None:
            return None
        place = self._library.follow(written)
        if isinstance(place, MissingReference):
            self._collector.missing(place)
            return Body("application/json", {MISSING: place.ref}, is_required=False)
        members = mapping(place.value)
        media_type = choose_media_type(mapping(members.get("content")))
        if not media_type:
            self._findings.warning("body-invalid", place.pointer, "the request body names no media type; left out")
            return None
        content = self._followed(place.child("content", media_type))
        schema = self._schema_below(content) or {}
        return Body(
            media_type=sent_as(media_type, schema.get("format") == "binary"),
            schema=schema,
            is_required=members.get("required") is True,
            example=read_out(self.example(content), media_type),
            description=text(members.get("description")),
            parts=_parts(content) if media_type.startswith("multipart/") else EMPTY,
        )

    def response(self, status: str, written: SourcePlace, _operation: SourcePlace) -> Response:
        """The reply for `status`; one that cannot be read is kept by its status alone."""
        place = self._library.follow(written)
        if isinstance(place, MissingReference):
            self._collector.missing(place)
            return Response(status, media_type="application/json", schema={MISSING: place.ref})
        members = mapping(place.value)
        media_type = choose_media_type(mapping(members.get("content")))
        content = self._followed(place.child("content", media_type)) if media_type else None
        return Response(
            status=status,
            description=text(members.get("description")),
            media_type=media_type,
            schema=self._schema_below(content) if content else None,
            example=read_out(self.example(content), media_type) if content else None,
            headers=tuple(sorted({name.lower() for name in mapping(members.get("headers"))})),
        )

    def example(self, place: SourcePlace) -> Any:
        """The first example, `example` before `examples` and these by name; None where there is none to be used."""
        members = mapping(place.value)
        if "example" in members:
            return usable(members["example"])
        for name in sorted(mapping(members.get("examples"))):
            found = self._library.follow(place.child("examples", name))
            shown = mapping(found.value) if isinstance(found, SourcePlace) else {}
            for key in ("dataValue", "value"):
                if key in shown:
                    return usable(shown[key])
        return None

    def _followed(self, place: SourcePlace) -> SourcePlace:
        found = self._library.follow(place)
        if isinstance(found, MissingReference):
            self._collector.missing(found)
            return SourcePlace(place.document, place.tokens, None)
        return found

    def _schema_below(self, place: SourcePlace) -> Schema | None:
        members = mapping(place.value)
        if "schema" in members:
            return self._collector.schema(place.child("schema"))
        if "itemSchema" in members:  # OpenAPI 3.2: a stream of items
            return {"type": "array", "items": self._collector.schema(place.child("itemSchema"))}
        return None


def _parts(content: SourcePlace) -> Mapping[str, str]:
    """The media types that `encoding` gives the parts of a multipart body."""
    said = mapping(mapping(content.value).get("encoding"))
    told = {name: text(mapping(said[name]).get("contentType")) for name in sorted(said)}
    return {name: media_type for name, media_type in told.items() if media_type}


def usable(example: Any) -> Any:
    """An example with sorted keys; None for one that canonical JSON cannot hold."""
    try:
        return plain(example)
    except NotPlain:
        return None


def read_out(example: Any, media_type: str) -> Any:
    """What the text of an example of JSON says, where somebody pasted it as one; any other example as it is."""
    if not isinstance(example, str) or "json" not in media_type or example.lstrip()[:1] not in ("{", "["):
        return example
    try:
        return usable(json.loads(example))
    except ValueError:
        return example
