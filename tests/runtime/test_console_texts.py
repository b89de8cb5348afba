"""Whatever descriptions, models, devices and callers say is text on every page: 200 hostile ones, in every place.

Each page is made of a value that is hostile wherever it holds a text, and read as a browser reads it: what comes out
has the same elements and attributes as the page of plain texts, and the texts stand in it as text.
"""

import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.console import rendering
from tests.runtime.console_pages import Say, pages
from workflow.visible import is_visible, visible

Json = Any
BEGINNINGS = (
    "",
    '"',
    "'",
    "-->",
    "</td>",
    "</pre>",
    "</title>",
    "]]>",
    "`",
    "${",
    "&quot;",
    "\\",
    "\r\n\r\n",
    "</textarea>",
)
CORES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 191 }}",
    "{% for x in ().__class__.__mro__ %}x{% endfor %}",
    "<a href=//evil.example>here</a>",
    "<style>*{display:none}</style>",
    " onmouseover=alert(1) x=",
    "<meta http-equiv=refresh content=0>",
    "<form action=//evil.example><input name=csrf>",
    "\u202eevil\u202c",
    "zero\u200bwidth\u2060",
    "\U000e0041\U000e0042",
    "\x1b[2Jx",
    "<iframe srcdoc='<script>1</script>'>",
)
HOSTILE = [f"{first}{core}" for core in CORES for first in BEGINNINGS][:200]


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, without what depends on the length of a list."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.text += [value or "" for name, value in attrs if name in ("value", "placeholder", "title", "datetime")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def rendered(template: str, values: dict[str, Json], say: Say) -> str:
    caller = SimpleNamespace(name=say(), role=say(), scope=SimpleNamespace(is_whole=True))
    visitor = SimpleNamespace(caller=caller, csrf="c", via="session")
    frame = {
        "visitor": visitor,
        "navigation": [("Queue", "/console/queue")],
        "here": "/",
        "may": lambda *_: True,
        "desk": None,
    }
    return bytes(rendering.page(template.partition(" ")[0], **frame, **values).body).decode()


def plain() -> str:
    return "plain"


TEMPLATES = sorted(pages(plain))


def saying(texts: list[str]) -> tuple[Say, list[str]]:
    """Says the texts in turn, and which were said."""
    said: list[str] = []

    def say() -> str:
        said.append(texts[len(said) % len(texts)])
        return said[-1]

    return say, said


@pytest.mark.parametrize("template", TEMPLATES)
def test_hostile_texts_make_no_element_no_attribute_and_no_address(template: str) -> None:
    say, _ = saying([f"plain {number}" for number in range(len(HOSTILE))])
    shape = Shape(rendered(template, pages(say)[template], say))
    for turn in range(0, len(HOSTILE), 70):  # each of the 200 comes to stand in other places of the page
        say, said = saying(HOSTILE[turn:] + HOSTILE[:turn])
        page = rendered(template, pages(say)[template], say)
        seen = Shape(page)
        assert seen.elements == shape.elements, first_difference(seen.elements, shape.elements)
        assert [a for a in seen.addresses if not re.match(r"/(?![/\\])|#|$", a)] == []
        assert "1337" not in page, "nothing of a text is a template"
        assert all(is_visible(character) or character == "\n" for character in page)
        assert len(said) > 3


def first_difference(one: list[Any], other: list[Any]) -> Any:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return at, one[at : at + 3], other[at : at + 3]


def test_there_are_200_of_them_and_each_is_hostile_to_somebody() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) == 200


def test_a_hostile_text_stands_on_the_page_as_it_is_as_far_as_it_can_be_seen() -> None:
    for text in HOSTILE:
        page = rendered(
            "settings.html",
            {"rows": [{"name": text, "value": 1, "source": "x", "is_secret": False, "meaning": "y"}]},
            plain,
        )
        assert visible(text).strip() in "".join(Shape(page).text).replace("\r", "")


def test_every_template_that_shows_something_is_tried() -> None:
    shown = {name for name in rendering.environment().list_templates() if not name.startswith("_")}
    assert shown - {each.partition(" ")[0] for each in TEMPLATES} == {"login.html", "lost.html"}


def test_no_template_says_that_a_text_is_safe_or_has_a_script_or_a_style_of_its_own() -> None:
    loader = rendering.environment().loader
    assert loader is not None
    for name in rendering.environment().list_templates():
        source = loader.get_source(rendering.environment(), name)[0]
        assert not re.search(r"\|\s*safe|autoescape|<style|\son\w+=|style=|<script(?! src=\"\{\{ static)", source), name
        assert not re.search(r"<[a-z][^>]*\s[\w-]+=\{\{", source), f"{name}: an attribute without quotation marks"
