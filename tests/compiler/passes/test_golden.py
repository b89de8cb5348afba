"""Golden text cases of the passes: a small description (and profile) in, parts of the printed IR out, one idea a file.

Each file in `golden/` has a sentence that says what it shows, then sections that start with `--- name`: `api.yaml`,
perhaps `profile.yaml`, and `ir show WORDS`, which expects the printed lines that begin with one of the words, or whose
second word it is after a slash (`flow/shop_find_orders`); indented lines belong to the line above them.
After a wanted change: `SWITCHGEAR_REWRITE_GOLDEN=1 pytest tests/compiler/passes/test_golden.py`, then read the diff.
"""

import os
import re
from pathlib import Path

import pytest

from compiler import pipeline
from compiler.ir.printer import print_api

CASES = sorted((Path(__file__).parent / "golden").glob("*.txt"))


def shown(text: str, words: list[str]) -> str:
    kept, is_kept = [], False
    for line in text.splitlines():
        if not line.startswith("  "):
            kind, _, rest = line.partition(" ")
            is_kept = kind in words or f"{kind}/{rest.partition(' ')[0]}" in words
        if is_kept:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_passes_understand_and_plan(case: Path, tmp_path: Path) -> None:
    says, *parts = re.split(r"^--- (.+)\n", case.read_text(), flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    asked = next(name for name in sections if name.startswith("ir show "))
    for name, text in sections.items():
        if name != asked:
            (tmp_path / name).write_text(text)

    api = pipeline.dump(pipeline.CompileRequest(tmp_path / "api.yaml"), "flows")

    seen = shown(print_api(api), asked.split(" ")[2:])
    if os.environ.get("SWITCHGEAR_REWRITE_GOLDEN"):
        inputs = "".join(f"--- {name}\n{text}" for name, text in sections.items() if name != asked)
        case.write_text(f"{says}{inputs}--- {asked}\n{seen}")
    assert seen == sections[asked]
