"""Loads a description in a process of its own and reports every file and socket that it touched, as JSON.

A script, run by `test_references_stay_inside.py`: `python watch.py SPEC ROOT` for each line of standard input.
Python's audit events are the witness (PEP 578): `open`, folder listings and everything that begins with `socket.`.
What the imports open is not counted: watching starts after them.
"""

import json
import sys
from pathlib import Path
from typing import Any

from compiler.errors import CompilerError
from compiler.frontend import load_api
from compiler.ir.printer import print_api, print_diagnostics

FILE_EVENTS = ("open", "os.listdir", "os.scandir")
touched: list[str] = []
sockets: list[str] = []


def witness(event: str, arguments: tuple[Any, ...]) -> None:
    if event in FILE_EVENTS and arguments and isinstance(arguments[0], str | bytes | Path):
        path = str(arguments[0])
        if not path.startswith(sys.base_prefix):  # Python loads its codecs when they are first used
            touched.append(path)
    elif event.startswith(("socket.", "urllib.", "http.", "ftplib.", "subprocess.", "os.system", "os.exec")):
        sockets.append(event)


def report(spec: Path, root: Path) -> dict[str, Any]:
    touched.clear()
    sockets.clear()
    try:
        loaded = load_api(spec, root=root)
    except CompilerError as error:
        return {"error": str(error), "touched": [*touched], "sockets": [*sockets]}
    seen = {"touched": [*touched], "sockets": [*sockets]}
    return {"ir": print_api(loaded.api), "diagnostics": print_diagnostics(loaded.diagnostics), **seen}


def main() -> None:
    sys.addaudithook(witness)
    for line in sys.stdin:
        spec, root = json.loads(line)
        print(json.dumps(report(Path(spec), Path(root))), flush=True)


if __name__ == "__main__":
    main()
