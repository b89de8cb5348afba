"""Same inputs, same bytes: whatever the hash seed, whatever the order of keys, however often (THREATS.md, E1)."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
from compiler.pipeline import Request
from compiler.verification import compile_spec
made = compile_spec(Request(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))[0]
print(json.dumps([[one.flow.id, made.content_of(one).digest, one.proof] for one in made.workflows], sort_keys=True))
"""


def compiled(seed: int, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT).stdout


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same document with the members of every object in another order; lists keep theirs."""
    if isinstance(value, dict):
        members = list(value.items())
        chance.shuffle(members)
        return {key: shuffled(member, chance) for key, member in members}
    return [shuffled(element, chance) for element in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hypercore", "idrac"])
def test_two_hash_seeds_give_the_same_bytes(name: str) -> None:
    spec = f"specs/{name}/openapi.yaml"
    assert compiled(0, spec) == compiled(4711, spec)


@pytest.mark.slow
def test_the_order_of_keys_changes_nothing(tmp_path: Path, shared: Path) -> None:
    raw = json.loads((shared / "specs/hypercore/openapi.json").read_text())
    profile = str(ROOT / "specs/hypercore/profile.yaml")
    answers = set()
    for number in range(3):
        spec = tmp_path / str(number) / "openapi.json"
        spec.parent.mkdir()
        spec.write_text(json.dumps(shuffled(raw, random.Random(number)) if number else raw))
        answers.add(compiled(number, str(spec), profile))
    assert len(answers) == 1
