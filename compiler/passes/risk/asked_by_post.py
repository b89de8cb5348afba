"""Reads that are POSTs, in an API in which everything is one: `DescribeClusters` beside `CreateCluster`.

Where all is sent by POST, something has to read. That is the evidence that nothing changes, and it counts only where
the name and the text alike ask, something is answered, and no word speaks of a deed, of a secret or of taking something
over. Never by a name alone; nobody who is not told so by a profile takes such a read for safe (`Operation.is_safe`).
Called by `judging`.
"""

from collections.abc import Iterable

from compiler.ir.model import Operation
from compiler.passes.risk import lexicon
from compiler.passes.risk.clauses import head, tokens_of_name, tokens_of_text
from compiler.passes.risk.texts import bare, own_words, sentences

_ENOUGH = 8  # operations: of fewer nobody can tell a habit
_NEARLY_ALL = 0.9
_SEVERAL = 3  # that ask, and as many that change: where all ask nothing tells one from the other
_ASKING = frozenset({"describe", "list", "get", "search", "find", "read", "count", "show", "fetch"})
TELLING = lexicon.ASKING_FORMS | {"provides", "provide", "paginated", "gives"}
# What hands something over, and who asks again is not given the same: work, a place, the right to come in.
TAKING = frozenset(
    [
        *("and", "or", "then", "next", "poll", "receive", "claim", "lease", "pop", "consume", "dequeue", "reserve"),
        *("assume", "session", "login", "signed", "presigned", "temporary", "authorization", "grant", "generate"),
    ]
)
_BEFORE_A_DEED = frozenset({"", "and", "then", "it", "also", "operation", "action", "call", "which", "that"})
_AFTER_A_DEED = frozenset({"it", "them", "the", "a", "an", "all", "each", "every", "this", "these", "those", "any"})
_SENTENCES = 3  # of a text that are about what is done


def asks_by_post(operations: Iterable[Operation]) -> bool:
    """Whether an API does all by POST and says with a verb what is done: several ask, several change."""
    known = [operation for operation in operations if operation.method not in ("HEAD", "OPTIONS")]
    posts = [operation for operation in known if operation.method == "POST"]
    if len(known) < _ENOUGH or len(posts) < _NEARLY_ALL * len(known):
        return False
    verbs = [_verb(operation) for operation in posts]
    asking = sum(verb in _ASKING for verb in verbs)
    changing = sum(verb in lexicon.FORMS or (verb in lexicon.PLAIN and verb not in lexicon.ASKING) for verb in verbs)
    return asking >= _SEVERAL and changing >= _SEVERAL and asking + changing >= len(posts) / 2


def only_asks(operation: Operation) -> bool:
    """Whether name and text alike ask, and nothing in either speaks of more than an answer."""
    name = own_words(operation) or tokens_of_name(bare(operation.path.rpartition("/")[2]))
    told = [
        tokens_of_text(text) for text in (operation.summary, *sentences(operation.description)[:_SENTENCES]) if text
    ]
    if _verb(operation) not in _ASKING or not told or head(told[0]) not in TELLING:
        return False
    said = {*name, *(token for sentence in told[:1] for token in sentence)}
    if not TAKING.isdisjoint(name) or not lexicon.SECRETS.isdisjoint(said):
        return False
    return not any(_does(sentence) for sentence in told)


def does_besides(operation: Operation) -> bool:
    """Whether a text says what is done besides the answer."""
    told = (operation.summary, *sentences(operation.description)[:_SENTENCES])
    return any(_does(tokens_of_text(text)) for text in told if text)


def _verb(operation: Operation) -> str:
    return head(own_words(operation) or tokens_of_name(bare(operation.path.rpartition("/")[2])))


def _does(sentence: tuple[str, ...]) -> bool:
    """Whether a sentence has, before or behind what it asks for, what is done besides: `… and marks it as read`."""
    for before, token, behind in zip(("", *sentence), sentence, (*sentence[1:], ""), strict=False):
        base = lexicon.CHANGING_FORMS.get(token)
        if base is None:
            continue
        if token != base and before in _BEFORE_A_DEED:
            return True
        if token == base and before in ("and", "then") and behind in _AFTER_A_DEED:  # `Search flows and mark them`
            return True
    return False
