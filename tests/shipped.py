"""The shipped APIs and the vendors' own, compiled with the shipped profiles: once a run, for whoever looks at them.

What is tested is the same wherever it is compiled; whoever tests compiling itself compiles. A compile takes seconds and
reading its result a twentieth of that, so xdist's workers take it from a file of the first who needed it. Nothing here
is a fixture.
"""

import copyreg
import fcntl
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import MappingProxyType

from compiler.compiled import Compiled
from compiler.pipeline import Request
from compiler.verification import compile_spec
from tests.needs import VENDOR_FOLDER

ROOT = Path(__file__).resolve().parents[1]
APIS = ("hypercore", "idrac")
DESCRIPTIONS = {"hypercore": "hypercore/openapi.json", "idrac": "idrac/openapi.yaml"}
# The folder that all workers of this run have; none where there is one process.
_folders: list[Path] = []
copyreg.pickle(MappingProxyType, lambda mapping: (MappingProxyType, (dict(mapping),)))


def share_in(folder: Path) -> None:
    _folders[:] = [folder]


@cache
def shipped(api: str) -> Compiled:
    return _made_once(f"shipped-{api}", lambda: compile_spec(Request(ROOT / "specs" / api / "openapi.yaml"))[0])


@cache
def vendors_own(api: str) -> Compiled:
    request = Request(VENDOR_FOLDER / "specs" / DESCRIPTIONS[api], ROOT / "specs" / api / "profile.yaml")
    return _made_once(f"vendors-{api}", lambda: compile_spec(request)[0])


def _made_once(name: str, make: Callable[[], Compiled]) -> Compiled:
    if not _folders:
        return make()
    place = _folders[0] / f"{name}.pickle"
    with (_folders[0] / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not place.exists():
            made = make()
            place.with_suffix(".new").write_bytes(pickle.dumps(made))
            place.with_suffix(".new").rename(place)
            return made
    read = pickle.loads(place.read_bytes())
    assert isinstance(read, Compiled)
    return read
