"""What resources are called: by the vocabulary or their noun, and told apart where several would be called the same.

Called by `resources` when all of them are known. Of several of one name those below another thing take its name, then
the groups in their addresses, then the words that an address alone has; what is left is numbered.
"""

from collections.abc import Mapping
from dataclasses import replace

from compiler.ir.model import Resource
from compiler.passes.names import nouns, words
from compiler.passes.names.paths import (
    parent,
    segments,
    stands_for_list,
    words_in,
)
from compiler.passes.names.roots import PREFIXES, VERSION, says_nothing
from compiler.passes.names.siblings import is_read_beside
from compiler.passes.names.told_apart import is_by_place, told_apart
from compiler.passes.risk import lexicon
from workflow.profiles.profile import Profile

_SCHEMAS = frozenset({"schema", "schemas"})
_VERBS = lexicon.FORMS.keys() | lexicon.PLAIN_FORMS | lexicon.LIGHT_FORMS
_OF_ALL = frozenset({"global", "default", "general", "common"})
_OF_MANY = frozenset({"catalog", "registry", "index", "pool", "queue", "history", "store", "inventory", "metadata"})
_WHICH = frozenset({"latest", "new", "default", "current", "active", "pending", "recent", "unread"})


def with_unique_names(found: list[Resource], profile: Profile, joined: Mapping[str, str]) -> list[Resource]:
    """Names from the vocabulary or the noun; several of one name are told apart by their owners' names."""
    by_path = {r.item or r.collection: r for r in found}
    plain = {key: _plain_name(r, profile, joined) for key, r in by_path.items()}
    _name_lists_of_all(plain, by_path)
    for key, resource in by_path.items():
        is_bare = nouns.says_nothing(resource.noun) and resource.noun not in profile.vocabulary
        is_bare = is_bare or nouns.is_of_something(resource.noun)
        if is_bare and resource.parent in plain and not _groups_above(resource):
            plain[key] = _joined(plain[resource.parent], plain[key])
    above = {r.parent for r in found if _has_operations(r)}
    idle = {key for key, r in by_path.items() if not _has_operations(r) and key not in above}
    names = {key: name for key, name in plain.items() if key not in idle}
    # The root of the whole API tells nothing apart.
    roots = {key for key in by_path if all(other.startswith(key) for other in by_path)}
    parents = {key: _named_above(r.parent, by_path, roots) for key, r in by_path.items()}
    owners = dict(parents)
    for _ in range(6):  # deeper nesting of equal names falls through to numbers
        doubles = _doubles(names)
        if not doubles:
            break
        for key in doubles:
            owner = owners.get(key, "")
            if owner and plain[owner] != f"all {names[key]}":
                names[key] = _joined(plain[owner], names[key])
                owners[key] = parents[owner]
    for key, resource in by_path.items():
        groups = _groups_above(resource)
        is_one = not (resource.parent or resource.id_parameter or resource.collection or is_read_beside(resource))
        if groups and key in names and is_one:
            group = words.singular(groups[-1])
            is_said = (group == "setting" and names[key].endswith(" settings")) or (
                by_path[key].noun.lower() in _WHICH and names[key].endswith(words.spoken(group))
            )
            names[key] = names[key] if is_said else _joined(words.spoken(group), names[key])
    _told_by_kinds(names, plain, by_path)
    _told_apart_by_groups(names, by_path)
    _told_apart_by_addresses(names)
    seen: dict[str, int] = {}
    result = []
    names |= {key: plain[key] for key in idle}  # nothing is named after them
    for key in sorted(by_path, key=lambda k: (k in idle, len(segments(k)), k)):
        if words.snake(_once(names[key])) not in {words.snake(name) for name in names.values()}:
            names[key] = _once(names[key])
        snake = words.snake(names[key])
        seen[snake] = seen.get(snake, 0) + 1
        name = names[key] if seen[snake] == 1 else f"{names[key]} {seen[snake]}"
        result.append(replace(by_path[key], name=name))
    return result


def _told_by_kinds(names: dict[str, str], plain: Mapping[str, str], by_path: Mapping[str, Resource]) -> None:
    """`dataset event` for what stands at `/datasets/events`, beside the datasets; `git hook` for `/hooks/git`."""
    for key in [key for key in names if names[key] == plain[key]]:
        resource = by_path[key]
        kind = by_path.get(resource.parent)
        if kind is None or not kind.id_parameter or parent(resource.collection or resource.item) != kind.collection:
            continue
        said = words.singulars(names[key])
        if said & words.singulars(plain[resource.parent]):
            continue
        is_sort = bool(resource.id_parameter) and words.singular(resource.noun) == resource.noun
        is_sort = is_sort or resource.noun.lower() in _WHICH
        owner = plain[resource.parent]
        names[key] = f"{names[key]} {owner}" if is_sort else _joined(owner, names[key])


def _named_above(path: str, by_path: Mapping[str, Resource], roots: set[str]) -> str:
    """The nearest resource above that says something: neither the root of the whole API nor a version of it."""
    while path in by_path and (path in roots or says_nothing(path.rpartition("/")[2])):
        path = by_path[path].parent
    return path if path in by_path else ""


def _told_apart_by_addresses(names: dict[str, str]) -> None:
    """Puts the words that an address alone has in front of names that are still equal: `approle role`, `AWS role`."""
    for same in _alike(names):
        found = told_apart({key: names[key] for key in same}, {key: key for key in same})
        ordered = sorted(same, key=lambda k: (len(segments(k)), k))
        is_told = len(segments(ordered[0])) == len(segments(ordered[1])) and "{" not in segments(ordered[0])[0]
        is_told = is_told and not is_by_place(found.get(ordered[0], ""))
        for key in ordered[0 if is_told else 1 :]:
            if found.get(key):
                names[key] = f"{words.spoken(found[key])} {names[key]}"


