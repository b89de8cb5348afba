"""A compile and a comparison as one HTML page: whole, nothing from elsewhere, and a text in it stays a text."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from compiler.reports import page
from switchgear.main import cli
from tests.shipped import APIS, shipped

EVIL = "<script>alert(1)</script>\u202e"


def spec(title: str, *paths: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "array"}}}
    found = {"responses": {"200": {"description": EVIL, "content": content}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1"},
        "paths": {path: {"get": {"operationId": f"list{path[1:]}", "summary": EVIL, **found}} for path in paths},
    }


class Read(HTMLParser):
    """The elements with their attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.names: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(spec(f"Plant {EVIL}", "/pumps", "/valves")))
    (tmp_path / "new.yaml").write_text(yaml.safe_dump(spec(f"Plant {EVIL}", "/pumps")))
    return tmp_path


def page_of(*words: str) -> str:
    done = CliRunner().invoke(cli, [*words, "--report", "page.html"], standalone_mode=False)
    assert done.exception is None, done.output
    return Path("page.html").read_text()


def check_alone(page: str) -> Read:
    read = Read(page)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(read.elements)
    assert not {"src", "href", "style", "onload", "onerror", "onclick"} & read.names
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "alert(1)" in read.text and "\u202e" not in page
    return read


def test_a_compile_is_one_page_with_coverage_classes_catalog_steps_and_proof(written: Path) -> None:
    read = check_alone(page_of("compile", "old.yaml", "--db", f"sqlite+aiosqlite:///{written}/x.db"))
    for told in ("2 operations", "Classes of risk", "Default catalog", "GET /pumps", "proved", "runs on the twin"):
        assert told in read.text, told
    assert {"svg", "details", "table", "style"} <= set(read.elements)


def test_a_comparison_is_one_page_that_says_what_breaks(written: Path) -> None:
    read = check_alone(page_of("diff", "old.yaml", "new.yaml"))
    assert "removed, breaks" in read.text and "GET /valves" in read.text and "1 of them may break" in read.text


@pytest.mark.slow
def test_a_page_of_a_large_description_has_its_main_workflows_whole_and_stays_small(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = spec(f"Plant {EVIL}", *(f"/things{number}" for number in range(60)))
    (written / "many.yaml").write_text(yaml.safe_dump(many))
    words = ("compile", "many.yaml", "--db", f"sqlite+aiosqlite:///{written}/x.db")
    whole = page_of(*words)
    monkeypatch.setattr(page, "MOST_TABLE", 400)
    for most, is_told in ((30_000, True), (2_000, False)):
        monkeypatch.setattr(page, "MOST_WORKFLOWS", most)
        short = page_of(*words)
        assert len(short) < most + 20_000 < len(whole)
        read = Read(short)
        assert (short.count("</code>") == 60) is is_told, "each is named"
        assert ("<svg" in short) is is_told, "as much as fits of the main ones is told whole"
        assert ("more: switchgear workflows show NAME" in read.text) is not is_told
        assert "more: --json tells all of them" in read.text


@pytest.mark.long  # both are compiled
def test_a_page_of_each_shipped_description_is_one_that_a_mail_takes() -> None:
    for api in APIS:
        assert len(page.compile_page(shipped(api)).encode()) < 1_000_000
