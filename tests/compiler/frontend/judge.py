"""Loads hostile descriptions, each in a process with 512 MB of address space, and reports verdict, time and memory.

A script, run by `test_bombs.py`: one path a line on standard input, one JSON object a line on standard output. It
imports the compiler once and forks for every case, so that a case costs milliseconds and cannot harm the next. Time is
processor time: the compiler waits for nothing, and other work on the machine must not decide.
"""

import contextlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from compiler.errors import CompilerError
from compiler.frontend import load_api
from compiler.ir.verifier import verify

MEMORY = 512 * 1024 * 1024
LONGEST_S = 60


def verdict(path: Path) -> dict[str, Any]:
    started = time.process_time()
    try:
        api = load_api(path).api
        verify(api)
        found: dict[str, Any] = {"operations": len(api.operations)}
    except CompilerError as error:
        found = {"refused": type(error).__name__, "exit_code": error.exit_code, "message": str(error)[:400]}
        found["remedy"] = error.remedy
    except (MemoryError, RecursionError) as error:
        found = {"crash": type(error).__name__}
    return {**found, "cpu_s": time.process_time() - started}


def judge(path: Path) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
        os.write(writing, json.dumps(verdict(path)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read()
    _, status, usage = os.wait4(child, 0)
    with contextlib.suppress(json.JSONDecodeError):
        return {**json.loads(text), "megabytes": usage.ru_maxrss // 1024}
    return {"crash": f"status {status}", "cpu_s": LONGEST_S}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(judge(Path(line.rstrip("\n")))), flush=True)


if __name__ == "__main__":
    main()
