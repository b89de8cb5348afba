"""What reads foreign bytes is fuzzed: some thousand inputs each in every run, two minutes each with `--long`.

The search is libFuzzer's, guided by what of our code an input reaches (`fuzz.py`). An input that raises what its reader
does not promise, takes a minute or a gigabyte ends the search with its bytes, which then stand in the failure.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from governance.bundles.archive import MEMBERS, pack
from tests.needs import FUZZER

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# A process keeps the peak of whoever forked it as its own: of a small shell, not of a worker with gigabytes behind it.
FORK = ("sh", "-c", '"$@"; exit $?', "fuzz")
SEEDS: dict[str, tuple[Path | bytes, ...]] = {
    "description": (
        ROOT / "docs/rack-pdu/openapi.yaml",
        b'{"swagger": "2.0", "info": {}, "paths": {"/a": {"get": {}}}}',
    ),
    "profile": (ROOT / "specs/idrac/profile.yaml", b"api: a\nauth: {kinds: [basic]}\n"),
    "document": (ROOT / "tests/runtime/toy.arazzo.yaml",),
    "language": (b"$response.body#/a/b", b"$.a[?@.b == '{$inputs.x}']", b"$statusCode == 200 && $inputs.y > 3"),
    "bundle": (
        pack(dict.fromkeys(MEMBERS, b"{}\n")),
        b'{"payload":"e30=","payloadType":"x","signatures":[{"keyid":"a","sig":"YQ=="}]}',
    ),
    "signature": (b"id\n1700000000\nv1,YQ==\nbody",),
}


def searched(folder: Path, readers: Sequence[str], *bounds: str) -> dict[str, int]:
    """Runs a search for each reader, one after the other; answers their exit codes."""
    FUZZER.or_skip()
    for reader in readers:
        seeds = folder / reader / "seeds"
        seeds.mkdir(parents=True)
        for number, seed in enumerate(SEEDS[reader]):
            (seeds / str(number)).write_bytes(seed if isinstance(seed, bytes) else seed.read_bytes())
    options = [f"-dict={HERE / 'words.dict'}", "-seed=1", "-timeout=60"]
    limits = ["-rss_limit_mb=1024", "-max_len=20000", "-print_final_stats=1", *bounds]
    done = subprocess.run(
        [*FORK, sys.executable, str(HERE / "fuzz.py"), str(folder), *options, *limits],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    codes: dict[str, int] = json.loads(done.stdout)
    return codes


def assert_nothing_was_found(place: Path, code: int) -> None:
    said = (place / "log").read_text(errors="replace")
    inputs = {path.name: path.read_bytes()[:2000] for path in place.iterdir() if path.is_file() and path.name != "log"}
    assert code == 0, f"{inputs}\n{said[-4000:]}"
    assert "Done " in said


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    folder = tmp_path_factory.mktemp("searches")
    return folder, searched(folder, sorted(SEEDS), "-runs=3000")


@pytest.mark.slow
@pytest.mark.parametrize("reader", sorted(SEEDS))
def test_no_bytes_raise_what_a_reader_does_not_promise(reader: str, found: tuple[Path, dict[str, int]]) -> None:
    folder, codes = found
    assert_nothing_was_found(folder / reader, codes[reader])


@pytest.mark.long
@pytest.mark.parametrize("reader", sorted(SEEDS))
def test_no_bytes_do_so_in_two_minutes_of_searching(reader: str, tmp_path: Path) -> None:
    codes = searched(tmp_path, [reader], "-max_total_time=120")
    assert_nothing_was_found(tmp_path / reader, codes[reader])
