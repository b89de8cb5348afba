"""Two wordings of one deed held against each other: which says the same, and which says more.

Pure over words; which of the two is taken, `naming` decides, which alone calls this.
"""

from collections.abc import Sequence

from compiler.passes.flows.wording import linter as wording
from compiler.passes.names import words


def is_in_order(rest: Sequence[str], said: Sequence[str]) -> bool:
    """`Redis database` for `database Redis`: the same words without any between them, in another order."""
    told = [word for word in said if word not in ("a", "an", "the")]
    turned = ["".join([*rest[at:], *rest[:at]]) for at in range(1, len(rest))]  # `KeyDB` may be two words
    return not wording.EMPTY_WORDS & {*rest, *told} and "".join(told) in turned


def is_kept(rest: Sequence[str], said: Sequence[str]) -> bool:
    """Whether a title names as deleted what something is deleted from: `Delete cache`, which stays."""
    at = said.index("from")
    return {*rest} <= {*said[at:]} and {*rest}.isdisjoint(said[:at])


def says_more(rest: Sequence[str], verb: str, said: Sequence[str]) -> bool:
    """`List DAG runs` for `List DAG`: the same is done, and to what is said with a word more."""
    return said[0] == verb and bool(rest) and len(said) == len(rest) + 2 and [*said[1:-1]] == [*rest]


def says_plainly(rest: Sequence[str], verb: str, said: Sequence[str]) -> bool:
    """`List mapped task instances` for `List mapped of DAG run task instance`."""
    things = {words.singular(word) for word in said[1:]} - wording.EMPTY_WORDS
    return said[0] == verb and "of" in rest and len(things) > 1 and things <= {words.singular(word) for word in rest}
