"""Loads descriptions in a process of its own and reports every file and socket that each touched, as JSON.

A script, run by `test_references_stay_inside.py`: a line of standard input is `[spec, root]`, a line of output the
answer. Python's audit events are the witness (PEP 578): `open`, folder listings, everything that begins with `socket.`.
With `--validator` the specification's own validator, which `lint` asks, is watched as well; it is used once before,
since it reads its own schemas when it is first asked.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compiler.errors import CompilerError
from compiler.frontend import load_api
from compiler.ir.printer import print_api, print_diagnostics

FILE_EVENTS = ("open", "os.listdir", "os.scandir")
Ask = Callable[[Path], object]
touched: list[str] = []
sockets: list[str] = []


def witness(event: str, arguments: tuple[Any, ...]) -> None:
    if event in FILE_EVENTS and arguments and isinstance(arguments[0], str | bytes | Path):
        path = str(arguments[0])
        if not path.startswith(sys.base_prefix):  # Python loads its codecs when they are first used
            touched.append(path)
    elif event.startswith(("socket.", "urllib.", "http.", "ftplib.", "subprocess.", "os.system", "os.exec")):
        sockets.append(event)


def report(spec: Path, root: Path, validator: Ask) -> dict[str, Any]:
    touched.clear()
    sockets.clear()
    try:
        loaded = load_api(spec, root=root)
        validator(spec)
    except CompilerError as error:
        return {"error": str(error), "touched": [*touched], "sockets": [*sockets]}
    seen = {"touched": [*touched], "sockets": [*sockets]}
    return {"ir": print_api(loaded.api), "diagnostics": print_diagnostics(loaded.diagnostics), **seen}


def used_validator() -> Ask:
    from compiler.frontend.conformance import objections

    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "api.json"
        small.write_text('{"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}}')
        objections(small)
    return objections


def main() -> None:
    validator: Ask = used_validator() if "--validator" in sys.argv else bool
    sys.addaudithook(witness)
    for line in sys.stdin:
        spec, root = json.loads(line)
        print(json.dumps(report(Path(spec), Path(root), validator)), flush=True)


if __name__ == "__main__":
    main()
