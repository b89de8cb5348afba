"""Texts of devices made fit to be shown: one line, nothing hidden, places filled, bounded; and texts out of markup.

What a device says ends in front of people and models, as a quotation. Here lives how a single text becomes a sentence;
where in a reply the texts are is the business of `device_messages`. No parser of XML or HTML: replies are hostile, and
a message is all that is wanted of them. Pure.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from workflow.documents.templates import text_of
from workflow.json.pointers import NOTHING
from workflow.visible import quotable

Json = Any
Clean = Callable[[str], str]

MOST_SENTENCES = 5
MOST_CHARACTERS = 300  # a sentence, or two; more is a page
_MOST_READ = 64 * 1024  # of a page, where its title and its first heading stand
_MOST_BEFORE = 1000  # characters in which a page begins
_MOST_WHOLE = 4000  # of a text before secrets are taken out of it: a cut must not leave half of one
_PHRASES = frozenset(status.phrase.lower() for status in HTTPStatus)
# Say nothing where something else is said. Redfish, DSP0266: a general error only points to the others.
_EMPTY = frozenset({"error", "failure", "failed", "fail", "none", "null", "unknown error", "general error"})
_POINTS_ELSEWHERE = re.compile(r"see @?(message\.)?extendedinfo", re.IGNORECASE)
_MARK = re.compile(r"%@|%s|%(?P<one>[1-9])(?!\d)|\{(?P<nought>\d)\}|\{(?P<name>[A-Za-z_]\w{0,63})\}")
_UNCOUNTED = ("%@", "%s")
_GAP = "…"

# Every pattern below stops at the next bracket, and openings are looked for once: a page cannot make them slow.
_TAG = re.compile(r"<[^<>]{0,4000}>")
_ELEMENT = re.compile(
    r"<(?:[\w-]{1,40}:)?(?P<tag>[A-Za-z][\w.-]{0,40})(?:\s[^<>]{0,400})?>(?P<text>[^<>]{1,2000})</", re.DOTALL
)
_SAYING = frozenset(
    {"faultstring", "text", "reason", "message", "title", "detail", "details", "description", "error", "errormessage"}
    | {"msg", "errordescription", "statusmessage", "fault", "exceptionmessage", "diagnostics"}
)


def one_line(text: str, clean: Clean) -> str:
    """`text` as it may be quoted: visible, on one line, without quotation marks of ours or secrets, cut."""
    line = clean(quotable(text, _MOST_WHOLE))
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1].rstrip() + "…"


def told_once(texts: Iterable[str], clean: Clean) -> tuple[str, ...]:
    """The sentences, each once: the fuller where one holds another, and none that says nothing beside others."""
    kept: list[str] = []
    for line in (one_line(text, clean) for text in texts):
        if not line or any(_is_in(line, each) for each in kept):
            continue
        places = [number for number, each in enumerate(kept) if _is_in(each, line)]
        kept = [each for number, each in enumerate(kept) if number not in places]
        kept.insert(places[0] if places else len(kept), line)
    telling = [line for line in kept if not says_nothing(line)]
    return tuple((telling or kept)[:MOST_SENTENCES])


def _is_in(part: str, whole: str) -> bool:
    return part.rstrip(".").lower() in whole.lower()


def says_nothing(line: str) -> bool:
    """Whether it only repeats what a status says, or points elsewhere."""
    plain = re.sub(r"^\d{3}\s*[-:]?\s*", "", line.strip().rstrip(".!")).lower()
    return plain in _PHRASES | _EMPTY or not plain or bool(_POINTS_ELSEWHERE.search(plain))


def filled(text: str, values: Json = NOTHING) -> str:
    """`text` with its marks (`%1`, `{0}`, `{name}`, and in turn `%@`, `%s`) filled; what has no value is a gap.

    Marks that are counted or named are taken for marks only where there are values.
    """
    given = list(values) if isinstance(values, list | tuple) else []
    named = values if isinstance(values, Mapping) else {}
    turn = iter(given)

    def value(found: re.Match[str]) -> str:
        if found[0] in _UNCOUNTED:
            return _plain(next(turn, _GAP)) if given or found[0] == "%@" else found[0]
        if found["name"]:
            return _plain(named[found["name"]]) if found["name"] in named else found[0]
        number = int(found["one"]) - 1 if found["one"] else int(found["nought"])
        return found[0] if not given else _plain(given[number]) if number < len(given) else _GAP

    return _MARK.sub(value, text)


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else text_of(value)[:MOST_CHARACTERS]


def is_page(text: str) -> bool:
    """Whether it is a page of HTML, whatever it is called."""
    return text[:_MOST_BEFORE].lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html", "<head", "<body"))


def texts_of_markup(text: str, media_type: str) -> Iterator[str]:
    """What a reply that is no JSON says: an HTML page's title and heading, a message of XML, the text itself."""
    shown = text[:_MOST_READ]
    if "html" in media_type or is_page(shown):
        yield from _of_page(shown)
    elif "xml" in media_type or shown.lstrip("\ufeff \t\r\n").startswith("<"):
        yield from _of_xml(shown)
    else:
        yield shown


def _of_page(page: str) -> Iterator[str]:
    # A title alone may be the product's name; what stands below it is what happened.
    told = [text for text in (_first(page, "title"), _first(page, "h1")) if text]
    yield from told
    if not told or all(says_nothing(text) for text in told):
        for start, end in (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"), ("<head>", "</head>")):
            page = _without(page, start, end)
        yield _bare(page)


def _first(page: str, tag: str) -> str:
    """The text of the first element of this name."""
    lower = page.lower()
    start = lower.find(f"<{tag}")
    text, end = lower.find(">", start) + 1, lower.find(f"</{tag}", start)
    return _bare(page[text:end]) if 0 <= start < text <= end else ""


def _without(page: str, start: str, end: str) -> str:
    lower, kept, at = page.lower(), [], 0
    while (begin := lower.find(start, at)) >= 0:
        kept.append(page[at:begin])
        close = lower.find(end, begin)
        if close < 0:
            return " ".join(kept)
        at = close + len(end)
    return " ".join([*kept, page[at:]])


def _of_xml(text: str) -> Iterator[str]:
    before, *sections = text.split("<![CDATA[")
    plain = before + "".join(html.escape(in_it) + behind for in_it, _, behind in (s.partition("]]>") for s in sections))
    found = [(each["tag"].lower(), _bare(each["text"])) for each in _ELEMENT.finditer(plain)]
    code = next((value for tag, value in found if tag in ("code", "faultcode", "errorcode")), "")
    said = [value for tag, value in found if tag.replace("_", "") in _SAYING and value]
    for number, value in enumerate(said):
        yield f"{value} ({code})" if code and number == 0 else value
    if not said:
        yield _bare(plain)


def _bare(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())
