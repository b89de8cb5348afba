"""Links: which operation makes the values that another one needs.

Before: resources and jobs. After: `Api.links`, each with its evidence. Three kinds of need are met: a path parameter
(by the collection in which the item stands), a body member that names another thing (by that thing's collection), and
a job's handle (by the change that started it). Evidence, strongest first: the profile's synonyms, the path, a mention
of `Noun.id` in the member's description, the words of the name.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from compiler.ir.model import Api, Effect, Link, Operation, Resource, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.identity import is_a_name
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, item_prefixes, path_of, segments, shape
from compiler.passes.outcome import Options, PassOutcome

_ID_WORDS = frozenset({"uuid", "uuids", "id", "ids", "guid", "guids", "ref"})
_MENTION = re.compile(r"_?\b([A-Z]\w+)\.(\w+?)\b_?")
_SAYS_ID = re.compile(r"\bid\b", re.IGNORECASE)
_SAYS_LITTLE = frozenset(
    (
        "id",
        "identifier",
        "uuid",
        "guid",
        "the",
        "a",
        "an",
        "of",
        "unique",
        "object",
        "resource",
        "item",
        "entity",
        "path",
    )
)
_DEPTH = 2  # members deeper in a body than this are given by callers as they are
_MOST_MEMBERS = 3_000  # of one body: wide schemas in wide schemas would multiply


@dataclass(frozen=True, slots=True)
class Referent:
    """The resource that a name means, with the evidence for it."""

    resource: Resource
    evidence: str
    score: float


class Referents:
    """Finds what a name refers to among the resources that can be listed."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        listed = (r for r in resources if r.source and r.id_field)
        # What `/resources/service/{serviceId}` lists is found by a service, and tells of no service.
        self.listed = tuple(r for r in listed if r.item or not ends_in_parameter(r.collection))
        self._by_synonym: dict[str, list[Resource]] = {}
        shared = _shared_parameters(resources)
        for resource in self.listed:
            for name in resource.synonyms:
                if name not in shared or _is_called_by(resource, name):
                    self._by_synonym.setdefault(name, []).append(resource)
        self._by_noun = {r.noun: r for r in reversed(self.listed)}

    def find(self, name: str, description: str = "", path: str = "") -> Referent | None:
        """The best referent of a member or parameter called `name`, None where nothing speaks for one.

        `path`: where it is asked for. `{clusterId}` means another thing below `/storage` than below `/compute`.
        """
        said = words.split(name)
        meant = self._by_synonym.get(name)
        if not meant and len(said) > 1 and said[-1] == "key":  # `zone_key` in a body, `{zoneKey}` in the address
            meant = next((known for other, known in self._by_synonym.items() if words.split(other) == said), None)
        if meant:
            # The collection that holds the things themselves wins over statistics about them.
            best = max(meant, key=_weight)
            known = max(
                (r for r in meant if r.noun == best.noun),
                key=lambda r: (_together(r.collection or r.item, path), _weight(r), -r.collection.count("{")),
            )
            return Referent(known, f"“{name}” is a name for the id of {known.noun}", 1.0)
        if not said or said[-1] not in _ID_WORDS or len(said) < 2:
            return None
        found = self._by_mention(description) or self._by_words(said[:-1], name)
        # `{role-id}` is no place for the name by which another address knows a role.
        return found if found and not is_a_name(found.resource.id_field) else None

    def after(self, prefix: str, name: str) -> Referent | None:
        """What `…/clients/{client}` means where no client stands there: one of those that are listed as `clients`."""
        noun = segments(prefix)[-2:-1]
        one = words.split(words.singular(noun[0])) if noun else ()
        if not one or words.split(name) != one or words.singular(noun[0]) == noun[0]:
            return None  # `…/protocol/{protocol}` is a word that is told, and no collection
        same = [r for r in self.listed if r.noun == noun[0] and r.natural_keys and not is_a_name(r.id_field)]
        best = min(same, key=lambda r: (r.collection.count("{"), r.collection), default=None)
        return Referent(best, f"{{{name}}} stands behind {best.noun}", 0.5) if best else None

    def called(self, name: str, description: str) -> Referent | None:
        """What a number means that is called `server` or `server_id`, and is said to be an id."""
        said = words.split(name)
        said = said[:-1] if said[-1:] in (("id",), ("ID",)) else said
        if not said or not _SAYS_ID.search(description):
            return None
        same = [r for r in self.listed if words.split(words.singular(r.noun)) == said and r.natural_keys]
        best = min(same, key=lambda r: (r.collection.count("{"), r.collection), default=None)
        return Referent(best, f"“{name}” is an id of {best.noun}, as its description says", 0.8) if best else None

    def elsewhere(self, name: str, here: Resource | None) -> Referent | None:
        """The things that can be put into the collection `here`: those of the name's words that it does not hold."""
        said = words.split(name)
        is_id = len(said) > 1 and said[-1] in _ID_WORDS
        found = self._by_words(said[:-1], name, without=here.collection if here else "") if is_id else None
        return found if found and not is_a_name(found.resource.id_field) else None

    def _by_mention(self, description: str) -> Referent | None:
        for noun, member in _MENTION.findall(description):
            resource = self._by_noun.get(noun)
            if resource and member == resource.id_field:
                return Referent(resource, f"its description mentions {noun}.{member}", 0.9)
        return None

    def _by_words(self, said: tuple[str, ...], name: str, without: str = "") -> Referent | None:
        best: Referent | None = None
        for resource in self.listed:
            if without and resource.collection == without:
                continue
            noun = words.split(words.singular(resource.noun))
            if noun[-len(said) :] == said or said[-len(noun) :] == noun:
                score = 0.5 + 0.3 * min(len(said), len(noun)) / max(len(said), len(noun))
                # Of equals the one nearest to the top: `userId` means a user, not a role's user.
                depth = resource.collection.count("{")
                nearest = best.resource.collection.count("{") if best else depth
                if best is None or score > best.score or (score == best.score and depth < nearest):
                    best = Referent(resource, f"the words of “{name}” are those of {resource.noun}", score)
        return best


