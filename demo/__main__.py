"""`python -m demo [--prism] [--keep]`: plays the chapters in order and leaves nothing behind.

A throw-away folder holds the database and the servers' output. Whatever ends the demonstration, the end of the story,
an error, Ctrl-C or SIGTERM, the servers that it started are stopped. Exit code 0 only when all went as it must.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from demo import story
from demo.agent import connected
from demo.children import Children, CommandFailedError
from demo.choice import NoSuchWorkflowError
from demo.desk import RestError
from demo.scenes import VENDORS
from demo.show import WIDTH, Show

FAILURES = (CommandFailedError, NoSuchWorkflowError, RestError, story.SceneFailedError, TimeoutError)


def main() -> int:
    options = arguments()
    ask_no_proxy()
    # Whoever tells it to end, in whatever way, its servers are stopped: a shell starts background jobs deaf to SIGINT.
    for told in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(told, signal.default_int_handler)
    console = Console(width=min(WIDTH, Console().width) if sys.stdout.isatty() else WIDTH, highlight=False)
    with tempfile.TemporaryDirectory(prefix="switchgear-demo-") as folder:
        children = Children(Path(folder), environment(Path(folder)))
        try:
            play_all(story.Play(Show(console), children, options.prism), keep=options.keep)
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


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./demo.sh", description="The whole way of two vendors' descriptions.")
    parser.add_argument("--prism", action="store_true", help="on Prism instead of the twins (needs Node)")
    parser.add_argument("--keep", action="store_true", help="leave everything up at the end, until Ctrl-C")
    return parser.parse_args()


def environment(folder: Path) -> dict[str, str]:
    return {
        "SWITCHGEAR_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'switchgear.db'}",
        # The twin's account; Prism takes any.
        "DEMO_USERNAME": "admin",
        "DEMO_PASSWORD": "switchgear",
    }


def play_all(play: story.Play, *, keep: bool) -> None:
    story.prepare(play)
    story.compile_both(play)
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
        for vendor in VENDORS:
            await story.play_vendor(play, agent, vendor)
        await story.approve_one_more(play, agent)


if __name__ == "__main__":
    sys.exit(main())
