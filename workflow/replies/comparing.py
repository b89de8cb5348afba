"""Whether a device shows what was asked for: two JSON values compared member by member, by rules of type.

Pure, and the only place that says when two values are the same thing. What is asked for is a part of what is found:
further members do not count. Values that differ in form alone (a number as text, letters' case, a trailing dot, the
spelling of a MAC or IP address, a unit, a truth value in words, the order of a list, a list as text or with empty
places) are the same and told as such; whatever else differs is a difference. A profile may say how one member is
compared (`Comparison` in `workflow.profiles.profile`). Called by `workflow.replies.expectations`.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_interface
from itertools import accumulate
from typing import Literal
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from workflow.documents.document import Json
from workflow.json.pointers import NOTHING, escape

# `open`: an empty object was sent, which a device takes for no change, or for no entries.
Sameness = Literal["same", "form", "differs", "open"]
# `exact`: no other form counts. `rounded`: numbers within a hundredth. `unordered`: a list is a set.
# `ordered`: in another order a list is another (an order of boot).
Rule = Literal["", "exact", "rounded", "unordered", "ordered"]
RULES: tuple[Rule, ...] = ("exact", "rounded", "unordered", "ordered")

_LABELLED = frozenset(("value", "key", "label", "name", "title", "display", "text", "description"))
_PEM = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]{1,40}-----|\s+")
_NUMBER = re.compile(r"-?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_IN_A_ROW = re.compile(r"[^\s,]+(?:\s*,\s*[^\s,]+)+")
_NAME_WITH_DOT = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+\.", re.IGNORECASE)
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmgtpe]?i?b?)", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.0{1,9})?)?", re.ASCII)
_RATE = re.compile(r"[0-9.]{1,30}\s*([kmgtpe]i?(b)(?:ps|/s))", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_TIMES = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(ms|[smhd])")
_LASTING = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{1,9})?(?:ms|[smhd])){1,6}")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_IDENTITY = ("@odata.id", "id", "uuid", "href", "name")  # by which a thing that is named comes back as an object
_POWERS = {letter: number for number, letter in enumerate("kmgtpe", 1)}
_NEARLY = 0.01
_LONGEST_READ, _DEEPEST_READ = 100_000, 50  # characters of JSON in a text, and objects in one another
_TRUTHS = {"true": True, "yes": True, "on": True, "enabled": True, "enable": True, "1": True, "1.0": True} | {
    "false": False, "no": False, "off": False, "disabled": False, "disable": False, "0": False, "0.0": False
}  # fmt: skip
_PARTED_BY = (",", ";", "\n", " ")
_NO_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104  what fills the places of a list of addresses in which there is none


@dataclass(frozen=True, slots=True)
class Compared:
    """One plain value that was asked for. `place`: a JSON pointer; `found` is NOTHING where nothing is there."""

    place: str
    asked: Json
    found: Json
    sameness: Sameness


def compared(asked: Json, found: Json, rule: Rule = "", place: str = "") -> Iterator[Compared]:
    """Each plain value of `asked` beside what is found in its place."""
    if asked != found and isinstance(found, str) and rule != "exact":  # JSON as a text is compared member by member
        read = [_of_json_text(each) for each in (asked, found)]
        asked, found = read if all(isinstance(each, Mapping) for each in read) else (asked, found)
    if asked == {} and isinstance(asked, Mapping):
        yield Compared(place, asked, found, "same" if found in (NOTHING, None, {}) else "open")
    elif isinstance(asked, Mapping) and isinstance(found, Mapping):
        for name, value in asked.items():
            yield from compared(value, found.get(name, NOTHING), rule, f"{place}/{escape(str(name))}")
    elif isinstance(asked, list) and isinstance(found, list):
        yield Compared(place, asked, found, _lists(asked, found, rule))
    else:
        yield Compared(place, asked, found, sameness(asked, found, rule))


def sameness(asked: Json, found: Json, rule: Rule = "") -> Sameness:
    """Whether `found` is `asked`, or is it in another form. What is not there is the same as null or nothing in it."""
    if found is NOTHING or found is None:
        return "same" if asked is None else "form" if asked in ("", [], {}) else "differs"
    if _kind(asked) == _kind(found) and asked == found:
        return "same"
    if rule == "exact":
        return "differs"
    return "form" if _is_other_form(asked, found, rule) else "differs"


def _kind(value: Json) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _is_other_form(asked: Json, found: Json, rule: Rule) -> bool:
    read = [_of_json_text(each) for each in (asked, found)]
    if read != [asked, found] and all(isinstance(each, Mapping | list) for each in read):
        return sameness(read[0], read[1], rule) != "differs"
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        return all(each.sameness != "differs" for each in compared(asked, found, rule))
    if isinstance(asked, list) and isinstance(found, list):
        return _lists(asked, found, rule) != "differs"
    if isinstance(found, list) or isinstance(asked, list):
        return _is_wrapped(asked, found, rule)
    if isinstance(found, Mapping) or isinstance(asked, Mapping):
        return _names_thing(asked, found) or is_labelled(asked, found, rule)
    return _are_alike(asked, found, rule)


def _of_json_text(value: Json) -> Json:
    """What a text says that is an object or a list in JSON; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "[") or len(value) > _LONGEST_READ:
        return value
    if max(accumulate((mark in "{[") - (mark in "]}") for mark in value)) > _DEEPEST_READ:
        return value
    try:
        return json.loads(value, object_pairs_hook=_once_each)
    except ValueError:
        return value


