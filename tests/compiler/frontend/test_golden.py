"""Golden text cases: small descriptions in, the printed IR and the diagnostics out, one idea a file.

Each file in `golden/` has a sentence that says what it shows, then sections that start with `--- name`: the first is
the description, `overlay.yaml` is applied to it, others lie beside it; `ir` and `diagnostics` are what is expected.
After a wanted change: `SWITCHGEAR_REWRITE_GOLDEN=1 pytest tests/compiler/frontend/test_golden.py`, then read the diff.
"""

import os
import re
from pathlib import Path

import pytest

from compiler.frontend import load_api
from compiler.ir.printer import print_api, print_diagnostics
from compiler.ir.verifier import verify

CASES = sorted((Path(__file__).parent / "golden").glob("*.txt"))
EXPECTED = ("ir", "diagnostics")


def read_case(case: Path) -> tuple[str, dict[str, str]]:
    says, *parts = re.split(r"^--- (.+)\n", case.read_text(), flags=re.MULTILINE)
    return says, dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_description_becomes_the_printed_ir(case: Path, tmp_path: Path) -> None:
    says, sections = read_case(case)
    files = [name for name in sections if name not in EXPECTED]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(sections[name])
    overlay = tmp_path / "overlay.yaml" if "overlay.yaml" in files else None

    loaded = load_api(tmp_path / files[0], root=tmp_path, overlay=overlay)

    verify(loaded.api)
    diagnostics = print_diagnostics(loaded.diagnostics).replace(tmp_path.name, "ROOT")
    if os.environ.get("SWITCHGEAR_REWRITE_GOLDEN"):
        inputs = "".join(f"--- {name}\n{sections[name]}" for name in files)
        case.write_text(f"{says}{inputs}--- ir\n{print_api(loaded.api)}--- diagnostics\n{diagnostics}")
    assert (print_api(loaded.api), diagnostics) == (sections.get("ir"), sections.get("diagnostics"))
