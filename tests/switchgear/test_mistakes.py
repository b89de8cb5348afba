"""docs/MISTAKES.md is true: each usual mistake on the command line is refused, and the right next step is said.

All in one process, on one database with the shipped descriptions, so that the table costs little.
"""

import asyncio
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from compiler.submission import submit
from governance.approval.revisions import RevisionStore
from governance.bundles import keys
from governance.people.principals import PrincipalStore
from governance.people.users import UserStore
from governance.registry.server_files import server_target
from governance.registry.servers import Server
from governance.registry.targets import Target, TargetStore
from governance.storage.database import open_database
from switchgear.main import main
from tests.shipped import shipped

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(?P<typed>switchgear.*?)` \| (?P<said>.*?) \| (?P<next>.*?) \| (?P<code>\d+) \|$", re.M)
APPROVED = "hypercore_start_vm"


@dataclass(frozen=True)
class Mistake:
    typed: str
    said: str
    following: str
    code: int


def table() -> list[Mistake]:
    text = (ROOT / "docs" / "MISTAKES.md").read_text()
    return [
        Mistake(plain(row["typed"]), plain(row["said"]), plain(row["next"]), int(row["code"]))
        for row in ROW.finditer(text)
    ]


def plain(cell: str) -> str:
    return cell.replace("\\|", "|").replace("\\*", "*").replace("&lt;", "<").strip()


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('mistakes') / 'switchgear.db'}"
    asyncio.run(furnish(url))
    return url


async def furnish(url: str) -> None:
    """A reader's database after the tour: one workflow approved, a target, a token, a user."""
    await submit(shipped("hypercore"), url, "test")
    async with open_database(url) as database:
        one = await RevisionStore(database).get(APPROVED)
        store = RevisionStore(database)
        await store.decide(one.id, "approve", actor="ann", role="admin", reason="", digest=one.digest)
        await TargetStore(database).add(Target("lab", "hypercore", "http://127.0.0.1:9", "twin"))
        await PrincipalStore(database).create_token("my-agent", "operator")
        await UserStore(database).add("kari", "approver", password=None, actor="ann")
        server = Server("stdio", "uvx", ("mcp-server-time",))
        await TargetStore(database).add(server_target("time", server))


@pytest.fixture
def here(db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").write_text("# Notes\n")
    keys.generate(tmp_path / "ann.key", "")
    monkeypatch.setenv("SWITCHGEAR_DATABASE_URL", db)
    monkeypatch.setenv("COLUMNS", "80")
    yield


def test_there_are_fifty_mistakes_in_the_table_each_once() -> None:
    typed = [mistake.typed for mistake in table()]
    assert len(typed) == len(set(typed)) >= 50


@pytest.mark.parametrize("mistake", table(), ids=lambda mistake: mistake.typed)
def test_a_mistake_is_refused_with_the_right_next_step(
    here: None, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(shlex.split(mistake.typed)[1:])
    out, err = capsys.readouterr()
    assert (code, out) == (mistake.code, ""), err
    said, _, following = err.partition("\n  → ")
    assert fits(mistake.said, said.removeprefix("error: ")), said
    assert fits(mistake.following, following.strip()), following


def fits(shown: str, said: str) -> bool:
    """`…` in the table stands for what differs from compile to compile."""
    return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), said, re.S) is not None
