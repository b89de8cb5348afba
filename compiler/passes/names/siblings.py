"""Operations that stand beside the address of what they are about, and not at it.

`/containers/{id}/json` shows what is deleted at `/containers/{id}`, `/containers/json` lists such things, and
`/containers/create` makes one. `/vm.info` or `/system/status` shows the one thing that `/vm.boot` or `/system/reboot`
is done to, though nothing stands at `/vm` or `/system`. Told by the words of addresses and by what else is there; what
has a read at its own address keeps it. Pure over operations.
Called by `effects` (what makes and what deletes) and by `resources` (what belongs together).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from compiler.ir.model import Diagnostic, Operation, Resource, Severity
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import (
    GROUPING,
    ends_in_parameter,
    is_below,
    last_word,
    parent,
    path_of,
    prefixes,
    shape,
    stem,
)
from compiler.passes.names.post_lists import is_asked_by_post, lists_by_post
from compiler.passes.names.roots import is_root
from workflow.documents.operations import SAFE_METHODS

# Words of reads that show the thing itself, the plainest first; of several the first one is taken.
_SHOWING = (("json", "describe", "inspect"), ("show", "get", "read", "view"), ("info", "details", "detail"))
_STANDING = ("status", "state")  # how it is: the thing itself where there is nothing else to be read of it
_LISTING = ("json", "list", "all", "index")
_MAKING = ("create", "new", "add")
_MAKING_ONE = ("create",)  # of a thing of which there is one: what is added to it is a part of it
_DELETING = ("delete",)
_REMEDY = "say in the profile's `identity.read_at` what shows the thing at that address, or that nothing does"
_EMPTY = ("204", "205")
_WRITES = ("POST", "PUT")
_ONLY_READ = frozenset(SAFE_METHODS)

Methods = Mapping[str, Operation]


@dataclass(slots=True)
class Siblings:
    """What is beside which address, by the address's shape.

    `addresses`: how the address itself is written. `singles`: those of things of which there is one.
    """

    shown: dict[str, Operation] = field(default_factory=dict)
    listed: dict[str, Operation] = field(default_factory=dict)
    made: dict[str, Operation] = field(default_factory=dict)
    deleted: dict[str, Operation] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    singles: set[str] = field(default_factory=set)

    @property
    def borrowed(self) -> frozenset[str]:
        """The shapes of the addresses at which the things and their lists are read."""
        return frozenset(shape(read.path) for read in (*self.shown.values(), *self.listed.values()))

    def makes(self, key: str) -> bool:
        return any(one.key == key for one in self.made.values())

    def deletes(self, key: str) -> bool:
        return any(one.key == key for one in self.deleted.values())

    def put(self, into: dict[str, Operation], address: str, path: str, operation: Operation) -> None:
        """`path`: how the address is written."""
        into[address] = operation
        self.addresses.setdefault(address, path)


def siblings_of(operations: Iterable[Operation], schemas: SharedSchemas, told: Mapping[str, str]) -> Siblings:
    """All that is found so. `told`: address of a thing → the key of what shows it, "" where nothing does."""
    seeker = _Seeker(tuple(operations), schemas, told)
    found = Siblings()
    for at in sorted({*seeker.below, *seeker.told}):
        if ends_in_parameter(at):
            seeker.of_item(at, found)
    for at in sorted({parent(item) for item in {*seeker.places, *found.shown} if ends_in_parameter(item)}):
        seeker.of_collection(at, found)
    for at, operation in lists_by_post(seeker.operations, schemas).items():
        if is_asked_by_post(operation) and at not in found.listed:
            found.put(found.listed, at, parent(operation.path), operation)
    for at in sorted({*seeker.below, *seeker.dotted, *seeker.told}):
        seeker.of_single(at, found)
    return found


class _Seeker:
    """`places`: by shape, then method; `below`: by the shape above, then the last segment; `dotted`: by its stem.

    `leading`: shapes below which something stands; `told`: by shape, the address as it was told and what shows it.
    """

    def __init__(self, operations: tuple[Operation, ...], schemas: SharedSchemas, told: Mapping[str, str]) -> None:
        self.schemas = schemas
        self.operations = operations
        known = {operation.key: operation for operation in operations}
        self.told = {shape(at): (at, known.get(key)) for at, key in told.items()}
        self.places: dict[str, dict[str, Operation]] = {}
        self.below: dict[str, dict[str, Methods]] = {}
        self.dotted: dict[str, dict[str, Methods]] = {}
        self.leading: set[str] = set()
        for operation in operations:
            self.places.setdefault(shape(operation.path), {}).setdefault(operation.method, operation)
        for at, methods in self.places.items():
            self.leading.update(prefixes(at))
            self.below.setdefault(parent(at), {})[at.rpartition("/")[2].lower()] = methods
            if stem(at):
                self.dotted.setdefault(stem(at), {})[at.rpartition(".")[2].lower()] = methods

    def of_item(self, at: str, found: Siblings) -> None:
        """One of many, that is changed, deleted or acted on at its address, and read beside it."""
        beside, own = self.below.get(at, {}), self.places.get(at, {})
        if at in self.told:
            self._as_told(at, found)
        elif "GET" not in own:
            is_acted_on = any(method not in SAFE_METHODS for method in own) or any(self._actions(beside))
            read = self._read(beside, is_acted_on)
            if read is not None:
                found.put(found.shown, at, parent(read.path), read)
        if "DELETE" not in own and ("GET" in own or at in found.shown):
            self._word(at, beside, _DELETING, (*_WRITES, "DELETE"), found.deleted)

    def of_collection(self, at: str, found: Siblings) -> None:
        """What lists the things, where nothing does so at the address above them, and what makes one."""
        if not at or ends_in_parameter(at):
            return
        beside, own = self.below.get(at, {}), self.places.get(at, {})
        lists = (self._bare_get(beside.get(word, {})) for word in _LISTING)
        listed = next((each for each in lists if each is not None and self._may_be(each, "array", "object")), None)
        if "GET" not in own and listed is not None:
            found.put(found.listed, at, parent(listed.path), listed)
        item = f"{at}/{{}}"
        is_read = "GET" in self.places.get(item, {}) or item in found.shown
        if is_read and "POST" not in own and ("GET" in own or at in found.listed):
            self._word(at, beside, _MAKING, _WRITES, found.made)

    def of_single(self, at: str, found: Siblings) -> None:
        """The one thing that is shown by one of the words below an address at which nothing stands."""
        beside = {**self.below.get(at, {}), **self.dotted.get(at, {})}
        if at in self.told:
            is_found = not ends_in_parameter(at) and self._as_told(at, found)
        else:
            is_found = self._may_be_single(at) and self._shows_single(at, beside, found)
        if is_found:
            found.singles.add(at)
            self._word(at, beside, _MAKING_ONE, _WRITES, found.made)
            self._word(at, beside, _DELETING, (*_WRITES, "DELETE"), found.deleted)

    def _as_told(self, at: str, found: Siblings) -> bool:
        """Whether something shows it: a read below its address, since that has to say which one is meant."""
        address, read = self.told[at]
        if read is None or read.method != "GET" or not (is_below(shape(read.path), at) or stem(shape(read.path)) == at):
            return False
        found.put(found.shown, at, address, read)
        return True

    def _may_be_single(self, at: str) -> bool:
        name = at.rpartition("/")[2]
        is_many = words.singular(name) != name or f"{at}/{{}}" in self.places or f"{at}/{{}}" in self.leading
        return not (not name or "{" in at or at in self.places or is_many or is_root(at) or name.lower() in GROUPING)

    def _shows_single(self, at: str, beside: Mapping[str, Methods], found: Siblings) -> bool:
        telling = (word for group in (*_SHOWING, _STANDING) for word in group)
        reads = [read for word in telling if (read := self._bare_get(beside.get(word, {}))) is not None]
        reads = [read for read in reads if self._may_be(read, "object") and not _asks_which(read)]
        if len(reads) != 1 or not any(self._actions(beside)):
            return False
        above = parent(reads[0].path)
        found.put(found.shown, at, above if shape(above) == at else stem(reads[0].path), reads[0])
        return True

    def _read(self, beside: Mapping[str, Methods], is_acted_on: bool) -> Operation | None:
        """The read that shows the thing itself; how it is counts as that where nothing else is read of it.

        Of what nothing is done to only words that say nothing by themselves do.
        """
        for word in (word for group in (_SHOWING if is_acted_on else _SHOWING[:-1]) for word in group):
            read = self._bare_get(beside.get(word, {}))
            if read is not None and self._may_be(read, "object"):
                return read
        reads = [methods["GET"] for methods in beside.values() if "GET" in methods] if is_acted_on else []
        told = (self._bare_get(beside.get(word, {})) for word in _STANDING)
        return next((r for r in told if r is not None and [r] == reads and self._may_be(r, "object")), None)

    def _word(
        self,
        at: str,
        beside: Mapping[str, Methods],
        said: tuple[str, ...],
        ways: tuple[str, ...],
        into: dict[str, Operation],
    ) -> None:
        """What is said by one of the words, and shows or holds nothing itself."""
        for word in said:
            methods = beside.get(word, {})
            written = [methods[way] for way in ways if way in methods]
            if len(written) == 1 and "GET" not in methods and not self._asks_for_more(written[0], said == _DELETING):
                into[at] = written[0]
                return

    def _asks_for_more(self, operation: Operation, is_deletion: bool) -> bool:
        """Whether a deletion wants to be told what else is meant: then it is none of the thing alone."""
        required = self.schemas.required(operation.body.schema) if operation.body is not None else ()
        return is_deletion and (bool(required) or _asks_which(operation))

    def _actions(self, beside: Mapping[str, Methods]) -> Iterator[Operation]:
        """What is only done there: nothing can be read at the address, and nothing stands below it."""
        for methods in beside.values():
            acting = [one for method, one in methods.items() if method not in SAFE_METHODS]
            if acting and "GET" not in methods and not ends_in_parameter(acting[0].path):
                yield from () if shape(acting[0].path) in self.leading else acting

    def _bare_get(self, methods: Methods) -> Operation | None:
        """The read, where nothing else is done at its address and nothing stands below it."""
        read = methods.get("GET")
        is_bare = read is not None and _ONLY_READ.issuperset(methods) and shape(read.path) not in self.leading
        return read if is_bare else None

    def _may_be(self, read: Operation, *kinds: str) -> bool:
        """Whether its answer can be read as one of these; what nobody described may be anything."""
        reply = read.success
        if reply is None or reply.status in _EMPTY or (reply.media_type and "json" not in reply.media_type):
            return False
        return self.schemas.kind(reply.schema) in ("", *kinds)


def _asks_which(read: Operation) -> bool:
    """Whether the query has to say which one is meant: then there are many."""
    return any(parameter.location == "query" and parameter.is_required for parameter in read.parameters)


def assumed(found: Siblings, told: Mapping[str, str]) -> Iterator[Diagnostic]:
    """A note for each operation that is taken for one of a thing at another address, unless the profile says so."""
    known = {shape(at) for at in told}
    for does, operations in (
        ("shows", found.shown),
        ("lists", found.listed),
        ("makes", found.made),
        ("deletes", found.deleted),
    ):
        for at, operation in operations.items():
            if at not in known:
                word = last_word(operation.path).rpartition(".")[2]
                text = f"by its word “{word}” assumed that it {does} what stands at {found.addresses.get(at, at)}"
                yield Diagnostic("place-assumed", Severity.NOTE, operation.key, text, _REMEDY)


def is_read_beside(resource: Resource) -> bool:
    """Whether the thing is read elsewhere than at its address."""
    return bool(resource.read and resource.item) and shape(path_of(resource.read)) != shape(resource.item)


def is_listed_beside(resource: Resource) -> bool:
    return bool(resource.list and resource.collection) and shape(path_of(resource.list)) != shape(resource.collection)


def shown_as(resource: Resource) -> str:
    """`status` where no more is shown of the thing, `info` of the only one of its kind; "" of the thing itself."""
    word = last_word(path_of(resource.read)).rpartition(".")[2].lower() if is_read_beside(resource) else ""
    said = _STANDING if resource.id_parameter else (*_STANDING, *_SHOWING[-1])
    return word if word in said else ""