def _shared_parameters(resources: tuple[Resource, ...]) -> frozenset[str]:
    """Parameters that address things of several kinds: `{svc_id}` of daemons and of disks is no name of either's id."""
    nouns: dict[str, set[str]] = {}
    for resource in resources:
        if resource.id_parameter:
            nouns.setdefault(resource.id_parameter, set()).add(words.singular(resource.noun))
    return frozenset(name for name, kinds in nouns.items() if len(kinds) > 1)


def _is_called_by(resource: Resource, name: str) -> bool:
    """Whether the name's words are those of the thing, or the profile says so, which the address does not."""
    own = words.singulars(resource.noun)
    return name != resource.id_parameter or not own.isdisjoint(words.singulars(name))


def _are_of_other_kinds(named: Resource, prefix: str) -> bool:
    """Whether things of one noun stand in groups of two names: installation providers are no policies' providers."""
    mine, other = segments(prefix)[:-1], segments(named.collection)
    is_same_noun = len(mine) > 1 and len(other) > 1 and mine[-1] == other[-1]
    groups = (mine[-2], other[-2]) if is_same_noun else ("", "")
    return groups[0] != groups[1] and not any("{" in group for group in groups)


def _asks_for_more(listed: Resource, operation: Operation) -> bool:
    """Whether a list elsewhere knows things by nothing but the id, and wants to be told whose they are besides."""
    given = {name for _, name in item_prefixes(operation.path)}
    is_more = any(name not in given for _, name in item_prefixes(path_of(listed.source)))
    return is_more and not (listed.natural_keys or listed.inner_name or listed.references or listed.known_by)


def _adds(operation: Operation, here: Resource | None) -> bool:
    """True for `PUT /groups/{id}` without a body: what is put there exists already, and is not in the list yet."""
    return operation.method == "PUT" and operation.body is None and (here is None or not here.read)


def _is_another(here: Resource, name: str, named: Referent) -> bool:
    """`POST /report-jobs/{reportPlanName}`, where a job is at `/report-jobs/{reportJobId}`, is about a plan."""
    is_told = name == named.resource.id_parameter != here.id_parameter and named.resource is not here
    own = words.split(words.singular(here.noun))
    return is_told and words.split(name)[: len(own)] != own


