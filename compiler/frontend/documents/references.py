"""References: from `$ref` texts to places in documents, each file parsed once.

Here lives what a reference means (RFC 3986 address, RFC 6901 pointer, anchors of JSON Schema 2020-12); which files may
be opened is decided in `files`. Nothing is expanded, so that cycles are no special case.
Called by the readers of operations and schemas. What is missing comes back as a value, never as an exception: the
operation is kept and the gap reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from compiler.errors import LimitError, SpecError
from compiler.frontend.documents.dialect import Dialect, dialect_of
from compiler.frontend.documents.files import MissingFile, Root
from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.documents.parse import parse_document
from compiler.frontend.schemas.shapes import mapping
from workflow.json.pointers import escape

Json = Any
MAX_HOPS = 32  # references to references: honest ones have two or three
MAX_THROUGH = 4  # references in the middle of a pointer; each may be tried in two documents, so the work doubles
_NOWHERE = object()


@dataclass(frozen=True, slots=True, eq=False)
class SourceDocument:
    """A parsed file. `name`: how messages call it; `folder`: where its relative addresses start."""

    name: str
    folder: str
    data: Json
    dialect: Dialect


@dataclass(frozen=True, slots=True, eq=False)
class SourcePlace:
    """A value and where it stands."""

    document: SourceDocument
    tokens: tuple[str, ...]
    value: Json

    @property
    def pointer(self) -> str:
        """`file#/json/pointer`."""
        return self.document.name + "#" + "".join("/" + escape(token) for token in self.tokens)

    def child(self, *tokens: str | int) -> "SourcePlace":
        """The place below, with nothing as its value where there is none."""
        value = _walk(self.value, tuple(str(token) for token in tokens))
        return SourcePlace(self.document, (*self.tokens, *map(str, tokens)), None if value is _NOWHERE else value)


@dataclass(frozen=True, slots=True)
class MissingReference:
    """A reference that leads nowhere. `file`: the address or document that lacks it; `ref`: as written."""

    code: str
    file: str
    ref: str
    reason: str


class SourceDocuments:
    """The documents of one compile: the description and what it refers to below the root."""

    def __init__(self, root: Root, limits: ReadLimits) -> None:
        self._root = root
        self._limits = limits
        self._documents: dict[str, SourceDocument | MissingReference] = {}
        self._resolved: dict[tuple[SourceDocument, str], SourcePlace | MissingReference] = {}
        self._anchors: dict[SourceDocument, dict[str, tuple[str, ...]]] = {}
        self._bytes = self._nodes = self._lookups = 0
        self.main: SourceDocument

    def open_main(self, path: Path, data: Json, dialect: Dialect) -> SourcePlace:
        """The description itself, already read; references to its own name lead back to it."""
        real = path.resolve()
        self.main = SourceDocument(self._root.name(str(real)), str(real.parent), data, dialect)
        self._documents[str(real)] = self.main
        return SourcePlace(self.main, (), data)

    def resolve(self, ref: str, document: SourceDocument) -> SourcePlace | MissingReference:
        """What `ref`, written in `document`, stands for; the value there may be a reference itself."""
        key = (document, ref)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(ref, document, 0)
        return self._resolved[key]

    def follow(self, place: SourcePlace) -> SourcePlace | MissingReference:
        """`place`, or, when it holds a reference object, the place that it leads to in the end."""
        for _ in range(MAX_HOPS):
            ref = mapping(place.value).get("$ref")
            if not isinstance(ref, str):
                return place
            target = self.resolve(ref, place.document)
            if isinstance(target, MissingReference):
                return target
            place = target
        return MissingReference("ref-cycle", place.document.name, str(ref), "leads back to itself")

    def _resolve(self, ref: str, document: SourceDocument, hops: int) -> SourcePlace | MissingReference:
        address, _, fragment = ref.partition("#")
        target = self._document(address, document, ref) if address else document
        if isinstance(target, MissingReference):
            return self._by_identity(address, fragment, document) or target
        pointer = unquote(fragment)
        if pointer and not pointer.startswith("/"):
            tokens = self._anchors_of(target).get("#" + pointer)
            return self._at(target, tokens, hops) if tokens is not None else self._dangling(target, ref)
        tokens = tuple(_unescape(token) for token in pointer.split("/")[1:])
        found = self._at(target, tokens, hops)
        if isinstance(found, MissingReference) and target is not self.main:
            # Files split off a description by hand often go on to say `#/components/…` and mean the description.
            found = self._at(self.main, tokens, hops)
        return self._dangling(target, ref) if isinstance(found, MissingReference) else found

    def _at(self, document: SourceDocument, tokens: tuple[str, ...], hops: int) -> SourcePlace | MissingReference:
        """The value at `tokens`, going through references that stand on the way."""
        value = document.data
        for number, token in enumerate(tokens):
            inner = _step(value, token)
            if inner is _NOWHERE:
                ref = mapping(value).get("$ref")
                if not isinstance(ref, str) or hops >= MAX_THROUGH:
                    return self._dangling(document, "#/" + "/".join(tokens))
                rest = "".join("/" + escape(one) for one in tokens[number:])
                joined = ref + rest if "#" in ref else f"{ref}#{rest}"
                return self._resolve(joined, document, hops + 1)
            value = inner
        return SourcePlace(document, tokens, value)

    def _dangling(self, document: SourceDocument, ref: str) -> MissingReference:
        return MissingReference("pointer-dangling", document.name, ref, "has nothing at this place")

    def _document(self, address: str, document: SourceDocument, ref: str) -> SourceDocument | MissingReference:
        self._lookups += 1
        if self._lookups > self._limits.lookups:
            raise LimitError(f"more than {self._limits.lookups} references to files", document.name)
        path = self._root.find(address, document.folder)
        if isinstance(path, MissingFile):
            file = PurePosixPath(address).name if path.code == "file-missing" else address
            return MissingReference(path.code, file, ref, path.reason)
        if path not in self._documents:
            self._documents[path] = self._read(path, address)
        return self._documents[path]

    def _read(self, path: str, address: str) -> SourceDocument | MissingReference:
        """A file as a document. A syntax error in it is a gap; a limit ends the compile, since a thousand could follow.

        Raises LimitError.
        """
        name = self._root.name(path)
        try:
            raw = self._root.read(path)
            parsed = parse_document(raw, name, self._limits)
        except LimitError:
            raise
        except (OSError, SpecError) as error:
            return MissingReference("file-unreadable", address, address, str(error))
        self._bytes += len(raw)
        self._nodes += parsed.nodes
        self._check_totals(name)
        dialect = dialect_of(parsed.data, self.main.dialect) or self.main.dialect
        return SourceDocument(name, str(Path(path).parent), parsed.data, dialect)

    def _check_totals(self, name: str) -> None:
        limits = self._limits
        if self._bytes > limits.total_bytes or self._nodes > limits.total_nodes or len(self._documents) > limits.files:
            message = f"the files together go beyond {limits.files} files, {limits.total_bytes} bytes or "
            raise LimitError(f"{message}{limits.total_nodes} values", name)

    def _by_identity(self, address: str, fragment: str, document: SourceDocument) -> SourcePlace | None:
        """The schema with this `$id`, in the referring file or the description; or a component with this bare name."""
        for holder in (document, self.main):
            tokens = self._anchors_of(holder).get(address)
            if tokens is not None:
                inner = tuple(_unescape(token) for token in unquote(fragment).split("/")[1:])
                found = self._at(holder, (*tokens, *inner), 0)
                return found if isinstance(found, SourcePlace) else None
        if fragment or "/" in address or "." in address:
            return None
        for parent in (("components", "schemas"), ("definitions",)):
            found = self._at(self.main, (*parent, address), MAX_THROUGH)
            if isinstance(found, SourcePlace):
                return found
        return None

    def _anchors_of(self, document: SourceDocument) -> dict[str, tuple[str, ...]]:
        """`#anchor` and `$id` → where it stands; the first in order of the keys."""
        if document not in self._anchors:
            found: dict[str, tuple[str, ...]] = {}
            self._anchors[document] = found
            for tokens, members in _mappings(document.data):
                for keyword, prefix in (("$anchor", "#"), ("$dynamicAnchor", "#"), ("$id", "")):
                    name = members.get(keyword)
                    if isinstance(name, str):
                        found.setdefault(prefix + name, tokens)
        return self._anchors[document]


def _mappings(data: Json) -> Iterator[tuple[tuple[str, ...], dict[str, Json]]]:
    waiting: list[tuple[tuple[str, ...], Json]] = [((), data)]
    while waiting:
        tokens, value = waiting.pop()
        if isinstance(value, dict):
            yield tokens, value
            waiting += [((*tokens, key), value[key]) for key in sorted(value, reverse=True)]
        elif isinstance(value, list):
            waiting += [((*tokens, str(number)), one) for number, one in enumerate(value)]


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _walk(value: Json, tokens: tuple[str, ...]) -> Json:
    for token in tokens:
        value = _step(value, token)
        if value is _NOWHERE:
            return _NOWHERE
    return value


def _step(value: Json, token: str) -> Json:
    if isinstance(value, dict):
        return value.get(token, _NOWHERE)
    if isinstance(value, list) and token.isascii() and token.isdigit() and len(token) < 10 and int(token) < len(value):
        return value[int(token)]
    return _NOWHERE
