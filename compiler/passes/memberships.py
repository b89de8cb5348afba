"""Memberships: lists of things that live elsewhere, and the writes that put one in or take one out.

`POST /users/{id}/role-mappings` with a role in its body makes no role: it gives the user one that there is. Told by
what the description shows alone: the list's things are those of another collection, and what is sent to the list (or
what its address names) is such a thing. Pure look-ups over an understood Api; the planner names and plans by them, the
twin plays them. Here lives no vendor's word.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compiler.ir.model import Api, Operation, Resource
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import (
    ends_in_parameter,
    item_prefixes,
    last_word,
    parameter_of,
    prefixes,
    segments,
    shape,
)

_PUTTING_IN = frozenset({"add", "assign", "attach", "grant", "link", "map", "associate", "bind", "enroll", "join"})
# What a list of things that live elsewhere is called, and what says nothing more than that it is one.
_OF_LISTS = frozenset({"mapping", "member", "membership", "assignment", "association", "binding", "attachment", "link"})


@dataclass(frozen=True, slots=True)
class ListMembership:
    """`listed`: the list; `home`: where its things live; `holder`: whose list it is, None at the top.

    `puts_in` and `takes_out` are operations ("" for none), `bodies` those of them whose body names the thing: with all
    that is known of it, or by its id in the one member `member`; else the last part of the address does. `takes_many`:
    such a body is a list of things.
    """

    listed: Resource
    home: Resource
    holder: Resource | None
    puts_in: str
    takes_out: str
    bodies: frozenset[str]
    takes_many: bool = False
    member: str = ""

    @property
    def within(self) -> str:
        """Which of its holder's lists it is, where that says something: `scope mappings`; else ""."""
        above = segments(self.holder.item) if self.holder else ()
        parts = segments(self.listed.collection)[len(above) :]
        said = [part for part in parts if not parameter_of(part) and not self._is_of_home(part)]
        known = words.singulars(self.home.noun) | words.singulars(self.home.name) | _OF_LISTS
        return " ".join(words.spoken(part) for part in said if not words.singulars(part) <= known)

    def _is_of_home(self, part: str) -> bool:
        """Whether a part of the address says in which collection the things live (`clients`, `realm`)."""
        named = {word for each in segments(self.home.collection) for word in words.singulars(each)}
        return words.singulars(part) <= named


def memberships(api: Api) -> tuple[ListMembership, ...]:
    """All that the description shows, in the order of the resources."""
    return tuple(_Finder(api).found())


