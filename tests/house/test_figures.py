"""What measurements write into the documents: their own part, and nothing else."""

from pathlib import Path

import pytest

from bench.figures import write

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
