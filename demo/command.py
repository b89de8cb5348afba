"""The command `switchgear demo`: plays the chapters in order and leaves nothing behind.

A throw-away folder holds the database and the servers' output. Whatever ends the demonstration, the end of the story,
an error, Ctrl-C or SIGTERM, the servers that it started are stopped. Exit code 0 only when all went as it must.
Loaded by the command line when it is asked for; `./demo.sh` makes the environment first and then calls the same.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from demo import short, story
from demo.agent import connected
from demo.children import ENDS, Children, CommandFailedError
from demo.choice import NoSuchWorkflowError
from demo.desk import RestError
from demo.scenes import SHORT, VENDORS, Vendor
from demo.show import WIDTH, Show

FAILURES = (CommandFailedError, NoSuchWorkflowError, RestError, story.SceneFailedError, TimeoutError)


@click.command("demo")
@click.option("--prism", "is_prism", is_flag=True, help="On Prism instead of the twins; needs Node and Prism.")
@click.option("--keep", is_flag=True, help="Leave everything up at the end, until Ctrl-C, and say how to connect.")
@click.option("--short", "is_short", is_flag=True, help="One API, and the four things that matter most.")
def demo_command(is_prism: bool, keep: bool, is_short: bool) -> int:
    """Show the whole way on this machine, on mocks: compile, approve, serve, and an MCP client that calls."""
    if is_short and is_prism:
        raise click.UsageError("--short shows what a device remembers, and Prism remembers nothing")
    play = short.play_all if is_short else play_long
    return played(play, is_prism=is_prism, keep=keep, vendors=SHORT if is_short else VENDORS)


def played(
    chapters: Callable[[story.Play, bool], None], *, is_prism: bool, keep: bool, vendors: tuple[Vendor, ...]
) -> int:
    """Plays in a folder of its own; answers the exit code."""
    ask_no_proxy()
    # Whoever tells it to end, in whatever way, its servers are stopped: a shell starts background jobs deaf to SIGINT.
    for told in ENDS:
        signal.signal(told, signal.default_int_handler)
    console = Console(width=min(WIDTH, Console().width) if sys.stdout.isatty() else WIDTH, highlight=False)
    with tempfile.TemporaryDirectory(prefix="switchgear-demo-") as folder:
        children = Children(Path(folder), environment(Path(folder), os.environ, Path.cwd()))
        play = story.Play(Show(console), children, is_prism, vendors)
        try:
            chapters(play, keep)
            code, last = 0, Text("All went as it must.")
        except FAILURES as error:
            code, last = 1, Text(f"The demonstration failed: {error}", style="red")
        except KeyboardInterrupt:
            code, last = 130, Text("Interrupted.")
        finally:
            stopped = children.stop()
    console.print()
    console.print(last)
    console.print(f"{stopped} servers are stopped, the database is removed.")
    return code


def ask_no_proxy() -> None:
    """All that is spoken to is on loopback, where no proxy of this machine leads."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]


def environment(folder: Path, given: Mapping[str, str], start: Path) -> dict[str, str]:
    """What the children get besides their user's environment; `start`: where the demonstration was started."""
    made = {
        "SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{folder / story.DATABASE}",
        # The twin's account; Prism takes any.
        "DEMO_USERNAME": "admin",
        "DEMO_PASSWORD": "switchgear",
    }
    # The children stand elsewhere and would not find what `npm install --prefix .tools` put here.
    local = start / ".tools" / "node_modules" / ".bin" / "prism"
    prism = given.get("SWITCHGEAR_PRISM") or (str(local) if local.exists() else "")
    return {**made, "SWITCHGEAR_PRISM": prism} if prism else made


def play_long(play: story.Play, keep: bool) -> None:
    story.prepare(play)
    story.compile_all(play)
    story.show_pending(play)
    story.approve_some(play)
    story.start_servers(play)
    asyncio.run(play_agent(play))
    story.look_back(play)
    if keep:
        story.keep_up(play)


async def play_agent(play: story.Play) -> None:
    assert play.server is not None
    async with connected(f"{play.server.url}/mcp", play.agent_token) as agent:
        await story.meet_agent(play, agent)
        for vendor in play.vendors:
            await story.play_vendor(play, agent, vendor)
        await story.approve_one_more(play, agent)
