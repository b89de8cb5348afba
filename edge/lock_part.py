"""The part of the lock that `switchgear[EXTRAS]` needs on this machine: `lock_part.py EXTRA,… >part.lock`.

What each package requires is read from its installed metadata, so this runs in an environment that has the whole lock.
Markers and extras are those of the running interpreter (PEP 508). A requirement that the lock does not meet ends it
with 1. Called by make_wheelhouse.sh and the Dockerfile; tests/house/test_lock.py asks the same of the whole lock.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ENTRY = re.compile(r"^[A-Za-z0-9][^\n]*(?:\n +--hash=[^\n]*)*", re.M)


class OpenLockError(Exception):
    """The lock lacks what a package requires; the message says what."""


def entries(lock: str) -> dict[str, str]:
    """Each package that the lock names for this interpreter, by canonical name, with its lines."""
    found = {}
    for text in ENTRY.findall(lock):
        pin = pin_of(text)
        if pin.marker is None or pin.marker.evaluate():
            found[canonicalize_name(pin.name)] = text
    return found


def pin_of(entry: str) -> Requirement:
    return Requirement(entry.split(" \\\n")[0])


def needed(roots: Iterable[Requirement], lock: str) -> list[str]:
    """The canonical names of all that `roots` require, directly or not, sorted. Raises OpenLockError."""
    locked = {name: pin_of(entry) for name, entry in entries(lock).items()}
    waiting = [(root, "pyproject.toml", "") for root in roots]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, whose, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        check(requirement, locked.get(name), whose)
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(further, name, wanted) for further in requirements_of(name)]
    return sorted({name for name, _ in seen})


def requirements_of(name: str) -> Iterator[Requirement]:
    yield from map(Requirement, requires(name) or ())


def check(requirement: Requirement, pin: Requirement | None, whose: str) -> None:
    if pin is None:
        raise OpenLockError(f"{whose} requires {requirement}, which the lock does not name")
    version = str(pin.specifier).removeprefix("==")
    if not requirement.specifier.contains(version, prereleases=True):
        raise OpenLockError(f"{whose} requires {requirement}, and the lock names {version}")


def declared(extras: Iterable[str]) -> list[Requirement]:
    """What pyproject.toml asks for: always, and for each of `extras`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        Requirement(line)
        for part in (project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras))
        for line in part
    ]


def main(extras: str) -> int:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    try:
        names = needed(declared(extras.split(",")), lock)
    except OpenLockError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    own = entries(lock)
    sys.stdout.writelines(own[name] + "\n" for name in names)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
