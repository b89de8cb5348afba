"""The class of an operation: the gravest that method, path, operation id, summary, description, body and query suggest.

A word that suggests reading outvotes nothing. A safe method (RFC 9110) is a read unless its own sentence says that it
acts; any other is a change at least, save one that asks and answers and of which nothing changes by the evidence of
both kinds. The profile is heard before (`effects`). Words and phrases are data: `lexicon`, `phrases`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from compiler.ir.model import Effect, Operation
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, parameter_of, segments
from compiler.passes.names.post_lists import asked_in_body
from compiler.passes.risk import lexicon, phrases, values
from compiler.passes.risk.answers_only import only_answers
from compiler.passes.risk.asked_by_post import does_besides, only_asks
from compiler.passes.risk.clauses import Deed, deeds, deeds_of_name, head, tokens_of_name, tokens_of_text
from compiler.passes.risk.safe_methods import deeds_of_safe, is_said_to_ask
from compiler.passes.risk.texts import bare, first_sentence, own_words, sentences
from workflow.documents.operations import SAFE_METHODS
from workflow.risks import GRAVITY, Risk

_SHARED = re.compile(r"^\W*(?:read|get|list|view)\s*/", re.IGNORECASE)  # one summary for all methods of a path
_ALSO_BEFORE = lexicon.LIGHT | {
    "now",
    "async",
    "all",
    "bulk",
    "batch",
    "force",
    "apply",
    "action",
    "actions",
    "do",
    "run",
}
_SETTINGS = frozenset({"config", "configs", "settings", "configuration", "policies", "preferences"})
_FILTERS = frozenset(
    [
        "query",
        "q",
        "filter",
        "filters",
        "search",
        "criteria",
        "limit",
        "offset",
        "page",
        "size",
        "sort",
        "order",
        "orderby",
        "fields",
        "from",
        "to",
        "cursor",
        "marker",
        "where",
        "pagesize",
        "perpage",
        "pagetoken",
        "start",
        "end",
        "ids",
        "names",
        "name",
        "text",
        "term",
        "terms",
        "aggs",
        "aggregations",
        "step",
        "time",
        "include",
        "exclude",
    ]
)


# What says where in a list an answer is to begin, and how long it is to be.
_PAGES = frozenset({"nexttoken", "pagetoken", "offset", "page", "cursor", "marker", "pagenumber", "from", "skip"})
_PAGE_SIZES = frozenset({"maxresults", "pagesize", "limit", "size", "perpage", "count", "maxitems", "top"})
_LISTING = (("list",), ("search",))
_LOSS = Deed("data loss", Risk.DESTROY, "data may be lost")


@dataclass(frozen=True, slots=True)
class Judgement:
    risk: Risk
    why: str


def judged(
    operation: Operation,
    effect: Effect,
    schemas: SharedSchemas,
    *,
    is_readable: bool,
    by_values: bool = True,
    all_by_post: bool = False,
    stands_alone: bool = False,
) -> Judgement:
    """The class and its reason. `is_readable`: the path can be read as well, so that its last word is a thing.

    `by_values`: also by what the body and the query let a caller order. `all_by_post`: the API reads by POST, too.
    `stands_alone`: nothing stands below its address.
    """
    if operation.method == "DELETE":
        return Judgement(Risk.DESTROY, "DELETE takes something away")
    found = list(_deeds(operation, effect, schemas, is_readable, by_values))
    if found:
        worst = max(found, key=lambda told: GRAVITY[told[1].risk])
        source, deed = worst
        return Judgement(deed.risk, f"{source} says “{deed.said}”: {deed.why}")
    if operation.method in SAFE_METHODS:
        return Judgement(Risk.READ, "reads only")
    if (
        operation.method == "POST"
        and _asks(operation)
        and _answers(operation, schemas)
        and _is_said_to_change_nothing(operation, schemas)
    ):
        return Judgement(Risk.READ, "it asks and is answered, and nothing is said to change")
    if operation.method == "POST" and only_answers(operation, schemas, stands_alone=stands_alone):
        return Judgement(Risk.READ, "it asks, and the answer is all that comes of it")
    if operation.method == "POST" and only_asks(operation) and _is_a_list_of(operation, schemas):
        return Judgement(Risk.READ, "it asks for a list, and says nothing but where in it, or whose it is")
    if operation.method == "POST" and all_by_post and _answers(operation, schemas) and only_asks(operation):
        return Judgement(Risk.READ, "it asks and is answered, in an API that reads by POST and changes by other names")
    if effect in (Effect.CREATE, Effect.UPDATE):
        return Judgement(Risk.CHANGE, f"{operation.method} on a resource can be undone")
    return Judgement(Risk.CHANGE, "an action that changes something")


def judged_safe(operation: Operation, schemas: SharedSchemas) -> Judgement:
    """Of an operation of a safe method, before anybody knows its effect."""
    return judged(operation, Effect.READ, schemas, is_readable=True)


def _deeds(
    operation: Operation, effect: Effect, schemas: SharedSchemas, is_readable: bool, by_values: bool
) -> Iterator[tuple[str, Deed]]:
    """Whatever makes it graver than a change, with where that stands."""
    if operation.method not in SAFE_METHODS or not is_said_to_ask(operation):
        yield from (("the path", deed) for deed in values.ordered_by_path(operation, schemas))
    if operation.method in SAFE_METHODS:
        yield from deeds_of_safe(operation)
        if by_values:
            yield from (("a parameter", deed) for deed in values.ordered(operation, Effect.READ, schemas))
    else:
        yield from _of_path(operation, effect, is_readable)
        yield from _of_texts(operation)
        if by_values:
            yield from (("what it sends", deed) for deed in values.ordered(operation, effect, schemas))
        yield from _of_commands(operation, effect, schemas)


def _of_path(operation: Operation, effect: Effect, is_readable: bool) -> Iterator[tuple[str, Deed]]:
    parts = [bare(part) for part in segments(operation.path) if not parameter_of(part)]
    if not parts:
        return
    last = tokens_of_name(parts[-1])
    if last == ("power",) and not (operation.method == "PATCH" and is_readable):
        yield "the path", Deed("power", Risk.DISRUPT, "what has no power does not serve")
    is_told = _is_plainly_told(operation)
    is_setting = len(parts) > 1 and not _SETTINGS.isdisjoint(tokens_of_name(parts[-2])) and is_readable
    if is_setting and effect in (Effect.CREATE, Effect.UPDATE):
        return
    if is_told and len(last) > 1 and last[-1] in lexicon.STANDING:
        return
    if is_told and is_readable and (effect is Effect.UPDATE or (effect is Effect.CREATE and not _is_deed(last))):
        return
    forms = lexicon.FORMS_OF_ACTIONS if effect is Effect.ACT else lexicon.FORMS
    for at in range(len(parts) - 1, -1, -1):
        said = tokens_of_name(parts[at])
        is_verb = len(said) == 1 and said[0] in lexicon.STRONG and not is_told
        if at + 1 < len(parts) and not is_verb and not set(last) & _ALSO_BEFORE:
            break
        above = [token for part in parts[max(0, at - 2) : at] for token in tokens_of_name(part)]
        about = frozenset(above) | _told_about(operation)
        yield from (("the path", deed) for deed in deeds(said, forms, about))
        last, forms = said, lexicon.FORMS


def _is_deed(said: tuple[str, ...]) -> bool:
    """Whether a collection's noun is something that is done: `reboots`."""
    plain = [token for token in said if token not in lexicon.ADVERBS | lexicon.LIGHT | {"requests", "tasks", "jobs"}]
    return bool(plain) and all(t in lexicon.DEEDS or t.removesuffix("s") in lexicon.DEEDS for t in plain)


