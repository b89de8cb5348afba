"""One word, one thing, and folders that one person can hold: public classes and folders of the code, counted.

What the words mean stands in docs/GLOSSARY.md.
"""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("workflow", "governance", "compiler", "runtime", "switchgear")
# The REST API's models are named as what they show.
SHOWN = "runtime/api/"
MOST_FILES = 22


def public_classes(code: str) -> list[str]:
    return [node.name for node in ast.parse(code).body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]


def owners(files: dict[str, str]) -> dict[str, list[str]]:
    """Class names that two files or more declare, with the files."""
    found = defaultdict(list)
    for file, code in files.items():
        if not file.startswith(SHOWN):
            for name in public_classes(code):
                found[name].append(file)
    return {name: places for name, places in found.items() if len(places) > 1}


def code_files() -> list[Path]:
    return [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]


def test_a_public_class_has_its_name_alone() -> None:
    files = {file.relative_to(ROOT).as_posix(): file.read_text() for file in code_files()}
    assert len(files) > 300
    assert owners(files) == {}


def test_a_second_class_of_one_name_is_found() -> None:
    assert owners({"a.py": "class Run: ...", "b.py": "class Run: ...\nclass _Own: ...", "c.py": "class _Own: ..."}) == {
        "Run": ["a.py", "b.py"]
    }


def test_no_folder_holds_more_files_than_one_person_can() -> None:
    folders = defaultdict(int)
    for file in code_files():
        folders[file.parent] += file.name != "__init__.py"
    assert {str(folder): count for folder, count in folders.items() if not 2 <= count <= MOST_FILES} == {}
