"""The library: descriptions and profiles as files in one folder, brought over REST for the compiler to read.

`FOLDER/specs/NAME` and `FOLDER/profiles/NAME`, nothing below and nothing beside: a name is one plain word with an
ending, a link is never followed, a file is replaced whole. What comes in is bounded and looked at just enough to know
that it is what it is called; the compiler has the last word on it. Each change is in the audit before it is made.
Here never lives the compiler's reading of a description (`compiler.frontend`). Called by the REST routes.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from governance.audit.log import AuditLog
from governance.errors import ConflictError, InvalidError, NotFoundError, StaleError, UnavailableError
from governance.registry.library_checks import MAX_BYTES, Kind, check_document
from governance.storage.database import Database
from governance.storage.identifiers import Json, moment, new_id

Change = Literal["added", "changed", "removed"]
NAME = r"^[a-z0-9][a-z0-9._-]{0,58}\.(json|yaml|yml)$"
MOST_FILES = 500
"""Of one kind: a vendor or two a file, and each list reads them all for their digests."""
_NAME = re.compile(NAME)
# A link in the place of a file or of one of the two folders is an error, never a way out.
_PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stored:
    """One file. `digest` is of its bytes, `changed_at` UTC text."""

    name: str
    size_bytes: int
    digest: str
    changed_at: str

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


class Library:
    def __init__(self, folder: Path, database: Database) -> None:
        """`folder` is made when the first file comes."""
        self._folder = folder
        self._audit = AuditLog(database)

    async def list_files(self, kind: Kind) -> tuple[Stored, ...]:
        """By name. What is no file of ours (a link, a folder, another name) is not told."""
        return await asyncio.to_thread(self._all, kind)

    async def read(self, kind: Kind, name: str) -> tuple[Stored, bytes]:
        """Raises NotFoundError, UnavailableError."""
        return await asyncio.to_thread(self._read, kind, name)

    async def write(self, kind: Kind, name: str, data: bytes, *, seen: str | None, actor: str) -> Stored:
        """Puts `data` under `name`, whole or not at all. `seen`: the digest of what it replaces, None for a new file.

        Raises InvalidError (a name or content that is not taken), StaleError (there is another file by now, or none),
        ConflictError (too many), UnavailableError.
        """
        await asyncio.to_thread(self._check_new, kind, name, data, seen)
        digest = _digest(data)
        told = {"kind": kind, "name": name, "digest": digest, "replaces": seen}
        await self._audit.append(actor, f"library.{'changed' if seen else 'added'}", f"library:{kind}/{name}", told)
        return await asyncio.to_thread(self._put, kind, name, data, seen)

    async def remove(self, kind: Kind, name: str, *, seen: str, actor: str) -> None:
        """Raises NotFoundError, StaleError, UnavailableError."""
        stored, _ = await self.read(kind, name)
        _check_seen(stored, seen, name)
        told = {"kind": kind, "name": name, "digest": seen}
        await self._audit.append(actor, "library.removed", f"library:{kind}/{name}", told)
        await asyncio.to_thread(self._unlink, kind, name, seen)

    def _all(self, kind: Kind) -> tuple[Stored, ...]:
        with _translated(), self._opened(kind) as place:
            names = sorted(filter(_NAME.fullmatch, os.listdir(place))) if place is not None else []  # noqa: PTH208  by handle
            return tuple(told[0] for name in names if place is not None and (told := _looked(place, name)))

    def _read(self, kind: Kind, name: str) -> tuple[Stored, bytes]:
        with _translated(), self._opened(kind) as place:
            found = _looked(place, name) if place is not None and _NAME.fullmatch(name) else None
        if found is None:
            raise NotFoundError(f"there is no file {name} in the library's {kind}", f"see GET /{kind}")
        return found

    def _check_new(self, kind: Kind, name: str, data: bytes, seen: str | None) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidError(f"{name!r} is no name for a file here", "take a-z 0-9 . _ - and end with .yaml or .json")
        check_document(kind, name, data)
        known = {each.name: each for each in self._all(kind)}
        _check_seen(known.get(name), seen, name)
        if seen is None and len(known) >= MOST_FILES:
            raise ConflictError(f"there are {MOST_FILES} files already", "remove one that is not needed")

    def _put(self, kind: Kind, name: str, data: bytes, seen: str | None) -> Stored:
        """Beside its place first, then into it in one move: a reader sees the old bytes or the new ones."""
        with _translated():
            for folder in (self._folder, self._folder / kind):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened(kind) as place:
                assert place is not None
                beside = f".{new_id()}"
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o600, dir_fd=place)
                try:
                    with os.fdopen(handle, "wb") as file:
                        file.write(data)
                        file.flush()
                        os.fsync(handle)
                    there = _looked(place, name)
                    _check_seen(there[0] if there else None, seen, name)
                    os.replace(beside, name, src_dir_fd=place, dst_dir_fd=place)
                    os.fsync(place)
                finally:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(beside, dir_fd=place)
        return self._read(kind, name)[0]

    def _unlink(self, kind: Kind, name: str, seen: str) -> None:
        with _translated(), self._opened(kind) as place:
            there = _looked(place, name) if place is not None else None
            _check_seen(there[0] if there else None, seen, name)
            os.unlink(name, dir_fd=place)

    @contextlib.contextmanager
    def _opened(self, kind: Kind) -> Iterator[int | None]:
        """The folder of this kind; None where there is none yet."""
        try:
            place = os.open(self._folder / kind, os.O_RDONLY | os.O_DIRECTORY | _PLAIN)
        except FileNotFoundError:
            yield None
            return
        try:
            yield place
        finally:
            os.close(place)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"the library's folder cannot be used: {error.strerror}"
        raise UnavailableError(message, "see SWITCHGEAR_LIBRARY and who may write there") from error


def _looked(place: int, name: str) -> tuple[Stored, bytes] | None:
    """The file, if it is a plain one of a size that is taken."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _PLAIN, dir_fd=place)
    except OSError:
        return None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES)
    finally:
        os.close(handle)
    changed_at = moment(datetime.fromtimestamp(about.st_mtime, UTC))
    return Stored(name, len(data), _digest(data), changed_at), data


def _check_seen(there: Stored | None, seen: str | None, name: str) -> None:
    if (there.digest if there else None) != seen:
        what = "is there already" if seen is None else "was changed meanwhile"
        raise StaleError(f"the file {name} {what}", "look at it, then decide again")


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
