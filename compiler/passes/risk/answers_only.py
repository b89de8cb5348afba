"""POSTs with a body of their own that only answer: searches, counts, comparisons, previews, estimates, validations.

Wanted is evidence of both kinds. That it asks: the word in its address asks, a text begins with a word that asks, and
nothing in address, id or texts speaks of a deed, a secret, or of what is taken over. That nothing changes: it answers
at once (200), with what such a question is answered with (a list, a number, what is wrong), not with a new thing, and
nothing stands below its address that could have been made there. `verify`, `test`, `simulate` and `evaluate` are not
among the words: they send, charge and confirm in too many APIs. Nobody who is not told so by a profile takes such a
read for safe (`Operation.is_safe`). Called by `judging`.
"""

from compiler.ir.model import Operation
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import last_word
from compiler.passes.risk import lexicon
from compiler.passes.risk.asked_by_post import TAKING, TELLING, does_besides
from compiler.passes.risk.clauses import head, tokens_of_name, tokens_of_text
from compiler.passes.risk.texts import bare, first_sentence, own_words

_SEARCHING = frozenset({"search", "query", "filter", "find", "lookup"})
_COUNTING = frozenset({"count", "counts"})
_COMPUTING = frozenset({"compare", "comparison", "diff", "preview", "estimate", "calculate", "explain", "lint"})
_CHECKING = frozenset({"validate", "validation"})
_ENDS = _SEARCHING | _COUNTING | {"preview", "estimate", "comparison", "diff"}  # `price-estimate`, `advanced-search`
_FAULTS = frozenset(
    {"valid", "invalid", "error", "errors", "warnings", "violations", "issues", "problems", "diagnostics"}
)
_GOING_ON = frozenset({"done", "job", "task", "operation", "jobid", "taskid", "operationid"})  # only begun
_MADE = frozenset({"id", "uuid", "self", "href", "created", "status", "state", "job", "task", "name"})
_MOST_OF_A_COUNT = 4  # members
_HEADS = TELLING | {
    "search",
    "searches",
    "query",
    "queries",
    "performs",
    "perform",
    "executes",
    "execute",
    "calculates",
}


def only_answers(operation: Operation, schemas: SharedSchemas, *, stands_alone: bool) -> bool:
    """Whether it asks, and its answer is all that comes of it. `stands_alone`: nothing stands below its address."""
    asked = _asked(operation)
    return bool(asked) and stands_alone and not _speaks_of_more(operation) and _answers(operation, schemas, asked)


def _asked(operation: Operation) -> frozenset[str]:
    """The words of the address that ask, where a text begins with such a word as well."""
    said = tokens_of_name(bare(last_word(operation.path)))
    found = frozenset({*({head(said)} - {""}), *({said[-1]} & _ENDS if said else ())})
    told = [tokens_of_text(text) for text in (operation.summary, first_sentence(operation)) if text]
    heads = [head(sentence) for sentence in told if len(sentence) > 1]  # `Search` alone says no more than the address
    is_told = any(word in _HEADS for word in heads) and not any(head(each) in lexicon.CHANGING_FORMS for each in told)
    return found & (_SEARCHING | _COUNTING | _COMPUTING | _CHECKING) if is_told else frozenset()


def _speaks_of_more(operation: Operation) -> bool:
    name, said = own_words(operation), tokens_of_name(bare(last_word(operation.path)))
    told = tokens_of_text(operation.summary or first_sentence(operation))
    plain = {*name, *said}
    acts = plain & (lexicon.FORMS.keys() | lexicon.CHANGING) or not TAKING.isdisjoint(plain)
    return bool(acts) or not lexicon.SECRETS.isdisjoint({*plain, *told}) or does_besides(operation)


def _answers(operation: Operation, schemas: SharedSchemas, asked: frozenset[str]) -> bool:
    good = {reply.status for reply in operation.responses if reply.status.startswith("2")}
    reply = operation.success
    if good != {"200"} or reply is None or reply.schema is None:
        return False
    shown = schemas.members(reply.schema)
    lists = schemas.element(reply.schema) is not None or any(schemas.element(m) is not None for m in shown.values())
    plain = {word for name in shown for word in words.split(name)}
    if not _GOING_ON.isdisjoint(words.joined(name) for name in shown):
        return False
    if asked & _SEARCHING and lists:
        return True
    if asked & _COUNTING:
        is_number = any(schemas.kind(each) in ("integer", "number") for each in (reply.schema, *shown.values()))
        return is_number and len(shown) <= _MOST_OF_A_COUNT
    if asked & _CHECKING:
        return not plain.isdisjoint(_FAULTS) and plain.isdisjoint({"id", "uuid"})
    return bool(asked & _COMPUTING) and bool(shown) and _MADE.isdisjoint(name.lower() for name in shown)
