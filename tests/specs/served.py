"""Prism on a free port, serving one description as it is: no prefix of ours, so paths are those of the description.

Skips the test where Node or Prism is absent; ends what it started.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import needs
from tests.ports import free_port
from tests.waiting import PATIENCE_S

PRISM = Path(__file__).parents[2] / ".tools/node_modules/.bin/prism"


@contextmanager
def served(description: Path, log: Path) -> Iterator[str]:
    """The address at which Prism answers."""
    if not PRISM.exists() or not shutil.which("node"):
        needs.PRISM.skip()
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        command = [str(PRISM), "mock", "--host", "127.0.0.1", "--port", str(port), str(description)]
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_for(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"Prism did not start:\n{log.read_text()[-2000:]}")