def _told_about(operation: Operation) -> frozenset[str]:
    """The words that the texts have for what it is done to; a verb that asks (`view`) is no such thing."""
    told = (*tokens_of_text(operation.summary), *tokens_of_text(first_sentence(operation)))
    return frozenset(token for token in told if token not in lexicon.ASKING_FORMS)


def _is_plainly_told(operation: Operation) -> bool:
    """Whether a text begins with a verb that is known and harms nothing."""
    said = [tokens_of_text(operation.summary), own_words(operation), tokens_of_text(first_sentence(operation))]
    ends = own_words(operation)[-1:]
    return any(head(tokens) in lexicon.PLAIN_FORMS for tokens in said) or bool(set(ends) & lexicon.AT_THE_END)


def _of_texts(operation: Operation) -> Iterator[tuple[str, Deed]]:
    for said in (tokens_of_name(bare(last_word(operation.path))), own_words(operation)):
        if values.says_that_data_are_lost(said):
            yield "the name", _LOSS
    if lexicon.STOPPING.isdisjoint(tokens_of_name(bare(last_word(operation.path)))):
        yield from (
            ("the description", _LOSS) for _ in phrases.MAY_LOSE.findall(operation.description[:4000].lower())[:1]
        )
    about = _told_about(operation)
    if own_words(operation):
        yield from (("the operation's id", deed) for deed in deeds_of_name(own_words(operation), about))
    if not _SHARED.match(operation.summary):
        yield from (("the summary", deed) for deed in deeds(tokens_of_text(operation.summary)))
    for number, sentence in enumerate(sentences(operation.description)):
        tokens = tokens_of_text(sentence)
        if _is_about_itself(tokens, is_alone=not operation.summary and number == 0, is_first=number == 0):
            yield from (("the description", deed) for deed in deeds(tokens))
    for text in (operation.summary, operation.description):
        yield from _of_phrases(text)