class _Finder:
    def __init__(self, api: Api) -> None:
        self.schemas = SharedSchemas(api.schemas)
        self.resources = api.resources
        self.operations = {operation.key: operation for operation in api.operations}
        self.by_item = {shape(r.item): r for r in api.resources if r.item and r.id_parameter}
        self.links = {(link.target, link.into): link.source for link in api.links}
        self.by_source = {r.source: r for r in api.resources if r.source}
        self.of: dict[str, list[Resource]] = {}
        for resource in api.resources:
            component = self.schemas.component(resource.schema)
            if component and resource.list and resource.id_field and not resource.references:
                self.of.setdefault(component, []).append(resource)

    def found(self) -> Iterator[ListMembership]:
        for component, lists in self.of.items():
            if len(lists) < 2:  # its things live nowhere else
                continue
            writes = {id(r): self._writes(r, component) for r in lists}
            homes = [r for r in lists if not any(writes[id(r)]) and r.natural_keys and (r.read or r.create)]
            for listed in lists:
                puts_in, takes_out = writes[id(listed)]
                home = self._home(listed, homes) if puts_in or takes_out else None
                is_named = puts_in != listed.create or not listed.item or bool(home and self._member(listed, home))
                if home is not None and is_named:
                    yield self._membership(listed, home, puts_in, takes_out)

    def _membership(self, listed: Resource, home: Resource, puts_in: str, takes_out: str) -> ListMembership:
        named = [key for key in (puts_in, takes_out) if key and (not listed.item or key == listed.create)]
        bodies = [body for key in named if (body := self.operations[key].body) is not None]
        takes_many = any(self.schemas.element(body.schema) is not None for body in bodies)
        member = self._member(listed, home) if puts_in and puts_in == listed.create and listed.item else ""
        return ListMembership(
            listed, home, self._holder(listed), puts_in, takes_out, frozenset(named), takes_many, member
        )

    def _member(self, listed: Resource, home: Resource | None = None) -> str:
        """The one member of a creation's body, where that is the id of a thing that lives elsewhere (at `home`)."""
        made = self.operations.get(listed.create)
        members = list(self.schemas.members(made.body.schema)) if made is not None and made.body is not None else []
        needed = self._needed_by(listed.create, f"body#/{members[0]}") if len(members) == 1 else None
        is_there = needed is not None and needed is not listed and (home is None or needed is home)
        return members[0] if is_there else ""

    def _writes(self, listed: Resource, component: str) -> tuple[str, str]:
        """What puts a thing into the list and what takes one out, where these are no creation and no deletion."""
        if listed.item:
            return self._writes_by_address(listed)
        puts_in = self._taking(f"POST {listed.collection}", component)
        takes_out = self._taking(f"DELETE {listed.collection}", component)
        if takes_out:  # nobody sends a thing that is to be destroyed
            return puts_in, takes_out
        made = self.operations.get(puts_in)
        return (puts_in, "") if made is not None and self._is_said_to_put_in(made) else ("", "")

    def _writes_by_address(self, listed: Resource) -> tuple[str, str]:
        """`PUT /users/{id}/groups/{groupId}` without a body, where nothing can be read or made."""
        if listed.read:
            return "", ""
        if listed.create:
            return (listed.create, listed.delete) if self._member(listed) else ("", "")
        put = self.operations.get(listed.update)
        is_bare = put is not None and put.body is None and put.method == "PUT"
        if listed.update and not is_bare:
            return "", ""
        return listed.update, listed.delete

    def _taking(self, key: str, component: str) -> str:
        """The operation where its body is such a thing, or a list of them; else ""."""
        operation = self.operations.get(key)
        if operation is None or operation.body is None or operation.left_out:
            return ""
        schema = operation.body.schema
        return key if self.schemas.component(self.schemas.element(schema) or schema) == component else ""

    def _is_said_to_put_in(self, operation: Operation) -> bool:
        said = (operation.summary, operation.name, operation.description)
        first = [words.split(text)[:1] for text in said if text]
        is_many = operation.body is not None and self.schemas.element(operation.body.schema) is not None
        return is_many and any(each and each[0] in _PUTTING_IN for each in first)

    def _home(self, listed: Resource, homes: Sequence[Resource]) -> Resource | None:
        """Where the things live: below what the list's address ends in or says last, else as near as can be."""
        owners = self._owners(listed.list)
        known = {at: place for place, at in enumerate(owners)}
        last = words.singular(last_word(listed.collection)).lower()
        best: tuple[tuple[bool, bool, int], Resource] | None = None
        for home in homes:
            above = self._owners(home.list)
            if not set(above) <= known.keys():
                continue  # whoever names the list has not said where to look
            nearest = max((known[at] for at in above), default=-1)
            ends = ends_in_parameter(listed.collection) and nearest == len(owners) - 1
            owner = self.by_item.get(above[-1]) if above else None
            is_told = owner is not None and words.singular(owner.noun).lower() == last
            weight = (ends, is_told, nearest)
            if best is None or weight > best[0]:
                best = (weight, home)
        return best[1] if best else None

    def _owners(self, key: str) -> list[str]:
        return [at for _, at in owners(key, self._needed_by, self.by_item)]

    def _needed_by(self, key: str, into: str) -> Resource | None:
        return self.by_source.get(self.links.get((key, into), ""))

    def _holder(self, listed: Resource) -> Resource | None:
        above = (self.by_item.get(shape(prefix)) for prefix in prefixes(listed.collection))
        return next((holder for holder in above if holder is not None), None)


def owners(
    key: str, needed_by: Callable[[str, str], Resource | None], by_item: Mapping[str, Resource]
) -> list[tuple[str, str]]:
    """(parameter, shape of the item's address) of each thing that the operation's address names, outermost first.

    Of a parameter that nobody knows the shape is its own address.
    """
    found = []
    for prefix, name in item_prefixes(key.partition(" ")[2]):
        owner = needed_by(key, f"path.{name}") or by_item.get(shape(prefix))
        found.append((name, shape(owner.item) if owner is not None else shape(prefix)))
    return found


def by_operation(api: Api) -> Mapping[str, ListMembership]:
    """Each write with the membership that it changes."""
    return {key: one for one in memberships(api) for key in (one.puts_in, one.takes_out) if key}
