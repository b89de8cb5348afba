"""What a GET does, whatever RFC 9110 says that it may: by its own sentence, by its names, by an order in its path.

Devices and older APIs have `GET /key/generate`, `GET /vms/{id}/start`, `GET /pods/{id}/{action}`. A sentence counts
where it begins with an order (“Reboots the node”) and not with a thing (“Restart policy of a node”); a name where
nothing says that it asks.
"""

import re
from collections.abc import Iterator, Sequence

from compiler.ir.model import Operation
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, parameter_of, segments
from compiler.passes.risk import lexicon
from compiler.passes.risk.clauses import Deed, deeds, head, is_base, is_deed_alone, tokens_of_name, tokens_of_text
from compiler.passes.risk.texts import bare, first_sentence, own_words, sentences
from workflow.risks import Risk

_DETERMINERS = frozenset({"a", "an", "the", "all", "this", "any", "one", "every", "it", "your", "given", "specified"})
_UNMISTAKABLE = lexicon.STRONG - {"delete", "remove", "format", "reset", "sanitize"}
# What is told of something that is done, or was.
_TELLING = frozenset({"status", "state", "progress", "history", "log", "logs", "info", "result", "results", "report"})
_ABOUT = lexicon.STANDING | _TELLING | lexicon.ANSWERS  # `Import contacts status` imports nothing
_NAME = re.compile(r"[A-Z][a-z]+[A-Z]")
_WHY = "by its own words it does this, though it is a GET"
Found = Iterator[tuple[str, Deed]]


def deeds_of_safe(operation: Operation) -> Found:
    """Each with where it is said."""
    last = tokens_of_name(bare(last_word(operation.path)))
    yield from _of_texts(operation, _verbs_of_names(operation, last))
    asked = {p.name.lower() for p in operation.parameters if p.location == "query"}
    if last[-1:] and last[-1] in lexicon.COMMANDS and asked & lexicon.COMMANDS:
        yield "the path", Deed(last[-1], Risk.DISRUPT, "whatever is sent is done")
    name = own_words(operation)
    told = tokens_of_text(operation.summary)
    said = {*name, *(told if head(told).removesuffix("s") == "generate" else ())}
    if "generate" in said and not lexicon.SECRETS.isdisjoint(said):
        yield "the name", Deed("generate", Risk.CHANGE, "a new secret is made each time that it is asked for")
    name = () if operation.name.startswith("get") else name  # as `GET_DeleteStack` does not
    names = [name]
    if not is_said_to_ask(operation):
        names.append(last)
        is_called_so = head(last) in name and lexicon.ASKING_FORMS.isdisjoint(name) and any(map(is_base, last))
        if is_called_so and last[-1] not in lexicon.STANDING | _TELLING:  # `GET /crl/rotate`, called `pki-rotate-crl`
            yield from (("the name", deed) for deed in deeds(last))
        yield from _changes_by_name(operation, name, last)
    for each in names:
        if head(each) in lexicon.STRONG and each[-1] not in lexicon.STANDING:
            yield from (("the name", deed) for deed in deeds(each))


def is_said_to_ask(operation: Operation) -> bool:
    """Whether a text or the operation's id begins with a verb that asks."""
    told = (tokens_of_text(operation.summary), own_words(operation), tokens_of_text(first_sentence(operation)))
    return any(head(said) in lexicon.ASKING_FORMS for said in told)


def _of_texts(operation: Operation, named: frozenset[str]) -> Found:
    for source, text in (("the summary", operation.summary), ("the description", operation.description)):
        for number, sentence in enumerate(sentences(text)[:2]):
            tokens = tokens_of_text(sentence)
            if number == 0 or head(tokens).removesuffix("s") in _UNMISTAKABLE:
                yield from ((source, deed) for deed in _ordered_by(tokens, named))
    told = operation.summary or first_sentence(operation)
    is_named = _NAME.match(told) is not None  # `BootOption instance`
    if not is_named and head(own_words(operation)) not in lexicon.ASKING:  # else it is one text for all of a path
        yield from (("its text", deed) for deed in _changes(tokens_of_text(told), named))


