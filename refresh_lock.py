#!/usr/bin/env python3
"""Makes requirements.lock anew, says what changed, and asks the quick gate what that breaks (docs/MAINTENANCE.md).

    ./refresh_lock.py                every package at the newest version that pyproject.toml allows
    ./refresh_lock.py NAME …         these packages alone; everything else stays where it is
    ./refresh_lock.py --no-gate      the lock alone: no set-up, no gate
    ./refresh_lock.py --dry-run      says what would change, and writes nothing

It writes two files: the lock, and `governance/bundles/scopes.json`, from which a bill of materials knows what an edge
runs. Called by whoever keeps the product; nothing of it is imported by the product or installed. Needs the package
index and nothing else: uv is taken from the PATH, or put into a temporary folder. Ends with the gate's own exit code.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parent
PROJECT, LOCK = ROOT / "pyproject.toml", ROOT / "requirements.lock"
SCOPES = ROOT / "governance" / "bundles" / "scopes.json"
# Bound to the form of the lock, not to its versions: another uv may order or word it otherwise.
UV = "uv==0.13.9"
FORM = ("--universal", "--no-annotate", "--no-header", "--python-version", "3.11", "--quiet")
HASHED = (*FORM, "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links")
# What a machine has set for itself must not reach the lock; a mirror in place of the index serves the same files.
KEPT_SETTINGS = {"UV_DEFAULT_INDEX", "UV_CACHE_DIR"}
PINNED = re.compile(r"^([A-Za-z0-9][\w.\-]*)==([^\s;\\]+)", re.M)
ENTRY = re.compile(r"[A-Za-z0-9][\w.\-]*==[^\s;\\]+(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n")
NAME = re.compile(r"([\w.\-]+(?:\[[^\]]*\])?)[^;]*(;.*)?")
GOES_BACK = """Mend what broke, or bound the package in pyproject.toml with the reason beside it.
The former lock: git checkout requirements.lock governance/bundles/scopes.json && ./setup.sh"""
# What runs on an edge; what else a user may install. The rest of the lock is for development.
EDGE, CHOICES = ("runtime",), ("compiler", "otel", "keyring")


class RefreshError(Exception):
    """The lock could not be made; its text is what a person reads."""


@dataclass(frozen=True)
class Changes:
    """What differs between two locks, by name, in order."""

    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)

    @classmethod
    def between(cls, old: str, new: str) -> "Changes":
        before, after = versions(old), versions(new)
        return cls(
            {
                name: (before[name], after[name])
                for name in sorted(before)
                if before[name] != after.get(name, before[name])
            },
            {name: after[name] for name in sorted(after.keys() - before.keys())},
            {name: before[name] for name in sorted(before.keys() - after.keys())},
        )

    def lines(self) -> Iterator[str]:
        yield from (f"  {name} {old} -> {new}" for name, (old, new) in self.moved.items())
        yield from (f"  {name} {version} is new" for name, version in self.new.items())
        yield from (f"  {name} {version} is gone" for name, version in self.gone.items())


def versions(lock: str) -> dict[str, str]:
    """Names to versions, as a lock or a resolution writes them; several versions of one name stand together."""
    found: dict[str, list[str]] = {}
    for name, version in PINNED.findall(lock):
        found.setdefault(name, []).append(version)
    return {name: ", ".join(each) for name, each in found.items()}


def faults(lock: str) -> str:
    """What of the lock is neither a pinned package nor one of its hashes: a host, a path, a version of this machine."""
    local = [f"{name}=={version}" for name, version in versions(lock).items() if "+" in version]
    return "\n".join([*local, *filter(None, ENTRY.sub("", lock).splitlines())])


def held_back(lock: str, free: str) -> list[str]:
    """`free`: what would resolve if pyproject.toml set no bounds. Several reasons can make a version older here."""
    now, then = versions(lock), versions(free)
    return [
        f"  {name} {now[name]} ({then[name]} is out)" for name in sorted(now) if then.get(name, now[name]) != now[name]
    ]


def names_alone(project: str) -> str:
    """Everything that is declared, without its bounds, for a resolver."""
    table = tomllib.loads(project)
    lists = [table["project"]["dependencies"], *table["project"]["optional-dependencies"].values()]
    lines = [line for part in [*lists, *table["dependency-groups"].values()] for line in part]
    matches = (NAME.fullmatch(line) for line in lines)
    return "".join(f"{match[1]} {match[2] or ''}\n" for match in matches if match)


class Resolver:
    """uv, run so that nothing but the index and what it is given decides."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uv = which("uv") or self._fetched()

    def _fetched(self) -> str:
        venv.create(self._folder / "uv", with_pip=True)
        python = self._folder / "uv" / "bin" / "python"
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])
        return str(python.with_name("uv"))

    def compiled(self, source: Path, *options: str) -> str:
        """The resolution of `source`. Raises RefreshError with uv's own words when there is none."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_")) or k in KEPT_SETTINGS}
        command = [self._uv, "pip", "compile", "--no-config", str(source), *options]
        return _run(command, environment=kept)

    def lock(self, old: str, only: Sequence[str]) -> str:
        """The new lock: everything moves, or `only` these."""
        target = self._folder / "requirements.lock"
        target.write_text(old, "utf-8")
        moved = [word for name in only for word in ("--upgrade-package", name)] or ["--upgrade"]
        self.compiled(PROJECT, *HASHED, *moved, "--all-extras", "--group", "dev", "--output-file", str(target))
        return target.read_text("utf-8")

    def scopes(self, lock: str) -> dict[str, list[str]]:
        """Names by CycloneDX scope: what an edge, a Linux machine, runs, and what else the product can use."""
        edge = self._names(lock, EDGE)
        return {"required": sorted(edge), "optional": sorted(self._names(lock, (*EDGE, *CHOICES)) - edge)}

    def _names(self, lock: str, extras: Sequence[str]) -> set[str]:
        """Of the lock alone: what it has no version of was not resolved by it."""
        bounds = self._folder / "bounds.txt"
        bounds.write_text("".join(f"{line}\n" for line in lock.splitlines() if "==" in line).replace(" \\", ""))
        chosen = [word for extra in extras for word in ("--extra", extra)]
        options = [option for option in FORM if option != "--universal"]
        found = self.compiled(PROJECT, *options, *chosen, "--constraint", str(bounds), "--python-platform", "linux")
        return set(versions(found))

    def free(self) -> str:
        source = self._folder / "names.in"
        source.write_text(names_alone(PROJECT.read_text("utf-8")))
        return self.compiled(source, *FORM, "--upgrade")


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    if done.returncode:
        raise RefreshError(f"{' '.join(command[:4])} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def refreshed(only: Sequence[str], folder: Path) -> tuple[str, dict[str, list[str]], list[str]]:
    """The new lock, the scopes of its packages, and what bounds hold back where all may move. Raises RefreshError."""
    resolver = Resolver(folder)
    lock = resolver.lock(LOCK.read_text("utf-8"), only)
    if wrong := faults(lock):
        raise RefreshError(f"the lock would hold what is neither a package of the index nor a hash:\n{wrong}")
    return lock, resolver.scopes(lock), [] if only else held_back(lock, resolver.free())


def judged() -> int:
    """Sets up by the new lock and runs the quick gate; both speak for themselves."""
    for command in (["./setup.sh"], ["./test_all.sh", "--quick"]):
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code:
            print(f"{' '.join(command)} fails with the new lock.", GOES_BACK, sep="\n")
            return code
    return 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes requirements.lock anew and says what changed.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="move these packages alone")
    parser.add_argument("--no-gate", action="store_true", help="write the lock, and neither set up nor test")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    wish = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            lock, scopes, held = refreshed(wish.names, Path(folder))
    except RefreshError as error:
        print(error, file=sys.stderr)
        return 1
    changes = list(Changes.between(LOCK.read_text("utf-8"), lock).lines())
    print("\n".join(["changed:", *(changes or ["  nothing"]), "held back:", *(held or ["  nothing"])]), flush=True)
    if wish.dry_run:
        return 0
    LOCK.write_text(lock, "utf-8")
    SCOPES.write_text(json.dumps(scopes, indent=1) + "\n")
    return 0 if wish.no_gate else judged()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