def _together(collection: str, path: str) -> int:
    """How many words two addresses begin with in common."""
    both = takewhile(lambda pair: pair[0] == pair[1], zip(segments(collection), segments(path), strict=False))
    return sum(1 for part, _ in both if "{" not in part)


def _weight(resource: Resource) -> int:
    return len(resource.actions) + bool(resource.create)


def run(api: Api, _options: Options) -> PassOutcome:
    linker = _Linker(api)
    links = [link for operation in api.operations if not operation.left_out for link in linker.of(operation)]
    return PassOutcome(replace(api, links=tuple(links)))


class _Linker:
    def __init__(self, api: Api) -> None:
        self.schemas = SharedSchemas(api.schemas)
        self.referents = Referents(api.resources)
        self.by_item = {shape(r.item): r for r in api.resources if r.item and r.id_parameter}
        self.by_create = {r.create: r for r in api.resources if r.create and r.id_field}
        self.jobs = api.jobs
        self.looked_at = 0
        self.polls = {job.poll: job for job in api.jobs}
        self.told = _told_at(api.operations)

    def of(self, operation: Operation) -> Iterator[Link]:
        job = self.polls.get(operation.key)
        if job is not None:
            at = f"body#{job.handle_at}" if job.handle_within == "body" else f"{job.handle_within}.{job.handle_at}"
            for start in job.operations:
                yield Link(start, at, operation.key, f"path.{job.parameter}", "the job's handle", 1.0)
        yield from self._of_path(operation, job.parameter if job else "")
        yield from self._of_query(operation)
        if operation.body is not None and operation.effect is not Effect.SESSION:
            yield from self._of_body(operation)

    def _of_path(self, operation: Operation, handle: str = "") -> Iterator[Link]:
        """Links of the path's parameters; `handle`: the one that a job gives (its own list serves only readers)."""
        for prefix, name in item_prefixes(operation.path):
            if name == handle:
                continue
            here = self.by_item.get(shape(prefix))
            if prefix == operation.path and _adds(operation, here):
                found = self.referents.elsewhere(name, here)
            else:
                found = self.referent_of_parameter(here, name, prefix)
            is_met = found is not None and (found.resource is here or self._is_reached(found.resource, operation.path))
            is_met = is_met and not (found and found.resource is not here and _asks_for_more(found.resource, operation))
            if found is not None and is_met and found.resource.source != operation.key:
                yield _link(found, operation.key, f"path.{name}")

    def _of_query(self, operation: Operation) -> Iterator[Link]:
        """Links of what the query has to name (`orgID`): nobody knows ids by heart."""
        for parameter in operation.parameters:
            if parameter.location != "query" or not parameter.is_required:
                continue
            found = self.referents.find(parameter.name, parameter.description, operation.path)
            is_other = found is not None and found.resource.source != operation.key
            if found is not None and is_other and self._is_reached(found.resource, operation.path):
                yield _link(found, operation.key, f"query.{parameter.name}")

    def referent_of_parameter(self, here: Resource | None, name: str, prefix: str) -> Referent | None:
        """The collection in which the item stands, unless people know the thing only in another one."""
        named = self.referents.find(name, path=prefix)
        if here is not None and named is not None and _is_another(here, name, named):
            return named
        if here is not None and here.source and here.id_field:
            better = named and not here.references and not here.natural_keys and named.resource.natural_keys
            if not better:
                return Referent(here, f"{{{name}}} stands under {here.collection or here.parent}", 1.0)
        if named is not None and here is not None and _are_of_other_kinds(named.resource, prefix):
            return None
        return named or self.referents.after(prefix, name) or self._described_alike(prefix, name)

    def _described_alike(self, prefix: str, name: str) -> Referent | None:
        """What `/kubernetes/{id}` means, where no list is: the one thing whose id is described in the same words."""
        told = self.told.get(shape(prefix), frozenset())
        if not told or not set(words.split(name)) <= _ID_WORDS:
            return None
        known = {
            shape(r.item): r for r in self.referents.listed if r.item and r.natural_keys and "{" not in r.collection
        }
        alike = {at: len(told & self.told.get(at, frozenset())) for at in known}
        most = max(alike.values(), default=0)
        meant = [at for at, count in alike.items() if count == most]
        if not most or len(meant) != 1:
            return None
        return Referent(known[meant[0]], f"“{name}” is described as the id of {known[meant[0]].noun} is", 0.7)

    def _is_reached(self, resource: Resource, path: str) -> bool:
        """Whether its list asks for nothing that is neither in the path nor listed itself.

        Whoever has to give the id of one thing (`/msps/{msp_id}/orgs`) to have another found by name gives that one's.
        """
        given = {name for _, name in item_prefixes(path)}
        for prefix, name in item_prefixes(resource.source.partition(" ")[2]):
            owner = self.by_item.get(shape(prefix))
            is_listed = owner is not None and bool(owner.source) and bool(owner.id_field)
            if name not in given and not is_listed:
                return False
        return True

    def _of_body(self, operation: Operation) -> Iterator[Link]:
        assert operation.body is not None
        self.looked_at = 0
        for pointer, name, schema in self._strings(operation.body.schema, "", 0):
            text = self.schemas.text(schema)
            is_counted = self.schemas.kind(schema) == "integer"
            found = self.referents.called(name, text) if is_counted else self.referents.find(name, text)
            if found is not None and found.resource.create == operation.key and "{" in operation.path:
                # What is put into a list of somebody's is not among those that are in it: one that lives elsewhere.
                found = self.referents.elsewhere(name, found.resource) or found
            if found is not None and self._is_of_the_new(operation, pointer, found.resource):
                continue
            is_met = found is not None and self._is_reached(found.resource, operation.path)
            if found is not None and is_met and self._is_text(found.resource) is not is_counted:
                yield _link(found, operation.key, f"body#{pointer}")

    def _is_of_the_new(self, operation: Operation, pointer: str, found: Resource) -> bool:
        """Whether it is the id that the new thing is to have, also where such things are listed elsewhere."""
        made = self.by_create.get(operation.key)
        if made is None or pointer != f"/{made.id_field}":
            return False
        component = self.schemas.component(made.schema)
        return made is found or (bool(component) and component == self.schemas.component(found.schema))

    def _is_text(self, resource: Resource) -> bool:
        """Whether its id is a text, as the members that are looked at are: `key_id` names no key of the number 7."""
        own = self.schemas.members(resource.schema).get(resource.id_field)
        return self.schemas.kind(own) in ("string", "")

    def _strings(self, schema: Schema, pointer: str, depth: int) -> Iterator[tuple[str, str, Schema]]:
        element = self.schemas.element(schema)
        if element is not None and depth == 0:
            yield from self._strings(element, f"{pointer}/0", depth)
            return
        members = self.schemas.members(schema)
        self.looked_at += len(members)
        if self.looked_at > _MOST_MEMBERS:
            return
        for name, member in members.items():
            if self.schemas.is_read_only(member):
                continue
            kind = self.schemas.kind(member)
            if kind == "string" or (kind == "integer" and depth == 0 and not self.schemas.values(member)):
                yield f"{pointer}/{name}", name, member
            elif kind == "array" and self.schemas.kind(self.schemas.element(member)) == "string":
                yield f"{pointer}/{name}/*", name, member
            elif kind == "object" and depth < _DEPTH:
                yield from self._strings(member, f"{pointer}/{name}", depth + 1)


def _told_at(operations: Iterable[Operation]) -> dict[str, frozenset[tuple[str, ...]]]:
    """By an item's address, in which words its id is described, where those say what it is of."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for operation in operations:
        texts = {p.name: words.split(p.description) for p in operation.parameters if p.location == "path"}
        for prefix, name in item_prefixes(operation.path):
            if not set(texts.get(name, ())) <= _SAYS_LITTLE:
                found.setdefault(shape(prefix), set()).add(texts[name])
    return {place: frozenset(said) for place, said in found.items()}


def place_of_ids(resource: Resource) -> str:
    """Where the ids stand in the reply of `resource.source`, as `Link.at` has it."""
    return f"body#{resource.members}/*{resource.element_at}/{resource.id_field}"


def _link(found: Referent, target: str, into: str) -> Link:
    resource = found.resource
    return Link(resource.source, place_of_ids(resource), target, into, found.evidence, found.score)