def _ordered_by(tokens: tuple[str, ...], named: frozenset[str]) -> Iterator[Deed]:
    first = head(tokens)
    word = lexicon.FORMS.get(first)
    if word is None or word.base in lexicon.THINGS:
        return
    rest = tokens[tokens.index(first) + 1 :]
    is_order = (first != word.base and not first.endswith("ing")) or rest[:1] == () or rest[0] in _DETERMINERS
    is_of_thing = rest[:1] != () and rest[0] not in lexicon.STANDING
    is_strong = first in lexicon.STRONG or (first in named and _last_of(rest) not in _ABOUT)
    if is_order or (is_of_thing and is_strong):
        yield from deeds(tokens)


def _verbs_of_names(operation: Operation, last: tuple[str, ...]) -> frozenset[str]:
    """The verbs with which the operation's id begins, and its path's last word begins or ends."""
    is_thing = last[-1:] != () and (words.singular(last[-1]) != last[-1] or last[-1] in _ABOUT)  # `/boot_options`
    return frozenset({head(own_words(operation)), "" if is_thing else head(last), *last[-1:]})


def _changes(tokens: tuple[str, ...], named: frozenset[str]) -> Iterator[Deed]:
    """A sentence that begins with a verb of change: what follows is told to be done to something, or a name agrees."""
    first = head(tokens)
    verb = lexicon.CHANGING_FORMS.get(first, "")
    rest = tokens[tokens.index(first) + 1 :] if verb else ()
    rest = rest[2:] if rest[:1] in (("or",), ("/",)) else rest
    if not rest or not lexicon.ANSWERS.isdisjoint(_objects(rest)):
        return  # `Create a report of the usage`: what is made is the answer
    is_told = rest[0] in _DETERMINERS or (verb in lexicon.CHANGING and first != verb)
    is_noun = (first == verb and verb in lexicon.NOUNS_TOO) or not _ABOUT.isdisjoint((rest[0], _last_of(rest)))
    is_named = verb in named and not is_noun
    if (is_told and (verb in named or verb not in lexicon.BEGINNING)) or is_named:
        yield Deed(first, Risk.CHANGE, _WHY)


def _objects(rest: Sequence[str]) -> Sequence[str]:
    """The words of what it is done to, up to the first preposition."""
    things = [word for word in rest if word not in _DETERMINERS]
    end = next((n for n, word in enumerate(things) if word in lexicon.PREPOSITIONS | lexicon.BREAKS), len(things))
    return things[:end]


def _last_of(rest: Sequence[str]) -> str:
    return next(reversed(_objects(rest)), "")


def _changes_by_name(operation: Operation, name: tuple[str, ...], last: tuple[str, ...]) -> Found:
    """`GET /key/renew`, `enablePort`: a verb that is no noun; `GET /vms/{id}/start`, of which nothing is told."""
    parts = segments(operation.path)
    is_of_one = len(parts) > 1 and bool(parameter_of(parts[-2]))
    is_untold = not operation.summary and not operation.description
    for said in (name, last):
        plain = tuple(word for word in said if word not in lexicon.ADVERBS)
        is_verb = plain[:1] != () and plain[0] in lexicon.CHANGING
        is_alone = len(plain) == 1 or said is name
        if is_verb and is_alone and plain[-1] not in _ABOUT:
            yield "the name", Deed(plain[0], Risk.CHANGE, _WHY)
    if is_untold and len(last) == 1 and is_deed_alone(last[0]):
        yield from (("the path", deed) for deed in deeds(last))  # `GET /alarms/clear`
    if is_of_one and is_untold and last in (("start",), ("boot",)):
        yield "the path", Deed(last[0], Risk.CHANGE, _WHY)
