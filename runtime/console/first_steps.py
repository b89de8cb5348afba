"""What a new installation takes, in order, as commands that do it when they are pasted as they stand.

Each is tried by a test that pastes them into a shell. A mock stands in for the device, since nobody knows yet which one
it is going to be; its account is written to two files, because a server that runs already has the variables that it
was started with. Where there is no compiler, what was approved elsewhere is brought. Called by the first page.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any
DATABASE = "SWITCHGEAR_DATABASE_URL"
_SQLITE = "sqlite+aiosqlite:///"
_PLACE = '"$HOME/.switchgear-lab"'


@dataclass(frozen=True, slots=True)
class InstallationState:
    """How far an installation is. `url`: of this server, as the browser knows it; `api`: one that there is, or could
    be; `shipped`: what the compiler here has with it."""

    url: str
    has_token: bool
    has_workflows: bool
    has_target: bool
    has_approved: bool
    has_run: bool
    api: str
    shipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstStep:
    """`command`: to be pasted; `page`: of the console, where it is done instead; `besides`: what could be wanted."""

    text: str
    is_done: bool
    command: str = ""
    page: str = ""
    besides: str = ""


def database_of(settings: Iterable[Mapping[str, Json]]) -> str:
    """What has a shell speak to the database of this server; empty where commands do by themselves, or may not know."""
    row = next((each for each in settings if each["name"] == DATABASE and each["source"] != "default"), None)
    address = str(row["value"]) if row else ""
    if not address.startswith(_SQLITE):
        return ""
    place = Path(address.removeprefix(_SQLITE)).absolute()
    return f"export {DATABASE}={shlex.quote(f'{_SQLITE}{place}')}"


def first_steps(now: InstallationState) -> tuple[FirstStep, ...]:
    """In order; none when all is done."""
    api = shlex.quote(now.api)
    steps = (
        FirstStep("Make the first token, with which you log in here then", now.has_token, "switchgear init"),
        _workflows(now),
        FirstStep(
            "Say which device they act on; here it is a mock that remembers", now.has_target, _target(api),
            besides="for a device --url https://10.0.0.5, without --mode, and its own account",
        ),
        FirstStep("Approve what agents may do", now.has_approved, page="/console/queue"),
        FirstStep(
            "Give an agent a token of its own, and its client an address", now.has_run,
            "switchgear tokens create my-agent --role operator\n"
            f"switchgear client-config generic --url {shlex.quote(now.url)}",
            besides="claude, cursor, vscode … in the place of generic; or try a workflow from its own page",
        ),
    )  # fmt: skip
    return () if all(each.is_done for each in steps) else steps


def _workflows(now: InstallationState) -> FirstStep:
    if not now.shipped:
        text = "Bring what was approved elsewhere, as a signed bundle"
        return FirstStep(text, now.has_workflows, page="/console/bundles")
    first, others = now.shipped[0], ", ".join(now.shipped[1:])
    besides = f"in the place of {first}" + (f" also {others}, or" * bool(others)) + " an OpenAPI document of your own"
    command = f"switchgear compile {shlex.quote(first)}"
    return FirstStep("Compile an API: its workflows are then pending", now.has_workflows, command, besides=besides)


def _target(api: str) -> str:
    return (
        f"switchgear mock {api} --port 9001 &\n"
        f"(umask 077; printf admin > {_PLACE}.user; printf switchgear > {_PLACE}.password)\n"
        f"switchgear targets add lab --api {api} --url http://127.0.0.1:9001 --mode twin \\\n"
        f"    --username-ref file:{_PLACE}.user --password-ref file:{_PLACE}.password"
    )
