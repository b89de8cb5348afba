"""What compile, lint and diff print for CI systems, read back as such a system would."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner

from compiler.reports.places import Places
from switchgear.main import cli

ROOT = Path(__file__).parents[3]
SPEC: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Plant", "version": "1"},
    "paths": {
        "/pumps": {"get": {"operationId": "listPumps", "responses": {"200": {"description": "all"}}}},
        "/pumps/{id}/halt": {
            "post": {
                "operationId": "haltPump",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": "halted"}},
            }
        },
    },
}


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "a plant.yaml"
    place.write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return place


def without_halt(folder: Path) -> Path:
    newer = folder / "newer.yaml"
    newer.write_text(yaml.safe_dump({**SPEC, "paths": {"/pumps": SPEC["paths"]["/pumps"]}}, sort_keys=False))
    return newer


def printed(*words: str | Path, code: int) -> str:
    done = CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)
    assert (done.exception, done.return_value or 0) == (None, code), done.output
    return done.stdout


def results(text: str) -> list[dict[str, Any]]:
    (run,) = json.loads(text)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    found: list[dict[str, Any]] = run["results"]
    return found


def place_of(result: dict[str, Any]) -> tuple[str, int]:
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def test_lint_names_the_line_of_what_it_found_in_a_file_of_the_checkout(spec: Path) -> None:
    broken = spec.with_name("broken.yaml")
    paths = {**SPEC["paths"], "/halls": {"get": {"responses": {"200": {"description": 3}}}}}
    broken.write_text(yaml.safe_dump({**SPEC, "paths": paths}, sort_keys=False))
    found = {
        result["ruleId"]: place_of(result) for result in results(printed("lint", broken, "--format=sarif", code=1))
    }
    assert found["not-valid"][0] == "broken.yaml"
    assert line_of(broken, "/halls") <= found["not-valid"][1] <= line_of(broken, "description: 3")


def test_a_name_with_a_blank_is_one_that_an_address_may_have(spec: Path) -> None:
    found = results(printed("lint", spec, "--format=sarif", code=0))
    assert {place_of(result)[0] for result in found} == {"a%20plant.yaml"}


def test_what_is_gone_is_shown_where_it_stood_and_fails(spec: Path) -> None:
    newer = without_halt(spec.parent)
    (gone,) = results(printed("diff", spec, newer, "--format=sarif", code=1))
    assert (gone["ruleId"], gone["level"]) == ("breaks", "error")
    assert place_of(gone) == ("a%20plant.yaml", line_of(spec, "post:"))
    suite = ElementTree.fromstring(printed("diff", spec, newer, "--format=junit", code=1)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")


def test_what_is_new_fails_nothing(spec: Path) -> None:
    newer = without_halt(spec.parent)
    (added,) = results(printed("diff", newer, spec, "--format=sarif", code=0))
    assert added["level"] == "note"
    assert ElementTree.fromstring(printed("diff", newer, spec, "--format=junit", code=0)).get("failures") == "0"


def test_where_workflows_decide_a_break_of_an_operation_that_none_uses_fails_nothing(spec: Path) -> None:
    words = ("--db", f"sqlite+aiosqlite:///{spec.parent}/x.db")
    printed("db", "upgrade", *words, code=0)
    newer = without_halt(spec.parent)
    (gone,) = results(printed("diff", spec, newer, "--format=sarif", *words, code=0))
    assert gone["level"] == "warning"
    assert ElementTree.fromstring(printed("diff", spec, newer, "--format=junit", *words, code=0)).get("failures") == "0"


def test_a_compile_that_would_change_something_fails_by_the_workflow(spec: Path) -> None:
    words = ("--db", f"sqlite+aiosqlite:///{spec.parent}/x.db")
    before = ElementTree.fromstring(printed("compile", spec, "--check", "--format=junit", *words, code=1))
    failed = {case.get("name") for case in before.iter("testcase") if case.find("failure") is not None}
    assert len(failed) > 1
    assert before.get("failures") == str(len(failed))
    printed("compile", spec, *words, code=0)
    after = ElementTree.fromstring(printed("compile", spec, "--check", "--format=junit", *words, code=0))
    assert after.get("failures") == "0"
    assert failed <= {case.get("name") for case in after.iter("testcase")}


def test_a_fingerprint_stays_where_lines_move(spec: Path) -> None:
    first = results(printed("lint", spec, "--format=sarif", code=0))
    spec.write_text("# a line more\n" + spec.read_text())
    second = results(printed("lint", spec, "--format=sarif", code=0))
    assert [one["partialFingerprints"] for one in first] == [one["partialFingerprints"] for one in second]


def test_text_of_a_description_is_text_in_either_form(spec: Path) -> None:
    hostile = "]]></failure>\x1b[31m\u202e & <b>"
    place = spec.with_name("hostile.json")
    place.write_text(json.dumps({**SPEC, "paths": {**SPEC["paths"], f"/{hostile}": SPEC["paths"]["/pumps"]}}))
    shown = CliRunner().invoke(cli, ["diff", str(place), str(without_halt(spec.parent)), "--format=junit"])
    assert ElementTree.fromstring(shown.stdout).get("failures") == "2"
    assert "\x1b" not in shown.stdout


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("POST /pumps/{id}/halt", "post:"),
        ("/pumps/{id}/halt", "/pumps/{id}/halt:"),
        ("#/paths/~1pumps~1{id}~1halt/post/parameters/0/schema", "schema:"),
        ("#/paths/~1pumps~1{id}~1halt/post/nothing/there", "post:"),
        ("pump_halt", "openapi:"),
        ("", "openapi:"),
    ],
)
def test_a_pointer_leads_to_its_line_or_to_that_of_its_last_parent(pointer: str, line: str, spec: Path) -> None:
    place = Places(spec).of(pointer)
    assert (place.file, place.line) == (spec, line_of(spec, line))


def test_what_cannot_be_read_again_has_no_lines(tmp_path: Path) -> None:
    assert Places(tmp_path / "gone.yaml").of("GET /a").line is None


SNIPPETS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/CI.md").read_text(), re.S)


def commands_in(snippet: Any) -> list[list[str]]:
    """The command lines of ours in it, without what the shell does with them."""
    if isinstance(snippet, dict):
        return [words for part in snippet.values() for words in commands_in(part)]
    if isinstance(snippet, list):
        return [words for part in snippet for words in commands_in(part)]
    lines = [line.partition(" > ")[0] for line in str(snippet).splitlines() if line.startswith("switchgear ")]
    return [shlex.split(line)[1:] for line in lines]


def test_the_commands_of_the_snippets_do_what_the_page_says(spec: Path) -> None:
    folder = spec.parent / "specs"
    folder.mkdir()
    (folder / "plant.yaml").write_text(spec.read_text())
    (folder / "profile.yaml").write_text("api: plant\n")
    Path("before.yaml").write_text(spec.read_text())
    github, gitlab = (commands_in(yaml.safe_load(snippet)) for snippet in SNIPPETS)
    assert [words[0] for words in github] == [words[0] for words in gitlab] == ["lint", "diff"]
    for words in github:
        assert json.loads(printed(*words, code=0))["version"] == "2.1.0"
    for words in gitlab:
        assert ElementTree.fromstring(printed(*words, code=0)).tag == "testsuites"
