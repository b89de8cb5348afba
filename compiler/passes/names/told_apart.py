"""Telling apart what would be called the same: the words of an address that the others of its name do not have.

Pure text over path templates. Used for the names of resources and for those of workflows, so that neither is numbered.
"""

from collections.abc import Iterator, Mapping, Sequence

from compiler.passes.names import words
from compiler.passes.names.paths import parameter_of, segments
from compiler.passes.versions import is_version

_SILENT = frozenset(
    {"id", "uuid", "name", "path", "mount", "api", "apis", "rest", "platform", "v", "key", "url", "ref", "or"}
)
_MOST_WORDS = 3


def words_of(path: str) -> tuple[str, ...]:
    """What the address says, nearest the end first: literal segments in singular, then the names of parameters."""
    literal: list[str] = []
    named: list[str] = []
    for part in reversed(segments(path)):
        if is_version(part):
            continue
        name = parameter_of(part)
        said = [words.singular(w) for w in words.split(name or part)]
        plain = [w for w in said if w not in _SILENT and not w.isdigit()]
        (named if name else literal).extend(plain)
    return tuple(dict.fromkeys([*literal, *named]))


def told_apart(names: Mapping[str, str], paths: Mapping[str, str]) -> dict[str, str]:
    """For each key of a group of equal `names` the words that tell it from the others, "" for the one that keeps it.

    `paths` has the address of each. Keys for which nothing is found are left out.
    """
    keys = sorted(names, key=lambda key: (len(segments(paths[key])), paths[key], key))
    taken: set[str] = set()
    found: dict[str, str] = {}
    for key in keys:
        others = [paths[other] for other in keys if other != key]
        for said in _choices(paths[key], others, names[key]):
            if said not in taken:
                taken.add(said)
                found[key] = said
                break
    return found


def _choices(path: str, others: Sequence[str], name: str) -> Iterator[str]:
    """First the word that no other address has, then more and more of those that some others lack."""
    known = words.singulars(name)
    mine = [word for word in words_of(path) if word not in known]
    alien = [set(words_of(other)) for other in others]
    yield from (word for word in mine if not any(word in other for other in alien))
    differing = [word for word in mine if not all(word in other for other in alien)]
    for count in range(1, _MOST_WORDS + 1):
        if len(differing) >= count:
            yield " ".join(reversed(differing[:count]))
    yield from mine
    yield from _by_place(path, name)


def is_by_place(said: str) -> bool:
    """True for a word that says only where an address stands: no name for the first of several."""
    return said in ("", "list", "own", "any", "other")


def _by_place(path: str, name: str) -> Iterator[str]:
    """`one` for what stands below one named thing, `any` for what does not: addresses of the same words."""
    parts = segments(path)
    if path.endswith("/"):
        yield "list"
    if parts and words.singular(parts[-1]) != parts[-1]:
        yield "list"
    below = [part for number, part in enumerate(parts[:-1]) if parameter_of(part) and number + 1 < len(parts)]
    if "one" not in name and "any" not in name:
        yield "own" if below else "any"
    yield "other"
