"""Same inputs, same bytes: whatever the hash seed, whatever the order of keys, however often (THREATS.md, E1)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.needs import VENDOR_FOLDER
from tests.shipped import shipped

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
made = compile_spec(CompileRequest(Path(sys.argv[1])))[0]
told = [[one.flow.id, made.content_of(one).digest, one.proof] for one in made.workflows]
print(hash("a"), json.dumps(told, sort_keys=True))
"""


def compiled_elsewhere(seed: int, spec: str) -> str:
    """By a process in which strings have other hashes than here."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", PROGRAM, spec]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT).stdout
    its_hash, _, text = said.partition(" ")
    assert int(its_hash) != hash("a")
    return text.rstrip()


def told(made: Compiled) -> str:
    return json.dumps([[one.flow.id, made.content_of(one).digest, one.proof] for one in made.workflows], sort_keys=True)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same document with the members of every object in another order; lists keep theirs."""
    if isinstance(value, dict):
        members = list(value.items())
        chance.shuffle(members)
        return {key: shuffled(member, chance) for key, member in members}
    return [shuffled(element, chance) for element in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hypercore", pytest.param("idrac", marks=pytest.mark.long)])
def test_two_hash_seeds_give_the_same_bytes(name: str) -> None:
    assert told(shipped(name)) == compiled_elsewhere(4711, f"specs/{name}/openapi.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, *(pytest.param(more, marks=pytest.mark.long) for more in range(2, 6))])
def test_the_order_of_keys_changes_nothing(seed: int, tmp_path: Path, vendors_hypercore: Compiled) -> None:
    raw = json.loads((VENDOR_FOLDER / "specs/hypercore/openapi.json").read_text())
    spec = tmp_path / "openapi.json"
    spec.write_text(json.dumps(shuffled(raw, random.Random(seed))))
    made = compile_spec(CompileRequest(spec, ROOT / "specs/hypercore/profile.yaml"))[0]
    assert told(made) == told(vendors_hypercore)
