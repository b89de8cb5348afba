"""What a shell completes: commands, options, and names out of the database that would be used."""

import asyncio
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from governance.approval.revisions import RevisionStore
from governance.registry.apis import ApiStore
from governance.registry.targets import Target, TargetStore
from governance.storage.database import open_database
from switchgear.main import cli, main
from workflow.revision import RevisionContent


def completed(*words: str) -> set[str]:
    shell = BashComplete(cli, {}, "switchgear", "_SWITCHGEAR_COMPLETE")
    return {item.value for item in shell.get_completions(list(words[:-1]), words[-1])}


@pytest.fixture
def db(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with open_database(migrated_url) as database:
            await ApiStore(database).put_api("api", "API", "1", "sha256:0", None, None)
            content = RevisionContent({"workflows": []}, {"name": "api_start_vm"}, {}, None)
            await RevisionStore(database).submit(
                "api", "api_start_vm", content, intent="act", risk="change", resource="VM", is_core=True, rank=0.5,
                proof=None, actor="ci",
            )  # fmt: skip
            await TargetStore(database).add(Target("lab", "api", "https://127.0.0.1:9", "live"))

    asyncio.run(work())
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", migrated_url)


def test_names_are_those_of_the_database_that_would_be_used(db: None) -> None:
    assert completed("workflows", "approve", "api_") == {"api_start_vm"}
    assert completed("workflows", "show", "") == {"api_start_vm"}
    assert completed("call", "a") == {"api_start_vm"}
    assert completed("call", "api_start_vm", "--target", "") == {"lab"}
    assert completed("targets", "test", "l") == {"lab"}
    assert completed("workflows", "list", "--api", "") == {"api"}
    assert completed("runs", "show", "") == set()


def test_commands_and_options_are_completed_without_any_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "none.db"
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", f"sqlite+aiosqlite:///{place}")
    assert completed("workf") == {"workflows"}
    assert {"approve", "retire"} <= completed("workflows", "")
    assert completed("workflows", "list", "--ri") == {"--risk"}
    assert completed("workflows", "show", "") == set()
    assert not place.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert f"_SWITCHGEAR_COMPLETE={shell}_complete" in capsys.readouterr().out
