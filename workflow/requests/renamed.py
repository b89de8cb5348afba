"""Actions that a device has under another name than the described one, where the profile lets the ending tell.

`…/Actions/Maker_7_Box.Export` of one generation is `…/Actions/MakerBox.Export` of the next. The address that the device
names is used then, and only so far: beside the approved one, its last segment plain letters, and behind its last dot
the same word. Nothing else that a device says of an address is ever sent to. Pure. Called by `requests`, and by the
driver, which judges the path once more before it leaves.
"""

import re
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")


def is_other_name(name: str, approved: str) -> bool:
    """Whether `name` may stand where `approved` was described: another name of the same action."""
    return _NAME.fullmatch(name) is not None and ending_of(name) == ending_of(approved) != ""


def ending_of(name: str) -> str:
    """What stands behind the last dot, "" where there is none."""
    return name.rpartition(".")[2] if "." in name else ""


def other_name(told: str, approved: str) -> str:
    """The last segment of the address `told`, where it is another name beside the path `approved`; else ""."""
    holder, _, name = urlsplit(told).path.rstrip("/").rpartition("/")
    where, _, described = approved.rpartition("/")
    return name if unquote(holder) == unquote(where) and is_other_name(name, described) else ""


def at_name(path: str, name: str) -> str:
    """`path`, a template or a concrete one, with `name` as its last segment; as it is where there is no name."""
    return f"{path.rpartition('/')[0]}/{name}" if name else path
