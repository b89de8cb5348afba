"""The bill of materials: the packages of `requirements.lock` as a CycloneDX 1.6 document.

The lock is what a release is installed from, so it is what the document tells of: names, versions and package URLs,
no host. A component's scope says what an edge has to do with it: `required` runs there (the runtime with all that it
needs), `optional` is part of the product and is not installed there (the compiler, traces, a keyring), `excluded` is
for development. Which is which stands in `scopes.json`, made with the lock (docs/MAINTENANCE.md). Hashes are left to
the lock: it has one for each file of a package, a component here stands for all of them. The lock lies beside the rooms
in a checkout and inside this room in the wheel.
"""

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from governance.errors import NotFoundError
from governance.storage.identifiers import Json
from workflow.json.canonical import canonical_bytes

NAME = "requirements.lock"
SCOPES = Path(__file__).with_name("scopes.json")
PLACES = (Path(__file__).parents[1] / NAME, Path(__file__).parents[2] / NAME)
_PINNED = re.compile(r"^([A-Za-z0-9][\w.\-]*)==([^\s;\\]+)", re.M)


def bill_of_materials(created_at: str) -> bytes:
    """The document, in canonical form. Raises NotFoundError in an installation without its lock."""
    scopes = _scopes()
    return canonical_bytes(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"timestamp": created_at, "component": _component("application", "switchgear", own_version())},
            "components": [
                {**_component("library", name, version), "scope": scopes.get(name, "excluded")}
                for name, version in _pinned(lock_text())
            ],
        }
    )


def own_version() -> str:
    return version("switchgear")


def lock_text() -> str:
    place = next((place for place in PLACES if place.is_file()), None)
    if place is None:
        raise NotFoundError(
            f"this installation has no {NAME}, so it cannot say what it is made of", "install the wheel"
        )
    return place.read_text(encoding="utf-8")


def _scopes() -> dict[str, str]:
    names: dict[str, list[str]] = json.loads(SCOPES.read_text("utf-8"))
    return {name: scope for scope, each in names.items() for name in each}


def _pinned(lock: str) -> Iterator[tuple[str, str]]:
    yield from sorted(_PINNED.findall(lock))


def _component(kind: str, name: str, version: str) -> Json:
    url = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {"type": kind, "bom-ref": url, "name": name, "version": version, "purl": url}
