"""A throw-away installation to measure: database, token, compiled descriptions, approvals, targets, a server.

Made with the command line, as users do. Used by `bench/serve.py`, `bench/call.py` and `bench/catalog.py`.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.children import SWITCHGEAR, Children, Server

REFS_PER_COMMAND = 100


@dataclass(frozen=True, slots=True)
class Installation:
    children: Children
    token: str

    def compile(self, spec: Path) -> Sequence[Mapping[str, Any]]:
        """The workflows that came of it, as `compile --json` tells them."""
        workflows: Sequence[Mapping[str, Any]] = self.children.run("compile", str(spec))["workflows"]
        return workflows

    def approve(self, workflows: Sequence[Mapping[str, Any]]) -> None:
        refs = [f"{workflow['id']}@1" for workflow in workflows]
        for start in range(0, len(refs), REFS_PER_COMMAND):
            self.children.run("workflows", "approve", *refs[start : start + REFS_PER_COMMAND])

    def add_target(self, api: str, url: str) -> None:
        credentials = ("--username-ref", "env:BENCH_USERNAME", "--password-ref", "env:BENCH_PASSWORD")
        self.children.run("targets", "add", f"bench-{api}", "--api", api, "--url", url, "--mode", "twin", *credentials)

    def set(self, name: str, value: str) -> None:
        """A setting of what is started from now on."""
        self.children.environment = {**self.children.environment, name: value}

    def serve(self, name: str = "runtime") -> Server:
        return self.children.serve(name, "serve", "--port", "0")


@contextlib.contextmanager
def installation(catalog: str = "default", checkout: Path | None = None, database: str = "") -> Iterator[Installation]:
    """An empty one, and its administrator's token; gone with all its servers when the block ends.

    `catalog`: what its server lists to MCP clients (SWITCHGEAR_CATALOG). `checkout`: another one, with a .venv of its
    own, whose commands it is made with. `database`: an empty one on PostgreSQL, in the place of a file.
    """
    with tempfile.TemporaryDirectory(prefix="switchgear-bench-") as folder:
        environment = {
            "SWITCHGEAR_DATABASE_URL": database or f"sqlite+aiosqlite:///{folder}/switchgear.db",
            "SWITCHGEAR_LOG_LEVEL": "warning",
            "SWITCHGEAR_CATALOG": catalog,
            "BENCH_USERNAME": "bench",
            "BENCH_PASSWORD": "bench",
        }
        python = SWITCHGEAR[0] if checkout is None else str(checkout.resolve() / ".venv" / "bin" / "python")
        children = Children(Path(folder), environment, (python, *SWITCHGEAR[1:]))
        try:
            if database:
                children.run("db", "upgrade")
            yield Installation(children, children.run("init")["token"])
        finally:
            children.stop()
