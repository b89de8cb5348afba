"""What an operation says of itself: the sentences of its texts, and the words of its names.

Pure text, without a thought of what the words mean; called by `judging` and `safe_methods`.
"""

import re

from compiler.ir.model import Operation
from compiler.passes.risk.clauses import tokens_of_name

_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n\s*[-*#>]\s*|\bNOTE\W{0,4}:|</[a-z0-9]{1,3}>")
_MOST_SENTENCES = 12  # what is said further down is about particular members


def bare(segment: str) -> str:
    """The segment without parameters and without what stands before its verb: `{id}:reboot`, `Chassis.Reset`."""
    plain = re.sub(r"\{[^{}]*\}", "", segment)
    plain = plain.rpartition(":")[2] or plain  # `deployments:generateReport`
    return plain.rpartition(".")[2] or plain


def sentences(text: str) -> list[str]:
    return [s for s in _SENTENCES.split(text.strip()) if s.strip()][:_MOST_SENTENCES]


def first_sentence(operation: Operation) -> str:
    """Of the description; "" where there is none."""
    return next(iter(sentences(operation.description)), "")


def own_words(operation: Operation) -> tuple[str, ...]:
    """The words of the operation's id, without a method at its start and without what the path's parameters say."""
    name = operation.name
    said = () if "/" in name or "{" in name else tokens_of_name(name)
    return said[1:] if said[:1] == (operation.method.lower(),) else said
