"""Identity: where a thing's id stands, what people call it by, and how its collection holds it.

Called by the resources pass for each resource; looks only at schemas and profile. Names of members are tried best
first: the profile's, then the path parameter's own, then the field's usual ones.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from compiler.ir.model import EMPTY, ApiParameter, Operation, Resource, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from workflow.json.pointers import escape
from workflow.profiles.profile import Profile

_ID_NAMES = ("uuid", "id", "Id", "ID", "guid", "_id")
_KEY_NAMES = (
    "name", "Name", "displayName", "display_name", "DisplayName", "username", "userName", "UserName", "user_name",
    "hostname", "hostName", "HostName", "title", "label", "emailAddress", "email", "host", "serial", "key",
)  # fmt: skip
_MADE_AT = frozenset(
    {"create", "creation", "update", "insert", "delete", "deleted", "enqueued", "finished", "completed"}
)
_IDS_OF_ANYTHING = [(word, "id") for word in ("entity", "object", "resource", "item", "record", "element")]
_LIST_NAMES = ("members", "items", "results", "data", "value", "values", "entries", "records", "resources", "list")
_LISTED_BY = (
    "names",
    "ids",
    "summaries",
    "summarylist",
    "list",
)  # `{fargateProfileNames: […]}` lists the profiles, by name alone
_AROUND_LISTS = frozenset({"result", "response", "payload", "rows", "content", "elements", "objects"})
_REFERENCE_NAMES = frozenset({"@odata.id", "href", "uri", "url", "self", "link"})
_ID_WORDS = frozenset({"uuid", "id", "guid", "tag", "key", "name"})
_MADE_UP = frozenset({"id", "uuid", "guid", "tag", "ref", "key", "number", "index", "serial"})
_LINKS = frozenset({"url", "href", "self", "uri", "display", "type", "status", "state", "kind", "slug"})
_NAME_WORDS = frozenset({"name", "alias", "key"})
_OF_A_HOST = frozenset({"host", "hostname"})
_HOSTS = frozenset(
    {"host", "server", "node", "machine", "device", "computer", "system", "appliance", "agent", "minion", "client",
     "vm", "member", "endpoint", "controller"}
)  # fmt: skip
# Who or what a thing has to do with: `operator_name` of a task, `image_name` of a container.
_OTHERS = frozenset(
    {"user", "owner", "creator", "author", "operator", "account", "parent", "image", "model", "type", "class", "vendor",
     "product", "os", "zone", "region", "host", "source", "target", "template", "plan", "flavor", "bundle", "queue"}
)  # fmt: skip
_CALLED_ALSO = frozenset({"alias", "nickname"})  # what people call a thing that has no name
_HOW_CALLED = frozenset({"display", "full", "short", "common", "friendly", "resource"})
_COUNTED = ("number", "iid", "index")  # within what a thing belongs to: `issue_number` is no id, which stands beside it
_OF_A_PERSON = frozenset({"first", "last", "given", "family", "middle", "nick"})
# Members that say how the thing is to be or what it is, and are no other thing.
_DESCRIBING = ("spec", "metadata", "attributes", "properties", "definition", "info", "details", "config", "settings")
MOST_AROUND = 4  # members of what is around a thing: itself, its links, its job
# What holds the thing in an envelope, and what stands beside it there.
_HOLDING = frozenset({"data", "result", "item", "object", "record", "payload", "response"})
_WENT_WELL = frozenset(
    {"success", "ok", "status", "code", "error", "errors", "statuscode", "errorcode", "result", "jsonapi", "included"}
)
_HOW_IT_WENT = _WENT_WELL | frozenset(
    {"message", "messages", "msg", "warnings", "meta", "timestamp", "requestid", "action", "links"}
)
_ID_SAID, _OR = r"\b(?:u?u?id|identifier)\b", r",? ?(?:/|or) ?(?:the |an? )?"
_SAYS_ID = re.compile(r"\b[Ii]dentifier\b|\bID\b")
_EITHER = re.compile(rf"{_ID_SAID}{_OR}name\b|\bname\b{_OR}{_ID_SAID}", re.IGNORECASE)
_ENOUGH_KEYS = 3  # more ways to call one thing only blur the tool's text


def _called(parameter: str) -> tuple[str, ...]:
    """Members that `{role-name}` or `{namespace_name}` ask for: `name`, else `namespace`."""
    said = words.split(parameter)
    if len(said) < 2 or said[-1] not in _NAME_WORDS:
        return ()
    return said[-1], "_".join(said[:-1])


def _counted(parameter: str) -> tuple[str, ...]:
    """Members that `{index}`, `{issue_number}` and `{issue_iid}` ask for."""
    return _COUNTED if words.split(parameter)[-1:] in [(word,) for word in _COUNTED] else ()


def word_of_id(resource: Resource) -> str:
    """What people call that by which its address names the thing: its number where that is counted, else its id."""
    last = (words.split(resource.id_field) or ("id",))[-1]
    return "number" if last in _COUNTED else "id"


def says_id(name: str) -> bool:
    """True for `{uuid}` and `{userId}`: what a device has made up, which nobody knows by heart."""
    said = words.split(name)
    return bool(said) and said[-1] in _MADE_UP


def is_server_made(name: str) -> bool:
    """True for `id`, `createdTimestamp`, `updated_at`, `memberCount`: devices fill them, callers do not."""
    said = words.split(name)
    is_time = said[:1] in (("created",), ("updated",), ("modified",)) or said[-1:] == ("timestamp",)
    is_time = is_time or (said[-1:] == ("time",) and said[0] in _MADE_AT)  # `createTime`, and no `startTime`
    return (
        said in (("id",), ("uuid",), ("self",), ("links",), ("etag",))
        or is_time
        or (len(said) > 1 and said[-1] in ("count", "at"))  # `count` alone is how many there are to be
    )


def is_a_name(member: str) -> bool:
    """True for the members `name`, `alias`, `roleName`: what people call a thing."""
    return words.split(member)[-1:] in (("name",), ("alias",), ("title",))


def takes_name(operation: Operation, parameter: str) -> bool:
    """True where the description says that a name will do as well as an id: nothing has to be found."""
    said = {*words.split(parameter)}
    if "or" in said and said & {"id", "uuid"} and said & {"name", "alias", "slug"}:  # `{idOrName}`
        return True
    told = next((p for p in operation.parameters if p.name == parameter and p.location == "path"), None)
    return told is not None and _EITHER.search(told.description) is not None


def picks_by_query(operation: Operation) -> bool:
    """`PATCH /volumes?names=vol1`: which of what is listed there are meant is said in the query."""
    return any(True for _ in picking(operation))


def picking(operation: Operation) -> Iterator[ApiParameter]:
    """The parameters of the query that say by name or id which are meant."""
    for parameter in operation.parameters:
        said = words.split(parameter.name)
        if parameter.location == "query" and said and words.singular(said[-1]) in ("name", "id", "uuid"):
            yield parameter


def is_called_by_id(resource: Resource) -> bool:
    """True where the address holds the very name that people use (`/roles/{role-name}`): nothing has to be found."""
    if resource.references or resource.listed_in or not resource.id_field:
        return False
    parameter = resource.id_parameter
    # `{vm}` is described as an identifier, and a name stands beside it.
    if resource.is_id_told and resource.natural_keys:
        return False
    return is_a_name(resource.id_field) or (parameter == resource.id_field and not says_id(parameter))


def _shown_reference(example: Any, pointer: str) -> str:
    """The member that holds the address in an example list of nothing but addresses; else ""."""
    for part in pointer.split("/")[1:]:
        example = example.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(example, dict) else None
    if not isinstance(example, list) or not example or not isinstance(example[0], dict):
        return ""
    name = next(iter(example[0]), "")
    return name if name in _REFERENCE_NAMES and all(isinstance(e, dict) and set(e) == {name} for e in example) else ""


def _letters(name: str) -> str:
    """`nodegroups` of `node-groups` and of `node_groups`."""
    return name.replace("_", "").replace("-", "")


def _ends_in(name: str, noun: str) -> bool:
    """`dataset_events` holds what stands at `/events`."""
    said, asked = words.split(words.singular(name)), words.split(words.singular(noun))
    is_longer = bool(asked) and len(said) > len(asked)
    return is_longer and said[-len(asked) :] == asked and words.singular(name) != name


class Identifier:
    """`holder`: the member that holds what was asked for in all answers of the API; "" where they have no envelope."""

    def __init__(self, schemas: SharedSchemas, profile: Profile, holder: str = "") -> None:
        self.schemas = schemas
        self.profile = profile
        self.holder = holder

    def identify(
        self,
        resource: Resource,
        listed: Schema | None,
        item: Schema | None,
        example: Any = None,
        made_of: Schema | None = None,
    ) -> Resource:
        """`resource` with its schema, members, references, id field, natural keys, synonyms and single member.

        `example`: of the list, which may show addresses where the schema allows whole items as well. `made_of`: what a
        creation sends: an id that people have to give there is what they call the thing.
        """
        pointer = self.list_pointer(listed, resource.noun) if listed is not None else None
        told = self.profile.envelope
        is_list = self._item_is_list(item)
        element, element_at = self._unwrapped(self._element(listed, pointer), resource.noun, told.element_at)
        item, wrapper = (item, "/0") if is_list else self._unwrapped(item, resource.noun, told.item_at)
        schema = (self.schemas.element(item) if is_list and item else item) or element or EMPTY
        shown = _shown_reference(example, pointer) if pointer is not None else ""
        references = (self.reference_member(element) or shown) if resource.list else ""
        members = self.schemas.members(schema)
        keyed = EMPTY if references else (self.schemas.members(element) or members)
        is_id_told = not references and self._is_id_told(resource, keyed)
        keys = self._natural_keys(resource, keyed, schema)
        if made_of is not None and says_id(own := self._id_field(resource, keyed)) and own in self._wanted_of(made_of):
            keys = tuple(key for key in keys if key == "name")
        return replace(
            resource,
            schema=schema,
            members=pointer or "",
            references=references,
            item_at=wrapper,
            element_at="" if references else element_at,
            id_field=references or self._id_field(resource, keyed),
            is_id_told=is_id_told,
            natural_keys=tuple(k for k in keys if not (is_id_told and k == self._id_field(resource, keyed))),
            inner_name=self._inner_name(resource, keyed),
            known_by=self._known_by(resource, keyed),
            single=self.profile.singles.get(resource.collection),
            synonyms=self._synonyms(resource),
            list="" if pointer is None or self._tells_too_little(resource, listed, pointer, keyed) else resource.list,
        )

    def _tells_too_little(self, resource: Resource, listed: Schema | None, pointer: str, keyed: Schema) -> bool:
        """Whether the list has bare ids, by which nothing can be found that people know by another word."""
        is_bare = self.schemas.kind(self._element(listed, pointer)) in ("string", "integer", "number")
        is_known = bool(resource.read) and not says_id(self._id_field(resource, keyed) or "id")
        return is_bare and bool(resource.item) and not is_known

    def item_of(self, reply: Schema | None, noun: str) -> Schema | None:
        """The thing in the answer to reading one."""
        return self._unwrapped(reply, noun, self.profile.envelope.item_at)[0]

    def element_of(self, reply: Schema | None, noun: str) -> Schema | None:
        """One of the things in the answer to listing them, None where it lists nothing."""
        pointer = self.list_pointer(reply, noun)
        return self._unwrapped(self._element(reply, pointer), noun, self.profile.envelope.element_at)[0]

    def list_pointer(self, schema: Schema | None, noun: str) -> str | None:
        """Where the list stands in a reply: "" when the reply is the list, None when there is none."""
        if schema is None:
            return None
        told = self.profile.envelope.members
        kind = self.schemas.kind(schema)
        if kind == "array":
            return ""
        if told and (not kind or self.schemas.at(schema, told) is not None):
            return told
        members = self.schemas.members(schema)
        if self.holder in members and self.schemas.members(self.schemas.element(members[self.holder])):
            return f"/{escape(self.holder)}"
        arrays = [n for n, m in members.items() if self.schemas.kind(m) == "array"]
        wanted = {*_LIST_NAMES, noun.lower(), words.singular(noun).lower(), words.plural(noun).lower()}
        wanted |= {f"{words.singular(noun).lower()}{of}" for of in _LISTED_BY}
        plain = {_letters(w) for w in wanted}
        named = [name for name in arrays if _letters(name.lower()) in plain]
        told_more = [n for n in arrays if _ends_in(n, noun) and self.schemas.members(self.schemas.element(members[n]))]
        told_more += [n for n in arrays if n.lower() in _AROUND_LISTS and self._has_things(members[n])]
        named = named or (told_more[:1] if len(arrays) == 1 else [])
        if named:
            return f"/{named[0]}"
        held = self._holder(members)
        inner = self.list_pointer(members[held], noun) if held else None
        return f"/{held}{inner}" if inner else None

    def _has_things(self, array: Schema) -> bool:
        return bool(self.schemas.members(self.schemas.element(array)))

    def _element(self, listed: Schema | None, pointer: str | None) -> Schema | None:
        if listed is None or pointer is None:
            return None
        return self.schemas.element(self.schemas.at(listed, pointer) if pointer else listed)

    def _unwrapped(self, item: Schema | None, noun: str, places: Mapping[str, str]) -> tuple[Schema | None, str]:
        """The thing in `{"server": {…}}`, and where it stands: as told, else in a member of the noun's name."""
        told = places.get(noun, places.get("*"))
        if item is None or told == "":
            return item, ""
        members = self.schemas.members(item)
        if told is not None and (not members or self.schemas.at(item, told) is not None):
            return self.schemas.at(item, told) or EMPTY, told
        wanted = words.singular(noun).lower().replace("_", "").replace("-", "")
        named = next((n for n in members if n.lower().replace("_", "") == wanted), "")
        if self.holder and not named and self.holder in members:
            return members[self.holder], f"/{escape(self.holder)}"
        held = "" if named else self._in_envelope(members)
        if held:
            inner, at = self._unwrapped(members[held], noun, EMPTY)
            alone = "" if at else self._only_list(members[held], noun)
            if alone:
                inner, at = self._element(inner, alone), f"{alone}/0"
            return inner, f"/{held}{at}"
        is_around = bool(named) and len(members) <= MOST_AROUND and not set(members) & set(_ID_NAMES)
        if not is_around or len(self.schemas.members(members[named])) < len(members):
            return item, ""
        return members[named], f"/{named}"

    def _in_envelope(self, members: Schema) -> str:
        """The one member of a reply that holds a thing, where all others say how it went: `{success, data, errors}`."""
        held = self._holder(members)
        others = {name.lower().replace("_", "") for name in members if name != held}
        is_told = others <= _HOW_IT_WENT and bool(not others or others & _WENT_WELL)
        return held if is_told else ""

    def _only_list(self, inner: Schema, noun: str) -> str:
        """`/nodes` where nothing but a list of such things stands in what one of them is answered in."""
        pointer = self.list_pointer(inner, noun) or ""
        return pointer if pointer.count("/") == 1 and len(self.schemas.members(inner)) == 1 else ""

    def _holder(self, members: Schema) -> str:
        """The first member with members of its own that is called like what holds the thing, "" where there is none."""
        return next((n for n, m in members.items() if n.lower() in _HOLDING and self.schemas.members(m)), "")

    def _item_is_list(self, item: Schema | None) -> bool:
        if item is None:
            return False
        kind = self.schemas.kind(item)
        return kind == "array" or (not kind and self.profile.envelope.item == "one_element_list")

    def reference_member(self, element: Schema | None) -> str:
        """The member that holds the address, where the elements of a list are nothing but addresses; else ""."""
        told = self.profile.envelope.reference_field or ""
        members = self.schemas.members(element)
        if told and self.profile.envelope.member_is_reference and (not members or set(members) <= {told}):
            return told
        if len(members) == 1 and set(members) <= _REFERENCE_NAMES:
            return next(iter(members))
        return ""

    def _id_field(self, resource: Resource, members: Schema) -> str:
        told = self.profile.identity.id_fields
        members = {name: each for name, each in members.items() if self.schemas.kind(each) not in ("object", "array")}
        parameter = resource.id_parameter
        noun = words.singular(resource.noun)
        wanted = (
            *told,
            parameter,
            *_called(parameter),
            *_counted(parameter),
            *_ID_NAMES,
            f"{noun}Id",
            f"{noun}ID",
            f"{noun}_id",
            f"{noun}UUID",
        )
        exact = next((name for name in wanted if name and name in members), "")
        if exact:
            return exact
        # `taskId` in the path and `task_id` in the body are the same words.
        asked = words.split(parameter)
        alike = next((name for name in members if asked and words.split(name) == asked), "")
        return alike or next((name for name in members if words.split(name) in _IDS_OF_ANYTHING), "")

    def _is_id_told(self, resource: Resource, members: Schema) -> bool:
        """Whether the member that the address takes is described as an identifier, though its name does not say so."""
        field = self._id_field(resource, members)
        if not field or says_id(field) or is_a_name(field):
            return False
        told = self.schemas.resolve(members[field]).get("description") or members[field].get("description") or ""
        return isinstance(told, str) and _SAYS_ID.search(words.first_sentence(told)) is not None

    def _natural_keys(self, resource: Resource, members: Schema, schema: Schema = EMPTY) -> tuple[str, ...]:
        keys = self.profile.identity.natural_keys
        told = keys.get(resource.noun, keys.get("*", ()))
        found = [name for name in told if name in members]
        if resource.noun not in keys:
            found += [n for n in _KEY_NAMES if n in members and n not in found and self._is_text(members[n])]
            found = [*self._own_word(resource, members), *found][: len(found) + 1]
            found = [n for n in found if n.lower() not in _OF_A_HOST or _HOSTS & words.singulars(resource.noun)]
            said = [n for n in members if words.split(n)[-1:] == ("name",) and words.split(n)[0] not in _OF_A_PERSON]
            said = self._own_names(resource, said, members)
            found += [n for n in said if n not in found][: 0 if found else 1]
            also = [n for n in members if n.lower() in _CALLED_ALSO and self._is_text(members[n])]
            found += also[: 0 if found else 1]
            found += self._named_like_it(resource, members)[: 0 if found else 1]
            found += self._demanded(schema, members)[: 0 if found else 1]
            found = [n for n in found if n != "key" or len(found) == 1]  # beside a name it is a secret
        return tuple(n for n in found if n != resource.id_field)[:_ENOUGH_KEYS]

    def _wanted_of(self, made_of: Schema) -> frozenset[str]:
        """The members that whoever makes a thing has to give."""
        return frozenset(self.schemas.required(made_of)) & self.schemas.members(made_of).keys()

    def _own_names(self, resource: Resource, said: list[str], members: Schema) -> list[str]:
        """Those of the names that may be its own: called after it, else none after what it has to do with."""
        own = {*words.split(words.singular(resource.noun)), *_HOW_CALLED, "name"}
        left = [name for name in said if not self._is_of_another(resource, name, members)]
        of_it = [name for name in left if {*words.split(name)} <= own]
        return of_it or [name for name in left if len(words.split(name)) == 2 and words.split(name)[0] not in _OTHERS]

    def _is_of_another(self, resource: Resource, name: str, members: Schema) -> bool:
        """Whether `bundle_name`, beside `bundle_version`, is another thing's, after which more members are called."""
        about = words.split(name)[0]
        noun = words.split(words.singular(resource.noun))
        beside = [n for n in members if n != name and words.split(n)[0] == about]
        return bool(beside) and about not in (*noun[-1:], "".join(noun)) and about not in _HOW_CALLED

    def _inner_name(self, resource: Resource, members: Schema) -> str:
        """`/Spec/Name`: where what describes the thing holds its name, and the thing itself has none."""
        if self._natural_keys(resource, members) or not says_id(self._id_field(resource, members)):
            return ""
        for part in (name for name in members if name.lower() in _DESCRIBING):
            inner = self.schemas.members(members[part])
            name = next((n for n in _KEY_NAMES[:2] if n in inner and self._is_text(inner[n])), "")
            if name and not any(says_id(other) for other in inner):
                return f"/{escape(part)}/{name}"
        return ""

    def _known_by(self, resource: Resource, members: Schema) -> str:
        told = self.profile.identity.known_by.get(resource.noun, "")
        return told if told in members else ""

    def _own_word(self, resource: Resource, members: Schema) -> list[str]:
        """`clientId` of a client that is addressed by its `id`: what people have called it."""
        noun = words.singular(resource.noun)
        names = [n for n in (f"{noun}Id", f"{noun}_id") if n in members and self._is_text(members[n])]
        return names if self._id_field(resource, members) in _ID_NAMES else []

    def _named_like_it(self, resource: Resource, members: Schema) -> list[str]:
        """`mac_address` of `/mac-addresses`, `address` of `/ip-addresses`: what says which one it is."""
        noun = words.split(words.singular(resource.noun))
        return [n for n in members if words.split(n) in (noun, noun[-1:]) and self._is_text(members[n])]

    def _demanded(self, schema: Schema, members: Schema) -> list[str]:
        """`cid` of a circuit, `model` of a type: the one text that each has to have, where there is one."""
        needed = [n for n in self.schemas.required(schema) if n in members and not says_id(n) and n not in _LINKS]
        plain = [n for n in needed if self._is_text(members[n]) and self.schemas.kind(members[n]) == "string"]
        written = [n for n in plain if not self.schemas.resolve(members[n]).get("readOnly")]
        return written if len(written) == 1 and not members[written[0]].get("readOnly") else []

    def _is_text(self, schema: Schema) -> bool:
        return self.schemas.kind(schema) in ("string", "") and not self.schemas.values(schema)

    def _synonyms(self, resource: Resource) -> tuple[str, ...]:
        told = self.profile.identity.synonyms.get(resource.noun, ())
        # `{uuid}` and `{name}` name everything's id: elsewhere they say nothing about this resource.
        said = words.split(resource.id_parameter)
        own = (resource.id_parameter,) if len(said) > 1 and said[-1] in _ID_WORDS else ()
        return tuple(dict.fromkeys((*own, *told)))