def _once_each(members: list[tuple[str, Json]]) -> Json:
    """An object of which no member is there twice: what becomes of such a one nobody knows (RFC 8259, 4)."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member is there twice")
    return found


def _lists(asked: Sequence[Json], found: Sequence[Json], rule: Rule) -> Sameness:
    """By place; in any order it is another form, and so are further objects, which devices add on their own.

    Who asks for an empty list asks for nothing to be in it.
    """
    if not asked:
        return "differs" if found else "same"
    pairs = [sameness(one, other, rule) for one, other in zip(asked, found, strict=False)]
    if len(asked) == len(found) and "differs" not in pairs:
        return "form" if "form" in pairs else "same"
    if rule == "ordered":
        is_padded = len(found) > len(asked) and all(_is_empty_place(each, asked) for each in found[len(asked) :])
        return "form" if is_padded and "differs" not in pairs else "differs"
    left = list(found)
    for one in asked:
        at = next((n for n, other in enumerate(left) if sameness(one, other, rule) != "differs"), None)
        if at is None:
            return "differs"
        del left[at]
    return (
        "differs"
        if any(not isinstance(each, Mapping) and not _is_empty_place(each, asked) for each in left)
        else "form"
    )


def _is_empty_place(value: Json, asked: Sequence[Json]) -> bool:
    """Whether a further member of a list only fills a place: devices show lists of a fixed length."""
    is_of_addresses = value in _NO_ADDRESSES and all(isinstance(each, str) and _address(each) for each in asked)
    return value is None or value == "" or is_of_addresses


def _is_wrapped(asked: Json, found: Json, rule: Rule) -> bool:
    """One thing and a list of nothing else, or a list and the text of its members."""
    one, several = (found, asked) if isinstance(asked, list) else (asked, found)
    if several and all(sameness(one, each, rule) != "differs" for each in several):
        return True
    return isinstance(one, str) and any(_is_joined(one, several, mark, rule) for mark in _PARTED_BY)


def _is_joined(text: str, members: Sequence[Json], mark: str, rule: Rule) -> bool:
    """Whether the text is the members, in order, with the mark between them, which none of them has in it."""
    parts = [part.strip() for part in text.split(mark)]
    if len(parts) != len(members) or any(isinstance(each, Mapping | list) or mark in str(each) for each in members):
        return False
    return all(sameness(one, other, rule) != "differs" for one, other in zip(members, parts, strict=True))


def _names_thing(asked: Json, found: Json) -> bool:
    """An id, a name or an address, and the object that it is of."""
    named, thing = (found, asked) if isinstance(asked, Mapping) else (asked, found)
    if not isinstance(named, str | int) or isinstance(named, bool):
        return False
    values = [thing[key] for key in thing if str(key).lower() in _IDENTITY]
    return any(_are_alike(named, value, "") or _last_segment(value) == str(named) for value in values)


def is_labelled(asked: Json, found: Json, rule: Rule = "") -> bool:
    """A value that is shown with what people read for it: `active` as `{value: active, label: Active}`."""
    if not isinstance(found, Mapping) or isinstance(asked, Mapping) or not set(map(str.lower, found)) <= _LABELLED:
        return False
    value = next((member for name, member in found.items() if name.lower() in ("value", "key")), None)
    return value is not None and len(found) > 1 and sameness(asked, value, rule) != "differs"


def is_another_id(asked: Json, found: Json) -> bool:
    """Whether two ids are surely of two things; an address is its last segment, and what is no id is not compared."""
    if not all(isinstance(each, str | int) and not isinstance(each, bool) and each != "" for each in (asked, found)):
        return False
    one, other = (_last_segment(each).strip("{}") for each in (asked, found))
    is_of_one_kind = all(bool(kind.fullmatch(one)) == bool(kind.fullmatch(other)) for kind in (_NUMBER, _UUID))
    return is_of_one_kind and not _are_alike(one, other, "")


def _last_segment(value: Json) -> str:
    return unquote(str(value).rstrip("/").rpartition("/")[2])


def _are_alike(asked: Json, found: Json, rule: Rule) -> bool:
    """Two plain values, neither of them null."""
    one, other = _plain(asked), _plain(found)
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (rule == "rounded" and abs(one - other) <= _NEARLY * max(abs(one), abs(other)))
    if isinstance(one, bool) or isinstance(other, bool):
        is_told = isinstance(one, bool) or isinstance(asked, str)  # who asks for the number 1 does not ask for truth
        return is_told and _truth(one) is not None and _truth(one) is _truth(other)
    left, right = (normalize("NFC", str(each)).strip() for each in (asked, found))
    if left.casefold() == right.casefold():
        return not _counts_otherwise(left, right)
    if "-----BEGIN" in left + right and _PEM.sub("", left) == _PEM.sub("", right):
        return True
    if any(form(left) == form(right) is not None for form in _FORMS):
        return True
    return _has_prefix_too(left, right) or _is_decoded(left, str(found)) or _is_quoted(asked, found)


def _counts_otherwise(left: str, right: str) -> bool:
    """Whether two rates alike but for letters' case count the one bits and the other bytes (`Mbps`, `MBps`)."""
    rates = [_RATE.fullmatch(text) for text in (left, right)]
    units = [(rate[1], rate[2]) for rate in rates if rate is not None]
    if len(units) < len(rates) or any(unit in (unit.upper(), unit.lower()) for unit, _ in units):
        return False  # written in one case throughout, it says nothing
    return units[0][1] != units[1][1]


