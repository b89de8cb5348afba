"""Lists with filters, and decisions on what a pattern or a filter chooses: listed, asked about, each by its digest."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from governance.approval.revisions import NewRevision, RevisionStore
from governance.registry.apis import ApiStore
from governance.storage.database import open_database
from switchgear.main import main
from workflow.revision import RevisionContent

MADE = (("api_list_vms", "read", "VM"), ("api_start_vm", "change", "VM"), ("api_list_nodes", "read", "Node"))


def new(name: str, risk: str, resource: str) -> NewRevision:
    told = {"name": name, "title": name.replace("_", " "), "description": f"Speaks of {resource.lower()} things."}
    step = {"stepId": "one", "operationPath": "{$sourceDescriptions.api.url}#/paths/~1x/get"}
    document = {"workflows": [{"workflowId": name, "steps": [step]}]}
    return NewRevision(name, RevisionContent(document, told, {}, None), "find", risk, resource, True, 0.5, None)


@pytest.fixture
def db(migrated_url: str) -> str:
    async def work() -> None:
        async with open_database(migrated_url) as database:
            await ApiStore(database).put_api("api", "API", "1", "sha256:0", None, None)
            await RevisionStore(database).submit_all("api", [new(*each) for each in MADE], actor="ci")

    asyncio.run(work())
    return migrated_url


@pytest.fixture
def run(db: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--db", db])
        return (code, *capsys.readouterr())

    return run


def names(told: tuple[int, str, str]) -> list[str]:
    return [each["workflow_id"] for each in json.loads(told[1])["workflows"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--risk", "read"), {"api_list_vms", "api_list_nodes"}),
        (("--risk", "read", "--risk", "change"), {each[0] for each in MADE}),
        (("--resource", "Node"), {"api_list_nodes"}),
        (("-q", "START vm"), {"api_start_vm"}),
        (("-q", "speaks node"), {"api_list_nodes"}),
        (("--api", "api", "--state", "approved"), set()),
        (("--no-core",), set()),
    ],
)
def test_a_list_holds_what_fits_all_that_was_given(run: Any, words: tuple[str, ...], found: set[str]) -> None:
    assert set(names(run("workflows", "list", *words, "--json"))) == found


@pytest.mark.parametrize(
    ("option", "word", "near"), [("--api", "apj", "api"), ("--resource", "Nod", "Node"), ("--api", "zzzz", "")]
)
def test_an_api_or_a_thing_that_there_is_not_is_refused_with_what_is_near(
    run: Any, option: str, word: str, near: str
) -> None:
    code, out, err = run("workflows", "list", option, word)
    assert (code, out) == (3, "")
    assert (f"Did you mean {near}?" in err) is bool(near)


def test_an_empty_list_says_why(run: Any) -> None:
    assert "nothing fits" in run("workflows", "list", "--state", "retired")[2]


def test_a_pattern_or_a_filter_decides_on_all_that_it_chooses(run: Any) -> None:
    assert names(run("workflows", "approve", "api_list_*", "--yes", "--json")) == ["api_list_vms", "api_list_nodes"]
    assert names(run("workflows", "list", "--state", "pending", "--json")) == ["api_start_vm"]
    retired = run("workflows", "retire", "--resource", "Node", "--reason", "x", "--yes", "--json")
    assert names(retired) == ["api_list_nodes"]


def test_a_dry_run_lists_and_decides_nothing(run: Any) -> None:
    code, out, _ = run("workflows", "approve", "--risk", "read", "--dry-run")
    assert code == 0 and "api_list_vms@1" in out and "api_start_vm" not in out
    assert len(names(run("workflows", "list", "--state", "pending", "--json"))) == 3


def test_where_nobody_is_there_to_ask_nothing_of_many_is_decided(run: Any) -> None:
    code, out, err = run("workflows", "approve", "--risk", "read")
    assert (code, out) == (1, "")
    assert "--yes" in err
    assert len(names(run("workflows", "list", "--state", "pending", "--json"))) == 3


@pytest.mark.parametrize("answer", ["y\n", "n\n"])
def test_on_a_terminal_the_list_is_shown_and_a_yes_decides(
    run: Any, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda text, **_: asked.append(text) or answer == "y\n")
    code, out, _ = run("workflows", "approve", "--risk", "read")
    assert "api_list_nodes@1" in out and asked == ["Approve these 2?"]
    assert code == (0 if answer == "y\n" else 1)
    assert len(names(run("workflows", "list", "--state", "pending", "--json"))) == (1 if answer == "y\n" else 3)


def test_what_cannot_be_decided_is_told_and_the_others_are(run: Any, db: str) -> None:
    """Of many, one that the rules refuse (here: a reason is missing) keeps no other from being told."""
    code, out, _ = run("workflows", "reject", "api_*", "--yes", "--json")
    told = json.loads(out)
    assert (code, told["workflows"]) == (1, [])
    assert {each["workflow"] for each in told["refused"]} == {f"{name}@1" for name, _, _ in MADE}


def test_what_fits_nothing_is_refused_with_what_is_near(run: Any) -> None:
    code, _, err = run("workflows", "approve", "api_strat*")
    assert (code, "Did you mean api_start_vm" in err) == (3, True)


def test_nothing_named_is_wrong_usage(run: Any) -> None:
    code, _, err = run("workflows", "approve")
    assert (code, "say what to approve" in err) == (2, True)
