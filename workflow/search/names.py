"""Names of single things in what people say: "srv-tmp", "web-04". In one word, they are told as such.

A word with hyphens is one when a part of it is known neither to an index nor to the trade, or is letters and digits.
Pure; what is known is told by the caller. Called by `index`; what such a name may be of is `question`.
"""

import re
from collections.abc import Callable, Collection

from workflow.search.stems import stems_of

# What a name that begins so is of: "vol-data".
_SHORT = {"vol": "volume", "snap": "snapshot", "disk": "disk", "lb": "load balancer", "vlan": "vlan", "img": "image"}
# Such a short form is no word of its own beside another.
_ONLY_IN_NAMES = frozenset(("vol", "img"))
_HYPHENED = re.compile(r"(?<![\w.-])[^\W_]+(?:-[^\W_]+)+(?![\w-])")


def with_names(text: str, is_known: Callable[[str], bool], heard: Collection[str]) -> str:
    """`text` with each such name as one word that has a digit in it."""

    def written(found: re.Match[str]) -> str:
        parts = found[0].lower().split("-")
        stems = stems_of(parts)
        if all(each.isdigit() for each in parts) or all(_says(stems[each], is_known, heard) for each in parts):
            return found[0]
        joined = "".join(parts)
        name = joined if any(sign.isdigit() for sign in joined) else f"{joined}0"
        return f"{_SHORT[parts[0]]} {name}" if parts[0] in _SHORT else name

    return _HYPHENED.sub(written, text)


def _says(stem: str, is_known: Callable[[str], bool], heard: Collection[str]) -> bool:
    return (stem in heard and stem not in _ONLY_IN_NAMES) or (
        is_known(stem) and not any(sign.isdigit() for sign in stem)
    )
