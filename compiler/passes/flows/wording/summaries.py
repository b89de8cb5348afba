"""What an operation's summary says is done, and to what.

Pure text; which wording is taken, `naming` decides, which alone calls this.
"""

import re
from collections.abc import Iterator, Set

from compiler.ir.model import Operation
from compiler.passes.flows.wording import linter as wording
from compiler.passes.flows.wording.ids import METHODS, MOST_TITLE_WORDS
from compiler.passes.names import words
from compiler.proposer.wording import fault_of_description

_SHORT = 3  # letters
_IN_BRACKETS = re.compile(r"\s*\([^)]*\)")


def from_summary(operation: Operation, known: frozenset[str] = frozenset()) -> Iterator[str]:
    """What the summary says, where its things are those of the address and the operation's id.

    Prose may be anybody's, and titles are read by models as names: with these words alone nobody is told what to do.
    `known`: words that may stand in it besides.
    """
    addressed = {words.singular(w) for w in words.split(f"{operation.path} {operation.name or ''}")}
    own = addressed | {words.singular(w) for w in known}
    for text in (operation.summary, operation.description):
        first = _IN_BRACKETS.sub("", words.first_sentence(text, 90)).rstrip(".")
        said = first.split(" ")
        if said[1:2] == ["or"] and len(said) > 2:  # `Creates or updates`: two verbs alike
            said[2] = base_of(said[2].lower()) or said[2]
        if 2 <= len(said) <= MOST_TITLE_WORDS and not {"…", "/"} & set(first) and not fault_of_description(first, 20):
            verb = base_of(said[0].lower())
            if verb in METHODS:  # `Patch a list of site group objects` says how it is sent, not what is done
                continue
            strange = " ".join(word for word in said if words.singular(word.lower()) not in addressed)  # not `KeyDB`
            things = words.singulars(strange) - wording.EMPTY_WORDS - wording.KNOWN_VERBS
            if verb and all(thing in own or _is_meant(thing, addressed) for thing in things - {verb, said[0].lower()}):
                is_new = verb == "create" and said[1:3] in (["a", "new"], ["new"], ["the", "new"])
                yield " ".join([verb, *(said[said.index("new") + 1 :] if is_new else said[1:])])


def _is_meant(thing: str, addressed: Set[str]) -> bool:
    """Whether the address or the operation's id has the word's beginning: `org` stands for an organization."""
    return any(len(word) >= _SHORT and thing.startswith(word) for word in addressed)


def base_of(word: str) -> str:
    """The verb in its base form, "" for what is none."""
    for base in (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ing")):
        if base in wording.KNOWN_VERBS:
            return base
    return ""


def verb_of_text(operation: Operation) -> str:
    """The verb with which its summary begins, else its description, in its base form; "" where it is none."""
    told = words.first_sentence(operation.summary or operation.description, 100)
    return base_of(told.split(" ")[0].lower())
