"""What the validator of the specification's own version objects to; asked by `lint`, never by a compile.

Here lives the one use of openapi-spec-validator (openapi-core stands on it). It takes up to a second on a thousand
operations and stops at the first reference that leads nowhere, so the compile goes by `keywords` instead, which
repairs. By itself it would open files and addresses that a reference names (THREATS.md B3): it is given a sealed copy,
in which such references are stubs, so that nothing is left to open.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from openapi_spec_validator import (
    OpenAPIV2SpecValidator,
    OpenAPIV30SpecValidator,
    OpenAPIV31SpecValidator,
    OpenAPIV32SpecValidator,
)
from openapi_spec_validator.validation.validators import SpecValidator
from referencing.exceptions import Unresolvable

from compiler.frontend.documents.dialect import Dialect, require_dialect
from compiler.frontend.documents.files import Root, read_given
from compiler.frontend.documents.limits import DEFAULT_LIMITS, ReadLimits
from compiler.frontend.documents.parse import parse_document
from compiler.frontend.documents.references import MissingReference, SourceDocument, SourceDocuments
from compiler.frontend.schemas.shapes import text
from compiler.ir.model import Diagnostic, Severity
from workflow.json.pointers import escape

_KINDS: dict[Dialect, type[SpecValidator]] = {
    Dialect.SWAGGER_2: OpenAPIV2SpecValidator,
    Dialect.OPENAPI_30: OpenAPIV30SpecValidator,
    Dialect.MODERN: OpenAPIV31SpecValidator,
}
_LONGEST = 240  # characters of a message
# What stands in for a reference that leaves the document, by the member that holds it; a schema may be empty.
_STUBS: dict[str, Any] = {
    "parameters": {"name": "stub", "in": "query", "schema": {}},
    "requestBody": {"content": {}},
    "requestBodies": {"content": {}},
    "responses": {"description": ""},
}
_SWAGGER_STUBS: dict[str, Any] = {**_STUBS, "parameters": {"name": "stub", "in": "query", "type": "string"}}


def objections(path: Path, *, most: int = 50, limits: ReadLimits = DEFAULT_LIMITS) -> tuple[Diagnostic, ...]:
    """At most `most` objections, in the document's order. Raises SpecError, LimitError as `load_api` does."""
    data = parse_document(read_given(path, limits.json_bytes), path.name, limits).data
    dialect = require_dialect(data, path.name)
    kind = OpenAPIV32SpecValidator if text(data.get("openapi")).startswith("3.2") else _KINDS[dialect]
    library = SourceDocuments(Root(path.resolve().parent, limits), limits)
    document = library.open_main(path, data, dialect).document
    sealed = _Seal(library, document).copy(data, "")
    return tuple(islice(_objections(kind, sealed, path.name), most))


def _objections(kind: type[SpecValidator], data: Any, source: str) -> Iterator[Diagnostic]:
    """Faults of structure; only where there are none, also those that take following references."""
    is_sound = True
    for error in kind.schema_validator.iter_errors(data):
        is_sound = False
        yield _diagnostic(error, source)
    if not is_sound:
        return
    try:
        for error in kind(data).iter_errors():
            yield _diagnostic(error, source)
    except (Unresolvable, RecursionError) as error:
        message = f"the rest could not be judged: {type(error).__name__}"
        yield Diagnostic("not-judged", Severity.NOTE, source, message, "see the other findings first")


def _diagnostic(error: Any, source: str) -> Diagnostic:
    pointer = "".join("/" + escape(str(part)) for part in getattr(error, "absolute_path", ()))
    # Some validators quote the whole value before they say what is wrong with it, and explain on further lines.
    message = str(getattr(error, "message", error)).partition("\n")[0]
    if len(message) > _LONGEST:
        message = f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
    return Diagnostic("not-valid", Severity.WARNING, f"{source}#{pointer}", message, "correct the description")


class _Seal:
    """Copies a document so that every reference left in it leads to a place in it."""

    def __init__(self, library: SourceDocuments, document: SourceDocument) -> None:
        self._library = library
        self._document = document
        self._stubs = _SWAGGER_STUBS if document.dialect is Dialect.SWAGGER_2 else _STUBS

    def copy(self, value: Any, holder: str) -> Any:
        """`holder`: the nearest member's name above, by which the stub is chosen."""
        if isinstance(value, list):
            return [self.copy(one, holder) for one in value]
        if not isinstance(value, dict):
            return value
        ref = value.get("$ref")
        if isinstance(ref, str) and self._leaves(ref):
            return self._stubs.get(holder, {})
        return {key: self.copy(one, holder if holder == "responses" else key) for key, one in value.items()}

    def _leaves(self, ref: str) -> bool:
        if not ref.startswith("#/"):
            return True
        return isinstance(self._library.resolve(ref, self._document), MissingReference)
