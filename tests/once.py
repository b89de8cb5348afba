"""What takes seconds to make and does not change is made once a run: by the first of xdist's workers that needs it.

The others read it from a file, which for a compile takes a twentieth of the time. Here nothing is made and nothing of
the product imported: this is loaded before any worker is there.
"""

import copyreg
import fcntl
import pickle
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

T = TypeVar("T")
# The folder that all workers of this run have; none where there is one process.
_folders: list[Path] = []
copyreg.pickle(MappingProxyType, lambda mapping: (MappingProxyType, (dict(mapping),)))


def share_in(folder: Path) -> None:
    _folders[:] = [folder]


def made_once(name: str, make: Callable[[], T]) -> T:
    """What `make` gives; whoever comes meanwhile waits for it."""
    if not _folders:
        return make()
    place = _folders[0] / f"{name}.pickle"
    with (_folders[0] / f"{name}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not place.exists():
            made = make()
            beside = place.with_suffix(".new")
            beside.write_bytes(pickle.dumps(made))
            beside.rename(place)
            return made
    return cast(T, pickle.loads(place.read_bytes()))
