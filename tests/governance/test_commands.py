"""The commands of this room, through the entry point and on a real database."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import create_engine, text

from governance import commands
from governance.approval.revisions import Revision, RevisionStore
from governance.registry.apis import ApiStore
from governance.runs.runs import RunStore, StepRecord
from governance.storage import schema
from governance.storage.connections import parse_url
from governance.storage.database import open_database
from governance.storage.identifiers import new_id
from switchgear.main import COMMANDS, main
from workflow.revision import RevisionContent

STEP = {"stepId": "find", "operationPath": "{$sourceDescriptions.hypercore.url}#/paths/~1VirDomain~1{id}/get"}


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> Answer:
        capsys.readouterr()
        code = main([*words, "--db", sqlite_url])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def submit(sqlite_url: str) -> Callable[..., Revision]:
    def submit(body: str = "one", workflow_id: str = "start_vm") -> Revision:
        document = {"workflows": [{"workflowId": workflow_id, "summary": body, "steps": [STEP]}]}
        content = RevisionContent(document, {"name": workflow_id, "description": "Starts it.\x1b[31m"}, {}, None)
        facts: dict[str, Any] = {"intent": "act", "risk": "disrupt", "resource": "VM", "is_core": True, "rank": 0.5}

        async def work() -> Revision:
            async with open_database(sqlite_url) as database:
                made = await RevisionStore(database).submit(
                    "hypercore", workflow_id, content, proof=None, actor="ci", **facts
                )
                return made.revision

        return asyncio.run(work())

    return submit


def _all_commands() -> list[tuple[str, click.Command]]:
    names = [name for name, entry in COMMANDS.items() if entry.place.startswith("governance.commands.")]
    found: list[tuple[str, click.Command]] = []
    for name in names:
        module, _, attribute = COMMANDS[name].place.partition(":")
        command = getattr(import_module(module), attribute)
        inner = command.commands.items() if isinstance(command, click.Group) else [(name, command)]
        found += [(f"{name} {sub}", one) for sub, one in inner]
    return found


@pytest.mark.parametrize(("name", "command"), _all_commands())
def test_every_command_takes_json_and_db_and_says_what_it_does(name: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--db"} <= options, name
    assert command.help


def test_init_shows_the_first_token_once(run: Run) -> None:
    first = run("init", "--json")
    assert first.code == 0
    assert first.data["principal"]["role"] == "admin"
    assert first.data["token"].startswith("swg_")
    again = run("init", "--json")
    assert (again.code, again.data["token"]) == (0, None)


def test_init_for_people_prints_nothing_but_the_token_as_data(run: Run) -> None:
    answer = run("init")
    assert answer.out.startswith("swg_")
    assert len(answer.out.split()) == 1
    assert "shown this once" in answer.err


def test_db_upgrade_says_from_where_to_where(run: Run) -> None:
    assert run("db", "upgrade", "--json").data == {"before": None, "now": schema.HEAD}
    assert run("db", "upgrade").out == f"schema {schema.HEAD}, before: {schema.HEAD}\n"


def test_an_approver_lists_looks_and_approves(run: Run, submit: Callable[..., Revision]) -> None:
    revision = submit()
    (listed,) = run("workflows", "list", "--state", "pending", "--json").data["workflows"]
    assert (listed["id"], listed["digest"]) == (revision.id, revision.digest)
    shown = run("workflows", "show", "start_vm").out
    assert "GET /VirDomain/{id}" in shown
    assert revision.digest in shown
    assert "\x1b" not in shown
    assert run("workflows", "show", "start_vm", "--json").data["content"]["document"]["workflows"][0]["steps"] == [STEP]
    assert run("workflows", "approve", "start_vm", "--digest", revision.digest).code == 0
    (approved,) = run("workflows", "list", "--state", "approved", "--json").data["workflows"]
    assert approved["decided_by"].startswith("cli:")


def test_what_a_revision_changes_is_shown_against_the_one_in_use_or_another(
    run: Run, submit: Callable[..., Revision]
) -> None:
    first = submit("one")
    assert "all of it is new" in run("workflows", "diff", "start_vm").err
    run("workflows", "approve", "start_vm@1", "--digest", first.digest)
    submit("two")
    told = run("workflows", "diff", "start_vm@2")
    assert told.code == 0
    assert told.out.splitlines() == ["Against revision 1:", "document: changed /workflows/0/summary"]
    as_data = json.loads(run("workflows", "diff", "start_vm@2", "--json").out)["difference"]["document"]
    assert as_data == [{"at": "/workflows/0/summary", "what": "changed", "before": "one", "after": "two"}]
    back = json.loads(run("workflows", "diff", "start_vm@1", "--against", "start_vm@2", "--json").out)
    assert back["difference"]["document"][0]["after"] == "one"
    assert "is the one in use" in run("workflows", "diff", "start_vm@1").err


def test_several_are_approved_at_once_by_exact_name(run: Run, submit: Callable[..., Revision]) -> None:
    one, _ = submit("one", "a"), submit("one", "b")
    answer = run("workflows", "approve", one.id, "b@1", "--json")
    assert [row["state"] for row in answer.data["workflows"]] == ["approved", "approved"]


def test_a_workflows_name_alone_is_not_enough_to_decide_on(run: Run, submit: Callable[..., Revision]) -> None:
    submit()
    answer = run("workflows", "approve", "start_vm")
    assert answer.code == 2
    assert "start_vm@1" in answer.err
    assert run("workflows", "list", "--state", "approved", "--json").data["workflows"] == []


def test_one_digest_cannot_stand_for_several(run: Run, submit: Callable[..., Revision]) -> None:
    revision = submit()
    assert run("workflows", "approve", "start_vm", "other", "--digest", revision.digest).code == 2


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (("workflows", "approve", "start_vm", "--digest", "sha256:other"), 1, "DigestError"),
        (("workflows", "reject", "start_vm@1"), 1, "ReasonError"),
        (("workflows", "retire", "start_vm@1", "--reason", "x"), 1, "TransitionError"),
        (("workflows", "show", "nothing"), 3, "NotFoundError"),
        (("workflows", "list", "--state", "odd"), 2, "BadParameter"),
        (("runs", "show", "nothing"), 3, "NotFoundError"),
        (("tokens", "revoke", "nobody"), 3, "NotFoundError"),
        (("targets", "remove", "nothing"), 3, "NotFoundError"),
        (("targets", "add", "x", "--api", "a", "--url", "nowhere"), 3, "InvalidError"),
        (("targets", "add", "x"), 2, "MissingParameter"),
    ],
)
def test_errors_have_their_exit_code_and_are_data_with_json(
    run: Run, submit: Callable[..., Revision], words: tuple[str, ...], code: int, kind: str
) -> None:
    submit()
    answer = run(*words, "--json")
    assert answer.code == code
    assert (answer.data["error"]["type"], answer.data["error"]["exit_code"]) == (kind, code)
    assert answer.err == ""
    plain = run(*words)
    assert (plain.code, plain.out) == (code, "")
    assert plain.err.startswith("error: ")


def test_rejecting_and_retiring_with_a_reason(run: Run, submit: Callable[..., Revision]) -> None:
    submit("one", "a")
    submit("one", "b")
    assert run("workflows", "reject", "a@1", "--reason", "too wide").code == 0
    assert run("workflows", "approve", "b@1").code == 0
    assert run("workflows", "retire", "b@1", "--reason", "not used").code == 0
    states = {row["workflow_id"]: row["state"] for row in run("workflows", "list", "--json").data["workflows"]}
    assert states == {"a": "rejected", "b": "retired"}


def test_a_workflow_is_disabled_with_a_reason_and_enabled(run: Run, submit: Callable[..., Revision]) -> None:
    submit()
    assert run("workflows", "disable", "start_vm").code == 1
    assert run("workflows", "disable", "start_vm", "--reason", "broken firmware").code == 0
    (row,) = run("workflows", "disabled", "--json").data["workflows"]
    assert (row["workflow_id"], row["reason"]) == ("start_vm", "broken firmware")
    assert run("workflows", "disable", "start_vm", "--reason", "again").code == 1
    assert run("workflows", "enable", "start_vm", "--json").data == {"workflow_id": "start_vm"}
    assert run("workflows", "disabled", "--json").data == {"workflows": []}
    assert run("workflows", "enable", "nothing").code == 3


def test_a_damaged_revision_is_said_and_ends_the_list_with_1(
    run: Run, submit: Callable[..., Revision], sqlite_url: str
) -> None:
    submit()
    engine = create_engine(parse_url(sqlite_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE revisions SET reason = 'x'"))
    engine.dispose()
    answer = run("workflows", "list", "--json")
    assert (answer.code, answer.data["workflows"]) == (1, [])
    assert answer.data["faults"][0]["workflow_id"] == "start_vm"
    assert "refused" in run("workflows", "list").err


@pytest.fixture
def known_api(sqlite_url: str) -> None:
    async def work() -> None:
        async with open_database(sqlite_url) as database:
            await ApiStore(database).put_api("hypercore", "HyperCore", "1", "sha256:0", None, None)

    asyncio.run(work())


def test_a_target_of_an_api_that_there_is_not_is_refused_alone_or_in_a_file(
    run: Run, known_api: None, tmp_path: Path
) -> None:
    refused = run("targets", "add", "lab", "--api", "hypercor", "--url", "https://10.0.0.5")
    assert (refused.code, "Did you mean hypercore?" in refused.err) == (3, True)
    file = tmp_path / "targets.yaml"
    file.write_text("targets: [{name: lab, api: hypercor, address: 'https://10.0.0.5'}]")
    refused = run("targets", "apply", str(file))
    assert (refused.code, "Did you mean hypercore?" in refused.err) == (3, True)
    assert run("targets", "list", "--json").data["targets"] == []


def test_targets_are_added_listed_and_removed(run: Run, known_api: None) -> None:
    added = run(
        "targets", "add", "lab", "--api", "hypercore", "--url", "https://10.0.0.5", "--token-ref", "env:T", "--json"
    )
    assert added.data["is_default"]
    assert run("targets", "list", "--json").data["targets"] == [added.data]
    assert "lab" in run("targets", "list").out
    assert run("targets", "remove", "lab", "--json").data == {"removed": "lab"}
    assert run("targets", "list", "--api", "hypercore", "--json").data == {"targets": []}


def test_an_inventory_goes_out_to_a_file_and_comes_back(run: Run, known_api: None, tmp_path: Path) -> None:
    more = ("--label", "site=oslo", "--connections", "2", "--responses", "off")
    run("targets", "add", "lab", "--api", "hypercore", "--url", "https://10.0.0.5", "--token-ref", "env:T", *more)
    file = tmp_path / "targets.yaml"
    file.write_text(run("targets", "export").out)
    before = run("targets", "export", "--json").data
    run("targets", "remove", "lab")
    assert run("targets", "apply", str(file), "--json").data == {"targets": {"lab": "added"}}
    assert run("targets", "export", "--json").data == before
    assert run("targets", "list", "--label", "site=bergen", "--json").data == {"targets": []}
    assert [each["name"] for each in run("targets", "list", "--label", "site=oslo", "--json").data["targets"]] == [
        "lab"
    ]
    file.write_text("targets: []")
    assert run("targets", "apply", str(file), "--prune", "--json").data == {"targets": {"lab": "removed"}}


def test_tokens_are_made_listed_and_revoked(run: Run) -> None:
    made = run("tokens", "create", "ci", "--role", "operator", "--days", "2", "--json").data
    assert made["token"].startswith("swg_")
    assert made["principal"]["expires_at"] > made["principal"]["created_at"]
    listed = run("tokens", "list")
    assert "ci" in listed.out
    assert made["token"] not in listed.out
    assert run("tokens", "revoke", "ci", "--json").data["revoked_at"]


def test_the_audit_is_listed_and_verified(run: Run, sqlite_url: str) -> None:
    run("init")
    assert [row["action"] for row in run("audit", "list", "--json").data["audit"]] == ["token.created"]
    assert run("audit", "verify").out == "1 rows, whole\n"
    engine = create_engine(parse_url(sqlite_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET seq = 5"))
    engine.dispose()
    broken = run("audit", "verify", "--json")
    assert (broken.code, broken.data["first_bad"]) == (1, 2)
    assert run("audit", "verify").out.startswith("broken at row 2")


def test_the_audit_is_filtered_exported_and_counted(run: Run) -> None:
    run("init")
    run("tokens", "create", "bob", "--role", "viewer")
    assert run("audit", "list", "--action", "token.revoked", "--json").data["audit"] == []
    everything = run("audit", "list", "--since", "2020-01-01", "--json").data["audit"]
    assert [row["detail"]["name"] for row in everything] == ["admin", "bob"]
    assert [json.loads(line) for line in run("audit", "export").out.splitlines()] == everything
    assert run("audit", "export", "--until", "2020-01-01").out == ""
    assert run("audit", "stats", "--json").data["all"]["runs"] == 0
    assert run("audit", "stats").out.startswith("BY")


def test_runs_are_listed_and_shown(run: Run, submit: Callable[..., Revision], sqlite_url: str) -> None:
    revision, run_id = submit(), new_id()

    async def work() -> None:
        async with open_database(sqlite_url) as database:
            first = StepRecord(1, "find", "sending", "GET", "/VirDomain")
            await RunStore(database).create(run_id, revision.id, revision.digest, "lab", "ann", {}, first=first)
            await RunStore(database).finish(run_id, "failed", None, {"code": "x"})

    asyncio.run(work())
    assert [row["id"] for row in run("runs", "list", "--outcome", "failed", "--json").data["runs"]] == [run_id]
    assert run_id in run("runs", "list").out
    assert "sending" in run("runs", "show", run_id).out
    assert run("runs", "show", run_id, "--json").data["steps"][0]["path"] == "/VirDomain"


def test_a_run_in_doubt_is_resolved_and_an_open_one_cancelled(
    run: Run, submit: Callable[..., Revision], sqlite_url: str
) -> None:
    revision = submit()

    async def work() -> None:
        async with open_database(sqlite_url) as database:
            for name in ("doubtful", "open"):
                await RunStore(database).create(name, revision.id, revision.digest, "lab", "ann", {})
            failure = {"step_id": "start", "done": [], "not_done": ["start"]}
            await RunStore(database).finish("doubtful", "unknown", None, failure, resume={"turn": {}})

    asyncio.run(work())
    assert run("runs", "resolve", "doubtful").code == 2
    assert run("runs", "cancel", "doubtful").code == 1
    assert run("runs", "cancel", "open", "--json").data["cancel_by"].startswith("cli:")
    told = run("runs", "resolve", "doubtful", "--happened", "--note", "the lamp is on", "--json").data
    assert (told["outcome"], told["failure"]["done"]) == ("failed", ["start"])
    assert (told["resolution"]["note"], told["resolution"]["goes_on"]) == ("the lamp is on", False)
    assert run("runs", "resolve", "doubtful", "--did-not-happen").code == 1
    assert "run.resolved" in run("audit", "list").out


def test_a_database_that_cannot_be_reached_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--db", "postgresql+psycopg://a:hunter2@127.0.0.1:1/x"]) == 4
    assert "hunter2" not in capsys.readouterr().err


def test_commands_are_short() -> None:
    """DESIGN: a command parses, calls, renders and chooses the exit code, in under 15 lines."""
    files = Path(commands.__file__ or "").parent.glob("*.py")
    source = [part for file in files for part in file.read_text().split("\n\n\n")]
    bodies = [part[part.index("def ") :].count("\n") for part in source if part.startswith("@") and "def " in part]
    assert len(bodies) > 15
    assert max(bodies) < 15
