"""What reads foreign bytes is fuzzed: some thousand inputs each in every run, two minutes each with `--long`.

The search is libFuzzer's, guided by what of our code an input reaches (`fuzz.py`). An input that raises what its reader
does not promise, takes a minute or a gigabyte ends the search with its bytes, which then stand in the failure.
"""

import os
import shutil
import subprocess
import sys
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


def search(reader: str, folder: Path, *bounds: str) -> None:
    """Runs one search and fails with what it says when it found something."""
    FUZZER.or_skip()
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(SEEDS[reader]):
        (seeds / str(number)).write_bytes(seed if isinstance(seed, bytes) else seed.read_bytes())
    options = [f"-dict={HERE / 'words.dict'}", f"-artifact_prefix={folder}/", "-seed=1", "-timeout=60"]
    limits = ["-rss_limit_mb=1024", "-max_len=20000", "-print_final_stats=1", *bounds]
    found = subprocess.run(
        [*FORK, sys.executable, str(HERE / "fuzz.py"), reader, str(seeds), *options, *limits],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    inputs = {path.name: path.read_bytes()[:2000] for path in folder.iterdir() if path.is_file()}
    shutil.rmtree(seeds)
    assert found.returncode == 0, f"{inputs}\n{found.stderr[-4000:]}"
    assert "Done " in found.stderr


@pytest.mark.parametrize("reader", sorted(SEEDS))
def test_no_bytes_raise_what_a_reader_does_not_promise(reader: str, tmp_path: Path) -> None:
    search(reader, tmp_path, "-runs=1500")


@pytest.mark.long
@pytest.mark.parametrize("reader", sorted(SEEDS))
def test_no_bytes_do_so_in_two_minutes_of_searching(reader: str, tmp_path: Path) -> None:
    search(reader, tmp_path, "-max_total_time=120")
