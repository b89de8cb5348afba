"""The library's folder: what comes in, what stays out, and what a link in it leads to, which is nowhere."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from governance.audit.log import AuditLog
from governance.errors import InvalidError, NotFoundError, StaleError, UnavailableError
from governance.registry.library import Library
from governance.registry.library_checks import MAX_BYTES, MAX_PROFILE_BYTES
from governance.storage.database import Database

SPEC = b"openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n"
PROFILE = b"api: toy\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def library(folder: Path, database: Database) -> Library:
    return Library(folder, database)


async def put(library: Library, name: str, data: bytes, kind: Any = "specs", seen: str | None = None) -> Any:
    return await library.write(kind, name, data, seen=seen, actor="ann")


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*")) if folder.exists() else []


def linked_folder(place: Path, link: Path) -> Path:
    """A folder beside the library, and a link to it in the library's place."""
    (place / "elsewhere").mkdir()
    link.parent.mkdir()
    link.symlink_to(place / "elsewhere")
    return place / "elsewhere"


async def test_a_file_is_put_read_listed_replaced_and_removed_and_the_audit_knows(
    library: Library, database: Database, folder: Path
) -> None:
    first = await put(library, "a.yaml", SPEC)
    assert (await library.read("specs", "a.yaml"))[1] == SPEC
    second = await put(library, "a.yaml", SPEC + b"# more\n", seen=first.digest)
    assert await library.list_files("specs") == (second,)
    assert await library.list_files("profiles") == ()
    await library.remove("specs", "a.yaml", seen=second.digest, actor="ann")
    assert everything(folder / "specs") == []
    rows = await AuditLog(database).find(subject="library:specs/a.yaml")
    assert [row.action for row in rows] == ["library.added", "library.changed", "library.removed"]
    assert [row.detail["digest"] for row in rows] == [first.digest, second.digest, second.digest]


@pytest.mark.parametrize(
    "name",
    ["", ".yaml", "../a.yaml", "a/b.yaml", "/etc/passwd", "..", ".a.yaml", "a.yaml\n", "a\x00.yaml", "A.yaml", "a.txt",
     "a.yaml/..", "..\\a.yaml", "ä.yaml", "a" * 60 + ".yaml"],
)  # fmt: skip
async def test_a_name_that_is_not_one_plain_word_reaches_no_file(library: Library, folder: Path, name: str) -> None:
    with pytest.raises(InvalidError):
        await put(library, name, SPEC)
    with pytest.raises(NotFoundError):
        await library.read("specs", name)
    assert everything(folder) == []


async def test_a_link_in_the_folder_is_no_file_and_is_not_written_through(library: Library, tmp_path: Path) -> None:
    await put(library, "there.yaml", SPEC)
    outside = tmp_path / "outside.yaml"
    outside.write_bytes(SPEC)
    (tmp_path / "library/specs/link.yaml").symlink_to(outside)
    os.mkfifo(tmp_path / "library/specs/pipe.yaml")
    assert [each.name for each in await library.list_files("specs")] == ["there.yaml"]
    for name in ("link.yaml", "pipe.yaml"):
        with pytest.raises(NotFoundError):
            await library.read("specs", name)
    await put(library, "link.yaml", SPEC + b"# mine\n")
    assert outside.read_bytes() == SPEC
    assert not (tmp_path / "library/specs/link.yaml").is_symlink()


async def test_a_link_in_the_place_of_the_folder_is_an_error(library: Library, tmp_path: Path, folder: Path) -> None:
    elsewhere = linked_folder(tmp_path, folder / "specs")
    with pytest.raises(UnavailableError):
        await put(library, "a.yaml", SPEC)
    assert everything(elsewhere) == []


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(library: Library) -> None:
    first = await put(library, "a.yaml", SPEC)
    with pytest.raises(StaleError, match="is there already"):
        await put(library, "a.yaml", SPEC)
    results = await asyncio.gather(
        *(put(library, "a.yaml", SPEC + b"# %d\n" % number, seen=first.digest) for number in range(8)),
        return_exceptions=True,
    )
    taken = [each for each in results if not isinstance(each, BaseException)]
    assert len(taken) >= 1
    assert all(isinstance(each, StaleError) for each in results if isinstance(each, BaseException))
    with pytest.raises(StaleError):
        await library.remove("specs", "a.yaml", seen=first.digest, actor="ann")
    assert (await library.read("specs", "a.yaml"))[0].digest in {each.digest for each in taken}


BOMB = b"x0: &x0 [y, y]\n" + b"".join(b"x%d: &x%d [*x%d, *x%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40))
BAD: dict[str, tuple[Any, str, bytes]] = {
    "no OpenAPI": ("specs", "a.yaml", b"title: x\n"),
    "openapi as a value only": ("specs", "a.yaml", b"title: openapi\n"),
    "a list": ("specs", "a.json", b"[]"),
    "no JSON": ("specs", "a.json", SPEC),
    "no YAML": ("specs", "a.yaml", b"openapi: [\n"),
    "no UTF-8": ("specs", "a.yaml", b"openapi: \xff\n"),
    "too deep": ("specs", "a.yaml", b"openapi: " + b"[" * 200 + b"]" * 200),
    "too many parts": ("specs", "a.yaml", b"openapi: [" + b"x," * 700_000 + b"]"),
    "too deep JSON": ("specs", "a.json", b'{"openapi":' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "too many parts of JSON": ("specs", "a.json", b'{"openapi":[' + b"[]," * 2_000_000 + b"[]]}"),
    "too large": ("specs", "a.yaml", SPEC + b"#" * MAX_BYTES),
    "a profile that is none": ("profiles", "a.yaml", b"api: toy\nlimits: {connections: many}\n"),
    "a profile that grows with each alias": ("profiles", "a.yaml", BOMB),
    "a profile that holds itself": ("profiles", "a.yaml", b"api: &a {x: *a}\n"),
    "a profile that is too large": ("profiles", "a.yaml", PROFILE + b"#" * MAX_PROFILE_BYTES),
    "a profile that makes objects": ("profiles", "a.yaml", b"api: !!python/object/apply:os.getpid []\n"),
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_description_or_profile_is_refused(library: Library, folder: Path, what: str) -> None:
    kind, name, data = BAD[what]
    with pytest.raises(InvalidError):
        await put(library, name, data, kind)
    assert everything(folder) == []


async def test_a_description_with_aliases_and_a_profile_in_json_are_taken(library: Library) -> None:
    await put(library, "a.yaml", b"openapi: 3.1.0\nx: &x {y: 1}\nz: *x\npaths: {}\n")
    await put(library, "a.json", b'{"api": "toy"}', "profiles")
    rules = b"risks:\n  - {operation: &x 'POST /x', risk: change, why: y}\n  - {operation: *x, risk: change, why: z}\n"
    await put(library, "b.yaml", PROFILE + rules, "profiles")


async def test_files_of_others_in_the_folder_are_not_told(library: Library, folder: Path) -> None:
    await put(library, "a.yaml", PROFILE, "profiles")
    (folder / "profiles/.hidden.yaml").write_bytes(PROFILE)
    (folder / "profiles/notes.txt").write_bytes(PROFILE)
    (folder / "profiles/folder.yaml").mkdir()
    assert [each.name for each in await library.list_files("profiles")] == ["a.yaml"]
