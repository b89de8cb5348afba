"""Initials in the API's own spelling: what its prose writes in capitals (`DAG`) is written so in titles and texts.

Only words that the API's things are called by, and only where the description's prose has them in capitals more often
than not: capitals that warn (`MUST`) or name methods are no things. Names stay in small letters. Called by `naming`.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from compiler.ir.model import Api, Flow
from compiler.passes.flows.wording import linter as wording
from compiler.passes.names import words

_WORD = re.compile(r"\b[A-Za-z]{2,6}\b")
_MOST, _SEEN = 5, 2  # letters; how often prose has to write them so


def initials_of(api: Api) -> Mapping[str, str]:
    """Words of the things' names that the description's own prose writes in capitals: `dag` → DAG."""
    named = {word for r in api.resources for word in words.split(r.name) if 1 < len(word) <= _MOST}
    prose = " ".join(f"{o.summary} {o.description}" for o in api.operations)
    counted = Counter(word.removesuffix("s") for word in _WORD.findall(prose))
    of_verbs = wording.KNOWN_VERBS | wording.EMPTY_WORDS
    return {
        word: word.upper()
        for word in sorted(named - of_verbs)
        if counted[word.upper()] >= _SEEN and counted[word.upper()] > counted[word] + counted[word.capitalize()]
    }


def spelled(flow: Flow, initials: Mapping[str, str]) -> Flow:
    """With the title and what is told of it and its inputs in the API's own spelling."""
    if not initials:
        return flow
    said = re.compile(rf"(?<![\w/.`$-])({'|'.join(initials)})(?=s?(?![\w/`-]))", re.IGNORECASE)

    def told(text: str) -> str:
        return said.sub(lambda found: initials[found.group().lower()], text)

    inputs = tuple(replace(given, description=told(given.description)) for given in flow.inputs)
    return replace(flow, title=told(flow.title), description=told(flow.description), inputs=inputs)
