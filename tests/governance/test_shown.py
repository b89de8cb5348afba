"""What commands print fits the terminal: columns, then lines, and nothing is cut."""

import pytest

from governance.commands import shown

LONG = "sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def printed(capsys: pytest.CaptureFixture[str], *rows: dict[str, str]) -> list[str]:
    shown.table(rows, tuple(rows[0]))
    return capsys.readouterr().out.splitlines()


def test_what_fits_stands_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, {"name": "lab", "mode": "twin"}) == ["NAME  MODE", "lab   twin"]


def test_what_is_too_wide_has_its_name_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, {"workflow": "api_" + "long_" * 10, "digest": LONG}, {"workflow": "b", "digest": "x"})
    assert lines == ["WORKFLOW", "  DIGEST", "api_" + "long_" * 10, f"  {LONG}", "b", "  x"]


def test_what_is_wider_still_is_told_member_by_member(capsys: pytest.CaptureFixture[str]) -> None:
    words = "one two three " * 10
    lines = printed(capsys, {"run": "r1", "did": words, "digest": LONG}, {"run": "r2", "did": words, "digest": "x"})
    assert lines[0] == "r1" and "r2" in lines
    assert max(map(len, lines)) <= 80
    assert LONG in "".join(lines)
    assert " ".join("".join(lines[1:4]).split()[1:]).startswith(words.strip()[:60])


def test_fields_go_on_below_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    shown.fields({"description": "word " * 30, "empty": ""})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 80
    assert all(line.startswith(" " * 13 + "word") for line in lines[1:])