def _truth(value: Json) -> bool | None:
    return _TRUTHS.get(str(value).strip().lower())


def _has_prefix_too(asked: str, found: str) -> bool:
    """An address, and the same with the length of its net's prefix. The net itself, and what may be it, is another."""
    if "/" in asked or "/" not in found:
        return False
    try:
        shown = ip_interface(found)
        return shown.ip == ip_interface(asked).ip and shown.ip != shown.network.network_address
    except ValueError:
        return False


def _is_quoted(asked: Json, found: Json) -> bool:
    """What was sent as a text is shown as the JSON of that text, with its marks (RFC 8259, 7)."""
    if not isinstance(asked, str) or not isinstance(found, str) or found[:1] != '"':
        return False
    try:
        return bool(json.loads(found) == asked)
    except ValueError:
        return False


def _is_decoded(asked: str, found: str) -> bool:
    """What was sent as base64 (RFC 4648) is shown as the text that it stands for."""
    try:
        return bool(asked) and b64decode(asked, validate=True) == found.encode()
    except ValueError:
        return False


def _plain(value: Json) -> Json:
    """A number as a float and a truth value as such, also out of their texts; else the value."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    return {"true": True, "false": False}.get(text.lower(), value)


def _mac(text: str) -> str | None:
    return re.sub(r"[^0-9a-f]", "", text.lower()) if _MAC.fullmatch(text) else None


def _name(text: str) -> str | None:
    """A name of the DNS, with or without the dot that ends it."""
    return text.rstrip(".").lower() if _NAME_WITH_DOT.fullmatch(text.rstrip(".") + ".") else None


def _address(text: str) -> str | None:
    try:
        return str(ip_interface(text))
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    if not _DATE.match(text):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _amount(text: str) -> float | None:
    """A size with its unit, in single units: `2 GiB`, `2048Mi`, `1.5 GB`."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    unit = found[2].lower().removesuffix("b")
    base = 1024 if unit.endswith("i") else 1000
    power = _POWERS.get(unit[:1], 0)
    return None if unit == "i" else float(found[1]) * base**power


def _amount_of_1024(text: str) -> float | None:
    """A size whose unit does not say which thousand it counts by: where both are by 1024, they may be the same."""
    found = _QUANTITY.fullmatch(text)
    unit = found[2].lower().removesuffix("b") if found else ""
    return float(found[1]) * 1024.0 ** _POWERS[unit] if found and unit in _POWERS else None


def _duration(text: str) -> float | None:
    """A length of time in seconds: `1h30m`, `90s`; a bare number is in seconds already."""
    if _NUMBER.fullmatch(text):
        return float(text)
    parts = _TIMES.findall(text) if _LASTING.fullmatch(text) else []
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) if parts else None


def _url(text: str) -> tuple[str, str, str, str] | None:
    parts = urlsplit(text) if "://" in text else None
    return (parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query) if parts else None


def _clock(text: str) -> str | None:
    """A time of day, with or without seconds that are none: `04:00`, `04:00:00`."""
    found = _CLOCK.fullmatch(text)
    return f"{found[1]:0>2}:{found[2]}:{found[3] or '00'}" if found else None


def _listed(text: str) -> str | None:
    """Words in a row, with or without blanks behind the commas: `10.0.0.1, 10.0.0.2`."""
    return ",".join(part.strip() for part in text.lower().split(",")) if _IN_A_ROW.fullmatch(text) else None


_FORMS = (_clock, _listed, _mac, _name, _address, _moment, _amount, _amount_of_1024, _duration, _url)
