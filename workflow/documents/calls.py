"""Which operation, of which source, a step calls.

Here lives following `operationPath` and `operationId` (Arazzo 1.1, "Step Object"); what is to be sent is in
`plan`. An `operationPath` says method and path itself and needs no description of the API; an `operationId` does.
Called by `plan` and, through it, by `checks`.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from workflow.documents.document import Document, SourceDescription, Step
from workflow.documents.operations import METHODS, OperationFacts, OperationIndex, is_method
from workflow.documents.path_queries import parted
from workflow.errors import DocumentError
from workflow.json.pointers import escape, parse_pointer

_OPERATION_PATH = re.compile(
    r"(?:\{\$sourceDescriptions\.([A-Za-z0-9_\-]+)\.url\}|\$sourceDescriptions\.([A-Za-z0-9_\-]+?)(?:\.url)?)#(/paths/.*)"
)
# Dot segments lead elsewhere, the others end a path or break a request line.
_UNFIT_PATH = re.compile(r"[\x00-\x20\x7f\\]|(?:^|/)\.{1,2}(?:/|$)")
_UNFIT_QUERY = re.compile(r"[\x00-\x20\x7f\\]")
_QUALIFIED_ID = re.compile(r"\$sourceDescriptions\.([A-Za-z0-9_\-]+)\.(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """`facts` is None where no description of the API is at hand."""

    source: str
    method: str
    path: str
    facts: OperationFacts | None

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


def find_call(document: Document, step: Step, operations: OperationIndex | None) -> Call:
    """The operation that an OpenAPI step names. Raises DocumentError, without a pointer, if it leads nowhere."""
    if step.operation_path is not None:
        return _by_path(document, step.operation_path, operations)
    return _by_id(document, step.operation_id or "", operations)


def _by_path(document: Document, text: str, operations: OperationIndex | None) -> Call:
    found = _OPERATION_PATH.fullmatch(text)
    if not found:
        raise DocumentError(f"{text!r} names no operation; write {{$sourceDescriptions.NAME.url}}#/paths/~1x/get")
    source = _source(document, found[1] or found[2])
    parts = parse_pointer(unquote(found[3]))
    method, path = _method(parts), parts[1]
    if not method or not path.startswith("/"):
        raise DocumentError(f"{found[3]!r} is not the pointer of an operation; write #/paths/~1x/get")
    address, query = parted(path)
    if _UNFIT_PATH.search(address) or _UNFIT_QUERY.search(query):
        raise DocumentError(f"the path {path!r} holds what no path may; correct it")
    facts = operations.by_key(f"{method} {path}") if operations else None
    if operations is not None and facts is None:
        raise DocumentError(f"the API has no operation {method} {path}; name one that it has")
    return Call(source.name, method, path, facts)


def pointer_of(method: str, path: str) -> str:
    """Where an operation stands in its description; methods of other names have a place of their own (OpenAPI 3.2)."""
    place = method.lower() if method in METHODS else f"additionalOperations/{escape(method)}"
    return f"/paths/{escape(path)}/{place}"


def _method(parts: tuple[str, ...]) -> str:
    """The method that a pointer below `/paths` ends in, "" for the pointer of something else."""
    if len(parts) == 3 and parts[2].upper() in METHODS:
        return parts[2].upper()
    is_further = len(parts) == 4 and parts[2] == "additionalOperations" and is_method(parts[3])
    return parts[3] if is_further else ""


def _by_id(document: Document, text: str, operations: OperationIndex | None) -> Call:
    found = _QUALIFIED_ID.fullmatch(text)
    source = _source(document, found[1]) if found else _only_source(document, text)
    operation_id = found[2] if found else text
    if operations is None:
        raise DocumentError(f"the operation {operation_id} is known by its id only; give the API's description, too")
    facts = operations.by_id(operation_id)
    if facts is None:
        raise DocumentError(f"the API has no single operation {operation_id}; name one that it has")
    return Call(source.name, facts.method, facts.path, facts)


def _source(document: Document, name: str) -> SourceDescription:
    source = next((each for each in document.source_descriptions if each.name == name), None)
    if source is None:
        raise DocumentError(f"there is no source description {name}; add it or correct the name")
    if source.type not in ("openapi", None):
        raise DocumentError(f"the source {name} is of type {source.type}; only openapi sources are executed here")
    return source


def _only_source(document: Document, operation_id: str) -> SourceDescription:
    sources = [each for each in document.source_descriptions if each.type != "arazzo"]
    if len(sources) != 1:
        raise DocumentError(f"{operation_id} may be of any source; write $sourceDescriptions.NAME.{operation_id}")
    return _source(document, sources[0].name)
