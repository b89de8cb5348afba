"""Whatever text a description or a document brings, a tool shows nothing that cannot be seen, and not without end."""

import copy
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.documents.reader import read_document
from workflow.tool import MOST_TITLE, tool_definition, whole_input_schema
from workflow.visible import hides, visible, visible_schema

TOY: Any = yaml.safe_load((Path(__file__).parents[1] / "runtime/toy.arazzo.yaml").read_text())["find"]
HIDDEN = ("Cc", "Cf", "Cn", "Co", "Zl", "Zp")
# Half of the characters are such as nobody sees; the other half is any.
CHARACTERS = st.one_of(st.characters(categories=HIDDEN), st.characters(exclude_categories=["Cs"]))
TEXTS = st.text(CHARACTERS, min_size=1, max_size=40)
SCHEMAS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("string"),
        "title": TEXTS,
        "description": TEXTS,
        "default": TEXTS,
        "const": TEXTS,
        "enum": st.lists(TEXTS, min_size=1, max_size=3),
        "examples": st.lists(TEXTS, max_size=2),
        "properties": st.dictionaries(TEXTS, st.fixed_dictionaries({"description": TEXTS}), max_size=2),
        "x-vendor": TEXTS,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"title": TEXTS, "description": TEXTS, "inputs": st.dictionaries(TEXTS, SCHEMAS, max_size=3), "outputs": SCHEMAS}
)


def unseen(value: Any) -> list[str]:
    """Texts in `value` with a character in them that cannot be seen, by Unicode's own categories."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in unseen(part)]
    if isinstance(value, list):
        return [text for part in value for text in unseen(part)]
    is_bad = isinstance(value, str) and any(c != "\n" and unicodedata.category(c) in HIDDEN for c in value)
    return [value] if is_bad else []


def document_with(texts: dict[str, Any]) -> Any:
    document = copy.deepcopy(TOY)
    workflow = document["workflows"][0]
    workflow["x-switchgear"]["tool"] |= {"title": texts["title"], "description": texts["description"]}
    workflow["x-switchgear"]["tool"].pop("shown", None)
    workflow["x-switchgear"]["outputs"] = texts["outputs"]
    workflow["inputs"]["properties"] |= texts["inputs"]
    return read_document(document, "toy")


def look(texts: dict[str, Any]) -> None:
    document = document_with(texts)
    tool = tool_definition(document).to_json()
    assert unseen(tool) == []
    assert not hides(tool)
    assert unseen(whole_input_schema(document)) == []
    assert "vm" in tool["inputSchema"]["properties"]
    assert len(tool["title"]) <= MOST_TITLE


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_no_tool_shows_what_cannot_be_seen(texts: dict[str, Any]) -> None:
    look(texts)


@pytest.mark.long
@settings(max_examples=2000, deadline=None)
@given(DOCUMENTS)
def test_no_tool_shows_what_cannot_be_seen_in_two_thousand_documents(texts: dict[str, Any]) -> None:
    look(texts)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("right\u202eleft", "rightleft"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("bell\x07 tab\there", "bell tab here"),
        ("line\nline", "line\nline"),
        ("filler\u3164\u115f", "filler"),
        ("Gerät “db” größer 日本", "Gerät “db” größer 日本"),
    ],
)
def test_words_keep_what_can_be_seen(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_what_would_be_sent_is_left_out_and_never_rewritten() -> None:
    hidden = "red\u200b"
    schema = {
        "type": "object",
        "properties": {
            "color": {"type": "string", "enum": [hidden, "blue"], "default": hidden, "description": "a\u200bb"},
            f"no{hidden}": {"type": "string"},
        },
        "required": ["color", f"no{hidden}"],
        "additionalProperties": False,
    }
    assert visible_schema(schema) == {
        "type": "object",
        "properties": {"color": {"type": "string", "enum": ["blue"], "description": "ab"}},
        "required": ["color"],
    }


def test_a_schema_that_hides_nothing_is_as_it_was() -> None:
    schema = {"type": "object", "properties": {"title": {"const": "Gerät"}}, "additionalProperties": False}
    assert visible_schema(schema) == schema


def test_a_text_has_an_end() -> None:
    assert len(visible("é" * 10_000, 300)) == len(visible("e" * 10_000, 300)) == 300