def _told_apart_by_groups(names: dict[str, str], by_path: Mapping[str, Resource]) -> None:
    """Puts the word before the noun in the path in front of names that are still equal: `snapshot settings`."""
    groups = {key: _groups_above(resource) for key, resource in by_path.items()}
    for _ in range(4):
        for key in _doubles(names):
            said = words.spoken(words.singular(groups[key].pop())) if groups[key] else ""
            if not set(words.split(said)) <= words.singulars(names[key]):
                names[key] = _joined(said, names[key])


def _groups_above(resource: Resource) -> list[str]:
    """The literal segments before the noun, as far as the next parameter or version; the nearest last."""
    parts = segments(resource.collection or resource.item)
    end = max((n for n, part in enumerate(parts) if words_in(part) == resource.noun), default=len(parts))
    groups: list[str] = []
    for part in reversed(parts[:end]):
        if "{" in part or VERSION.fullmatch(part):
            break
        groups.insert(0, part)
    return groups


def _once(name: str) -> str:
    """The name without a word that stands twice in a row."""
    said = name.split(" ")
    return " ".join(word for n, word in enumerate(said) if not n or word.lower() != said[n - 1].lower())


def _joined(owner: str, name: str) -> str:
    """`lifecycle log` and `log entry` make `lifecycle log entry`."""
    first, _, rest = name.partition(" ")
    return f"{owner} {rest}" if rest and owner.rpartition(" ")[2].lower() == first.lower() else f"{owner} {name}"


def _plain_name(resource: Resource, profile: Profile, joined: Mapping[str, str]) -> str:
    noun = resource.noun
    said = profile.vocabulary.get(noun)
    if said:
        return said
    if noun.lower() == "me":
        return "current user"
    name = nouns.spoken_noun(noun, joined, is_one=bool(resource.collection or resource.id_parameter))
    if _is_schema(resource):
        one = nouns.spoken_noun(noun, joined, is_one=True)
        return f"{name} schema" if one == name else f"{one} list schema"
    groups = _groups_above(resource)
    if groups and words.singular(groups[-1]) == "setting" and not resource.collection and not resource.id_parameter:
        is_of_all = noun.lower() in _OF_ALL  # `settings/global`; `settings/acls` are ACL settings
        return f"{words.spoken(noun if is_of_all else words.singular(noun))} {words.spoken(groups[-1])}"
    if groups and noun.lower() in _WHICH and words.singular(groups[-1]) != groups[-1] and not resource.id_parameter:
        return f"{name} {words.spoken(words.singular(groups[-1]))}"  # `/tests/latest`
    if groups and resource.id_parameter and _sorts(noun, groups[-1]):
        return f"{name} {words.spoken(words.singular(groups[-1]))}"
    above = groups if nouns.says_nothing(noun) or nouns.is_of_something(noun) else []
    while above and not nouns.says_nothing(noun):
        group = above.pop()
        name = _joined(words.spoken(words.singular(group)), name)
        if not nouns.needs_more(group):
            return name
    return _joined(words.spoken(words.singular(above[-1])), name) if above else name


def _sorts(noun: str, group: str) -> bool:
    """Whether a noun says which sort of things stand there: `/applications/oauth2` has OAuth2 applications."""
    is_many = words.singular(group) != group and group.lower() not in PREFIXES and noun.lower() not in _OF_MANY
    is_many = is_many and words.split(noun)[:1] not in [(verb,) for verb in _VERBS & {*words.split(noun)}]
    return is_many and words.singular(noun) == noun and not {*words.split(noun)} & {*words.split(words.singular(group))}


def _is_schema(resource: Resource) -> bool:
    """`/schemas/image` shows what an image is like, and no image."""
    parts = [part.lower() for part in segments(resource.item)]
    is_below = not _SCHEMAS.isdisjoint(parts[:-1]) and not resource.id_parameter
    return is_below and "schema" not in words.split(resource.noun)


def _name_lists_of_all(names: dict[str, str], by_path: Mapping[str, Resource]) -> None:
    """A bare list of what stands elsewhere, each below its owner, is that of `all pods`; the others keep their name."""
    groups: dict[str, list[str]] = {}
    for key, name in names.items():
        groups.setdefault(name, []).append(key)
    for name, same in groups.items():
        lists = [key for key in same if _is_bare_list(by_path[key])]
        whole = [key for key in same if key not in lists and _has_operations(by_path[key])]
        is_bare = len(lists) == len(whole) == 1 and bool(by_path[lists[0]].list)
        if is_bare and ("{" in by_path[whole[0]].collection or stands_for_list(by_path[lists[0]].collection)):
            names[lists[0]] = f"all {name}"
        for key in lists:  # `/repositories`, beside `/repositories/{workspace}/{slug}`
            if any(by_path[other].collection.startswith(f"{by_path[key].collection}/{{") for other in whole):
                names[key] = f"all {name}"


def _is_bare_list(resource: Resource) -> bool:
    others = (resource.read, resource.create, resource.update, resource.delete, *resource.actions)
    return bool(resource.list) and not any(others)


def _has_operations(resource: Resource) -> bool:
    own = (resource.list, resource.read, resource.create, resource.update, resource.delete)
    return any((*own, *resource.actions))


def _doubles(names: Mapping[str, str]) -> list[str]:
    doubled = {key for same in _alike(names) for key in same}
    return [key for key in names if key in doubled]


def _alike(names: Mapping[str, str]) -> list[list[str]]:
    """The keys of those that are called the same, name by name."""
    groups: dict[str, list[str]] = {}
    for key, name in names.items():
        groups.setdefault(words.snake(name), []).append(key)
    return [same for same in groups.values() if len(same) > 1]