def _is_about_itself(tokens: tuple[str, ...], *, is_alone: bool, is_first: bool) -> bool:
    """Whether a sentence says what the operation does: the first one, or one that begins with `Reboots`."""
    first = head(tokens)
    if is_alone:
        return first not in lexicon.CONDITIONS
    if is_first and (first in lexicon.FORMS or first in lexicon.LIGHT_FORMS):
        return True
    # `Renames, destroys, or recovers a snapshot`, `Also renames or destroys it`: what else it does follows its verb.
    if (is_first or tokens[:1] == ("also",)) and first in lexicon.PLAIN_FORMS and first.endswith("s"):
        return True
    return first in lexicon.FORMS and first.endswith("s")


def _of_phrases(text: str) -> Iterator[tuple[str, Deed]]:
    plain = " ".join(re.sub(r"<[^<>]{0,200}>|[`*]", " ", text[:4000]).lower().split())
    for pattern, risk, why in phrases.PHRASES:
        for found in pattern.finditer(plain):
            before = plain[max(0, found.start() - 200) : found.start()]
            is_else = phrases.UNLESS.search(before[-80:]) or phrases.AFTER_AN_ERROR.search(before)
            if not is_else and not _is_negated(found.group()):
                yield "the description", Deed(found.group(), risk, why)
                break


def _is_negated(said: str) -> bool:
    return (
        re.search(r"\b(?:not|never|no|if|must be|should be|has been|have been)\b", said) is not None
        and "cannot" not in said
        and "can not" not in said
    )


def _of_commands(operation: Operation, effect: Effect, schemas: SharedSchemas) -> Iterator[tuple[str, Deed]]:
    """What takes any order at all may do anything."""
    said = tokens_of_name(bare(last_word(operation.path)))
    is_command = bool(said) and said[-1] in lexicon.COMMANDS and len(said) <= 2
    is_plain = len(said) > 1 and head(said) in lexicon.PLAIN_FORMS
    names_any = said == ("operation",) or (bool(said) and said[-1] in ("action", "actions"))
    is_action = names_any and effect is Effect.ACT and not is_plain
    if (is_command or is_action) and not values.names_choices(operation, schemas):
        yield "the path", Deed(said[-1], Risk.DISRUPT, "whatever is sent is done")


def _asks(operation: Operation) -> bool:
    """Whether name and summary alike ask for something."""
    name = head(tokens_of_name(bare(last_word(operation.path))))
    told = head(tokens_of_text(operation.summary or first_sentence(operation)))
    by_id = head(own_words(operation))
    return (name in lexicon.ASKING_FORMS or by_id in lexicon.ASKING_FORMS) and (
        not told or told in lexicon.ASKING_FORMS
    )


def _answers(operation: Operation, schemas: SharedSchemas) -> bool:
    reply = operation.success
    return reply is not None and bool(schemas.members(reply.schema) or schemas.element(reply.schema) is not None)


def _is_a_list_of(operation: Operation, schemas: SharedSchemas) -> bool:
    """Whether a list comes back page by page, or `…/list` is told nothing but ids and filters."""
    body = _asked_with(operation, schemas)
    sent = {words.joined(name) for name in (*body, *(p.name for p in operation.parameters if p.location == "query"))}
    in_pages = not sent.isdisjoint(_PAGES) and not sent.isdisjoint(_PAGE_SIZES)
    asks = tokens_of_name(bare(last_word(operation.path)))
    whose = {name for name in sent if name.endswith(("id", "ids"))}
    return _answers_with_list(operation, schemas) and (
        in_pages or (asks in _LISTING and bool(body) and sent - whose <= _FILTERS)
    )


def _is_said_to_change_nothing(operation: Operation, schemas: SharedSchemas) -> bool:
    """By a sentence, or since only filters are sent and a list comes back."""
    text = f"{operation.summary}. {operation.description}".lower()
    if phrases.CHANGES_NOTHING.search(text):
        return True
    sent = {words.joined(name) for name in _asked_with(operation, schemas)}
    is_asking = bool(sent) and sent <= _FILTERS
    return is_asking and _answers_with_list(operation, schemas) and not does_besides(operation)


def _answers_with_list(operation: Operation, schemas: SharedSchemas) -> bool:
    """Whether a list comes back, alone or as a member."""
    reply = operation.success
    if reply is None:
        return False
    shown = schemas.members(reply.schema).values()
    return bool(schemas.element(reply.schema)) or any(schemas.element(member) is not None for member in shown)


def _asked_with(operation: Operation, schemas: SharedSchemas) -> tuple[str, ...]:
    """The members of the body, and for an object that is about pages its members."""
    below = [tuple(at.split("/")[1:]) for at in asked_in_body(operation, schemas)]
    around = {at[0] for at in below if len(at) > 1}
    named = tuple(at[-1] for at in below if at[0] not in around or len(at) > 1)
    return named or tuple(values.members_of(operation, schemas))
