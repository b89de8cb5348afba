"""Stoplight Prism beside the twin: an independent, stateless mock of the same description.

Finds Prism, gives it a copy of the description that it serves rightly, waits until it answers, and takes it down.
Prism ignores the path in `servers`, so the copy has that path in front of every path of its own; references to other
files become absolute, since the copy stands elsewhere. Called by `switchgear mock --prism` and by tests.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from compiler.errors import CompilerError
from compiler.twin.server import listen, url_of
from workflow.json.pointers import escape

Json = Any
VERSION = "5.14.2"
_READY_S = 180.0  # 1.3 to 4.3 s were measured for the shipped sizes; a loaded machine gets more
_STOP_S = 5.0
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class PrismError(CompilerError):
    """Prism is not there, or did not start."""

    exit_code = 4
    remedy = f"install Node 20 or newer, then: npm install --no-save --prefix .tools @stoplight/prism-cli@{VERSION}"


def find_prism(environment: Mapping[str, str], folder: Path) -> str:
    """The command: SWITCHGEAR_PRISM, else below `folder` in .tools, else on the PATH. Raises PrismError."""
    named = environment.get("SWITCHGEAR_PRISM")
    local = folder / ".tools" / "node_modules" / ".bin" / "prism"
    found = named or (str(local) if local.exists() else shutil.which("prism", path=environment.get("PATH")))
    if not found:
        raise PrismError("Prism is not installed; it needs Node")
    if shutil.which("node", path=environment.get("PATH")) is None:
        raise PrismError(f"Prism is there ({found}), but Node, which it needs, is not")
    return found


def served_copy(spec: Path, base_path: str) -> Json:
    """The description with `base_path` in front of every path, to be served from the root."""
    data = spec.read_bytes()
    document = orjson.loads(data) if spec.suffix == ".json" else yaml.load(data, Loader=yaml.CSafeLoader)
    document = _with_absolute_references(document, spec.resolve().parent, base_path)
    document["paths"] = {base_path + path: item for path, item in document.get("paths", {}).items()}
    if "swagger" in document:
        document.pop("basePath", None)
    else:
        document["servers"] = [{"url": "/"}]
    return document


def _with_absolute_references(value: Json, folder: Path, base_path: str) -> Json:
    if isinstance(value, dict):
        made = {key: _with_absolute_references(member, folder, base_path) for key, member in value.items()}
        target = made.get("$ref")
        if isinstance(target, str):
            made["$ref"] = _absolute(target, folder, base_path)
        return made
    if isinstance(value, list):
        return [_with_absolute_references(element, folder, base_path) for element in value]
    return value


def _absolute(target: str, folder: Path, base_path: str) -> str:
    if target.startswith("#/paths/"):
        return "#/paths/" + escape(base_path) + target.removeprefix("#/paths/")
    if target.startswith("#") or "://" in target:
        return target
    name, mark, rest = target.partition("#")
    return f"{(folder / name).resolve()}{mark}{rest}"


@contextlib.contextmanager
def running(command: str, spec: Path, base_path: str, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Prism serving `spec` while the block runs; gives its URL. Raises PrismError, AddressError."""
    with listen(host, port) as bound:
        url, port = url_of(bound, base_path), bound.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="switchgear-prism-") as folder:
        copy = Path(folder) / "openapi.json"
        copy.write_bytes(orjson.dumps(served_copy(spec, base_path), default=str))
        log = Path(folder) / "prism.log"
        arguments = [command, "mock", "--host", host, "--port", str(port), str(copy)]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the command was found or named by whoever runs us
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        try:
            _wait_until_ready(process, host, port, log)
            yield url
        finally:
            _stop(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", host: str, port: int, log: Path) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1.0):
            return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-600:].strip()
    raise PrismError(f"Prism did not start: {said}", remedy="try the twin instead: leave --prism out")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends Prism and what it started; it has a process group of its own."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        try:
            process.wait(_STOP_S)
            return
        except subprocess.TimeoutExpired:
            continue


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
