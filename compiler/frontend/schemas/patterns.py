"""Which regular expressions of a description are kept: those that the validator can build, within a bounded time.

Here lives the judging of patterns; one `PatternJudge` serves one compile. Called by `schemas`.
Building is asked of jsonschema-rs, since it judges all inputs later and refuses a whole schema for one bad pattern
(Java's classes, `[\\w-.]`). One pattern can take 0.4 s to build (`\\p{L}{1,400}`), so a budget is kept: an estimate
from the text, not a clock, so that every machine keeps the same patterns.
"""

import re

from workflow.errors import ExpressionError
from workflow.json.patterns import Pattern

_LONGEST = 2_000
_BUDGET = 2_000.0  # about milliseconds, by the costs below, which were measured on two cores of 2026
_COUNT = re.compile(r"\{(?:\d+,)?(\d+)\}")
_UNICODE_CLASS = re.compile(r"\\[pP]|\(\?[=!<].*\\w", re.DOTALL)
_WIDE_CLASS = re.compile(r"\\[SWDw]|\.|\[\^|[^\x00-\x7f]")


class PatternJudge:
    """Remembers its verdicts; equal patterns cost once."""

    def __init__(self) -> None:
        self._verdicts: dict[str, str] = {}
        self._spent = 0.0

    def fault(self, pattern: str) -> str:
        """Why `pattern` cannot be kept, "" when it can."""
        if pattern not in self._verdicts:
            self._verdicts[pattern] = self._judge(pattern)
        return self._verdicts[pattern]

    def _judge(self, pattern: str) -> str:
        if len(pattern) > _LONGEST:
            return f"is a regular expression of {len(pattern)} characters; at most {_LONGEST} are kept"
        self._spent += estimated_cost(pattern)
        if self._spent > _BUDGET:
            return "comes after more regular expressions than are built in reasonable time"
        try:
            Pattern(pattern)
        except ExpressionError:
            return "is not a regular expression that can be built and runs in linear time"
        return ""


def estimated_cost(pattern: str) -> float:
    """Milliseconds that building may take, from its length, its repetitions and the breadth of its classes."""
    counts = [min(int(count), 100_000) for count in _COUNT.findall(pattern) if len(count) < 7]
    repetitions: float = sum(counts)
    if "){" in pattern:  # one repetition within another
        repetitions = 1.0
        for count in counts:
            repetitions = min(repetitions * max(count, 1), 1_000_000.0)
    wide = _WIDE_CLASS.search(pattern) is not None
    each = 0.5 if _UNICODE_CLASS.search(pattern) else 0.03 if wide else 0.002
    # Building stops at a size that takes some 0.4 s to reach.
    return min(repetitions * each + len(pattern) * (0.3 if "\\" in pattern and wide else 0.02), 400.0)
