"""Text with runtime expressions in it: `https://{$inputs.host}/x` (Arazzo 1.1, "Runtime Expressions").

Here live finding the expressions and turning values into text; braces without `$` behind them are plain text, so that
regular expressions keep theirs. How a value is escaped is the caller's business: see `selectors`, `criteria`,
`values`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from workflow.documents.document import Json
from workflow.documents.expressions import Expression, parse_expression
from workflow.documents.scope import Scope
from workflow.json.pointers import NOTHING, Nothing

_EMBEDDED = re.compile(r"\{(\$[^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """Literal text and expressions in turn."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if isinstance(part, Expression))

    def fill(self, scope: Scope, escape: Callable[[str], str] | None = None) -> str | Nothing:
        """The text with each value put in, escaped; NOTHING if one of the values is."""
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            value = part.evaluate(scope)
            if value is NOTHING:
                return NOTHING
            pieces.append(escape(text_of(value)) if escape else text_of(value))
        return "".join(pieces)


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """The template that `text` is. Raises ExpressionError for a `{$…}` that holds no expression."""
    parts: list[str | Expression] = []
    at = 0
    for found in _EMBEDDED.finditer(text):
        if found.start() > at:
            parts.append(text[at : found.start()])
        parts.append(parse_expression(found[1]))
        at = found.end()
    if at < len(text):
        parts.append(text[at:])
    return Template(tuple(parts))


def text_of(value: Json) -> str:
    """A value as the text that stands for it: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
