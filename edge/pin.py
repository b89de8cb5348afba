"""Writes the list of hashes that an edge machine installs by: `pin.py LOCK OWN_WHEEL FOLDER`.

Each wheel in FOLDER/wheels must be one that the lock names by its hash, or Switchgear's own; any other ends the making
with 1. Writes FOLDER/requirements.txt and FOLDER/made_for.txt. Called by make_wheelhouse.sh; standard library only.
"""

import hashlib
import platform
import re
import sys
from pathlib import Path


def main(lock: Path, own: Path, folder: Path) -> int:
    known = set(re.findall(r"sha256:([0-9a-f]{64})", lock.read_text())) | {hash_of(own)}
    wheels = {wheel: hash_of(wheel) for wheel in sorted((folder / "wheels").iterdir())}
    foreign = [wheel.name for wheel, digest in wheels.items() if digest not in known]
    if foreign:
        print(f"wheelhouse: the lock does not know {', '.join(foreign)}", file=sys.stderr)
        return 1
    lines = [f"{pinned(wheel)} --hash=sha256:{digest}\n" for wheel, digest in wheels.items()]
    (folder / "requirements.txt").write_text("".join(lines))
    (folder / "made_for.txt").write_text(f"{sys.version_info[0]}.{sys.version_info[1]} {platform.machine()}\n")
    return 0


def pinned(wheel: Path) -> str:
    """`name==version` of a wheel, by its file's name (PyPA's binary distribution format)."""
    name, version, *_ = wheel.name.split("-")
    return f"{name.replace('_', '-')}=={version}"


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
