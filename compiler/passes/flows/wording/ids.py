"""What an operation's id says: its verb, and what that is done to.

Pure text; which wording is taken, `naming` decides, which alone calls this.
"""

import re
from collections.abc import Iterator

from compiler.ir.model import Flow, Operation
from compiler.passes.flows.wording import linter as wording
from compiler.passes.names import words
from compiler.passes.names.paths import ends_in_parameter, last_parameter, last_word, parameter_of, segments

MOST_TITLE_WORDS = 9
METHODS = frozenset({"patch", "put", "post"})
GENERAL = frozenset({"get", "run", "submit", "set", "read", "update", "change"})  # what says hardly what is done
_VERSION = re.compile(r"\b(?:core )?v \d+(?: (?:alpha|beta)(?: \d+)?)?\b")
_UNTELLING = frozenset({"config", "id", "name", "mount", "path"})  # they say nothing of what something belongs to
_SHOWING = frozenset({"get", "show", "read", "fetch", "retrieve", "describe", "find"})
_ADDRESSING = frozenset({"id", "one", "all", "single", "name", "api", "rest", "info", "details", "data"})
_SAYING = frozenset({"configure", "generate"})  # what follows them is no verb; `write` may mean any


def from_id(operation: Operation) -> Iterator[str]:
    name = operation.name
    spoken = _VERSION.sub(" ", words.spoken(name)) if name and "/" not in name and "{" not in name else ""
    said = spoken.split()
    said = said[1:] if said[:1] == [operation.method.lower()] else said
    said = _verb_within(operation, said)
    is_last = len(said) > 1 and said[-1].lower() in wording.KNOWN_VERBS
    if is_last and (said[0].lower() not in wording.KNOWN_VERBS or said[-1].lower() == last_word(operation.path)):
        things = words.singulars(" ".join(said[:-1]))
        is_own = len(said) == 2 or things <= words.singulars(operation.path)
        said = [said[-1].lower(), *said[:-1]] if is_own else []  # `ImageCommit`
    if 2 <= len(said) <= MOST_TITLE_WORDS and said[0].lower() in wording.KNOWN_VERBS:
        yield " ".join(said)


def from_within_id(flow: Flow, operation: Operation) -> Iterator[str]:
    """`Write bound CIDR list` for `app-role-write-bound-cidr-list`, where the method alone would say `run`."""
    if flow.intent != "act" or operation.method != "POST":
        return
    said = words.spoken(operation.name or "").split()
    known = wording.KNOWN_VERBS - wording.AS_NOUNS - GENERAL - METHODS | {"write", "issue"}
    at = next((n for n, word in enumerate(said) if n and word.lower() in known), 0)
    tail = said[at:] if at else []
    if len(tail) == 1 and ends_in_parameter(operation.path):
        tail += ["with", *words.spoken(last_parameter(operation.path)).split()]
    elif len(tail) == 1:
        tail += _owner_within(operation.path, {tail[0].lower()})
    elif len(tail) == 2:  # `Write period`: of a role
        owner = _owner_within(operation.path, {words.singular(word.lower()) for word in tail})
        tail += ["of", *owner] if owner else []
    if 2 <= len(tail) <= MOST_TITLE_WORDS:
        yield " ".join([tail[0].lower(), *tail[1:]])


def _owner_within(path: str, said: set[str]) -> list[str]:
    """What of the address is not said yet, nearest the end first: `role` of `/role/{role_name}/period`."""
    for part in reversed(segments(path)):
        named = [w for w in words.spoken(parameter_of(part) or words.singular(part)).split() if w not in _UNTELLING]
        if named and said.isdisjoint(named):
            return named
    return []


def _verb_within(operation: Operation, said: list[str]) -> list[str]:
    """`azure configure auth` as `configure azure auth`, where the address has all of its things."""
    at = next((n for n, word in enumerate(said[:3]) if word.lower() in wording.KNOWN_VERBS - wording.AS_NOUNS), 0)
    things = words.singulars(" ".join([*said[:at], *said[at + 1 :]]))
    is_own = bool(things) and things <= words.singulars(operation.path)
    return [said[at].lower(), *said[:at], *said[at + 1 :]] if at and is_own else said


def done_to(operation: Operation) -> frozenset[str]:
    """What the operation's id says is done to: `blacklist` of `configure-role-tag-blacklist` is no verb there."""
    said = [word.lower() for word in words.spoken(operation.name or "").split()]
    at = next((n for n, word in enumerate(said) if word in _SAYING), len(said))
    return frozenset(said[at + 1 :])


def _of_a_get(operation: Operation) -> Iterator[str]:
    """An id whose first word is the method's own, which says what a read does as well as any other."""
    spoken = words.spoken(operation.name or "")
    is_plain = operation.method == "GET" and not {"/", "{"} & set(operation.name or "")
    if is_plain and spoken.lower().startswith("get ") and spoken.count(" ") < MOST_TITLE_WORDS:
        yield spoken


def fuller(title: str, operation: Operation) -> str:
    """`List private source definitions` for `List private of source`, where the operation's id says that; else "".

    The same is done, and what it is done to is said with a word more: all that the title says, the id says, too.
    """
    verb, *rest = words.split(title)
    said = words.split(operation.name or "")
    is_one_word = {"_", "-", "."}.isdisjoint(operation.name or "")
    is_address = "{" in operation.path and said[1:] == words.split(operation.path)[-len(said[1:]) :]
    if is_address or "using" in said or any(word.isdigit() for word in said):
        return ""  # made by a program, of the address or of its own names
    told = {words.singular(word) for word in rest} - wording.EMPTY_WORDS
    for named in (*from_id(operation), *_of_a_get(operation)):
        first, *others = words.split(named)
        more = {words.singular(word) for word in others} - wording.EMPTY_WORDS - _ADDRESSING - told
        is_same = (first in said[:1] or is_one_word) and (first == verb or {first, verb} <= _SHOWING)
        more -= wording.KNOWN_VERBS - wording.AS_NOUNS
        if is_same and more and told <= {words.singular(word) for word in others}:
            begun = "get" if first in _SHOWING and first != verb else verb
            return " ".join([begun, *named.split(" ")[1:]])
    return ""
