"""Commands end in order when they are told to: what they opened is closed, and the exit code says why."""

import signal
import subprocess
import sys

from tests.waiting import PATIENCE_S

CODE = """
import asyncio
from runtime.commands.ending import run_to_its_end

async def main():
    try:
        print("ready", flush=True)
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)
        print("closed", flush=True)

run_to_its_end(main())
"""


def test_sigterm_lets_a_command_close_what_it_opened() -> None:
    command = [sys.executable, "-c", CODE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (out, err, process.returncode) == ("closed\n", "", 143)


def test_a_command_that_ends_by_itself_gives_what_it_has() -> None:
    from runtime.commands.ending import run_to_its_end

    async def main() -> int:
        return 7

    assert run_to_its_end(main()) == 7
