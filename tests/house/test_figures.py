"""What measurements write into the documents: their own part, and nothing else; and figures that tests can hold."""

from pathlib import Path

import pytest

from bench.figures import write
from compiler.reports import report
from runtime.catalog.snapshot import CANCEL_NAME, KNOWING_NAMES, RUN_NAME
from tests.shipped import shipped
from workflow.budget import MOST_TOKENS, MOST_TOOLS, RESERVED_TOOLS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MEASUREMENTS = (ROOT / "docs" / "MEASUREMENTS.md").read_text()

DOCUMENT = "before\n<!-- python -m bench.x -->\nold\n<!-- end of bench.x -->\nafter\n"


def test_a_program_replaces_what_it_wrote_before_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "page.md"
    place.write_text(DOCUMENT)
    for ms in (1, 2):
        write("bench.x", "Times", [{"command": "a", "ms": ms}], place)
    text = place.read_text()
    assert text.startswith("before\n<!-- python -m bench.x -->\nTimes (")
    assert text.endswith("| command | ms |\n| --- | --- |\n| a | 2 |\n<!-- end of bench.x -->\nafter\n")
    assert "old" not in text and "| a | 1 |" not in text


def test_a_program_without_a_place_in_the_document_changes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "page.md"
    place.write_text(DOCUMENT)
    with pytest.raises(SystemExit, match=r"bench\.y"):
        write("bench.y", "Times", [{"ms": 1}], place)
    assert place.read_text() == DOCUMENT


def test_the_readme_tells_of_the_compile_what_the_compiler_says_now() -> None:
    compiled = shipped("hypercore")
    told = report.as_text(compiled).splitlines()[:2]
    assert "\n".join(told) in README
    assert f"{len(compiled.workflows)} new pending, 0 unchanged" in README


def test_the_budget_of_a_client_is_the_one_in_the_readme() -> None:
    assert f"at most {MOST_TOOLS} tools and {MOST_TOKENS:,}\ntokens" in README


@pytest.mark.slow
@pytest.mark.parametrize(("api", "name"), [("hypercore", "HyperCore"), ("idrac", "iDRAC")])
def test_the_measured_catalogs_are_of_what_is_compiled_now(api: str, name: str) -> None:
    compiled = shipped(api)
    core = sum(one.flow.is_core for one in compiled.workflows) + RESERVED_TOOLS
    rows = [row.split(" | ") for row in MEASUREMENTS.splitlines() if row.startswith(f"| {name} | ")]
    counts = {row[1].split(" (")[0].split(",")[0]: int(row[2]) for row in rows if row[2].isdigit()}
    assert counts["one tool an operation"] == len(compiled.api.operations)
    assert counts["all workflows"] == len(compiled.workflows) + len((RUN_NAME, CANCEL_NAME, *KNOWING_NAMES))
    assert counts["default catalog"] == core
