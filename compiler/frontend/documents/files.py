"""The one place of the compiler's front end that opens files, and only inside one folder.

Here live the reading of an address as a place below the root, and the opening of that file. Here never lives a
socket: an `https://` address is a name whose last segments are looked for in the root, never a place to fetch from.
Called by `references`; `read_given` also by whoever reads a file that the user named (description, overlay).
THREATS.md row B3. Redfish descriptions name their schema files by absolute address (DMTF DSP0266, "Schema files").
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from compiler.errors import LimitError, SpecError
from compiler.frontend.documents.limits import ReadLimits

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = ("http", "https")


@dataclass(frozen=True, slots=True)
class MissingFile:
    """Why an address has no file: `code` of the diagnostic and a reason in words."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Address:
    """Segments of an address; `is_relative` says that they count from the referring file's folder."""

    segments: tuple[str, ...]
    is_relative: bool


def read_given(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file that the user named. Raises SpecError if it cannot be read, LimitError beyond `max_bytes`."""
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpecError(f"cannot be read: {reason}", str(path), remedy="give the path of a readable file") from error
    if len(raw) > max_bytes:
        raise LimitError(f"more than {max_bytes} bytes", str(path))
    return raw


class Root:
    """A folder, and the right to read regular files whose real place is below it."""

    def __init__(self, folder: Path, limits: ReadLimits) -> None:
        self.folder = os.path.realpath(folder)
        self._limits = limits
        self._by_name: dict[str, str] | None = None
        if not Path(self.folder).is_dir():
            raise SpecError("the root is not a folder", str(folder), remedy="give --root a folder with the files")

    def find(self, address: str, folder: str) -> str | MissingFile:
        """The real path of the file that `address`, written in a file in `folder`, means."""
        parsed = _read_address(address)
        if isinstance(parsed, MissingFile):
            return parsed
        if parsed.is_relative:
            start = folder if self.holds(folder) else self.folder
            beside = os.path.normpath(os.path.join(start, *parsed.segments))  # noqa: PTH118 (text only, no access)
            if not self.holds(beside):
                return MissingFile("ref-outside-root", f"leads out of the root {Path(self.folder).name!r}")
            found = self._file(beside)
            if found is not None:
                return found
        return self._by_suffix([s for s in parsed.segments if s not in (".", "..")])

    def holds(self, path: str) -> bool:
        """Whether `path` is the root or below it, as text: give real paths."""
        return path == self.folder or path.startswith(self.folder.rstrip("/") + "/")

    def name(self, path: str) -> str:
        """How messages call a file: relative to the root, or its bare name when it is elsewhere."""
        return Path(path).relative_to(self.folder).as_posix() if self.holds(path) else Path(path).name

    def read(self, path: str) -> bytes:
        """The bytes of a file that `find` gave. Raises LimitError beyond the limit, OSError."""
        # O_NOFOLLOW and O_NONBLOCK: whoever swaps the file for a link or a pipe meanwhile gets an error, not a wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor, not a path)
            raw = file.read(self._limits.json_bytes + 1)
        if len(raw) > self._limits.json_bytes:
            raise LimitError(f"more than {self._limits.json_bytes} bytes", self.name(path))
        return raw

    def _by_suffix(self, segments: list[str]) -> str | MissingFile:
        """Longest ending of the address first, then a file of that name anywhere below the root."""
        refused: MissingFile | None = None
        for first in range(len(segments)):
            found = self._file(os.path.join(self.folder, *segments[first:]))  # noqa: PTH118
            if isinstance(found, str):
                return found
            refused = refused or found
        named = self._index().get(segments[-1]) if segments else None
        return named or refused or MissingFile("file-missing", f"is not below the root {Path(self.folder).name!r}")

    def _file(self, path: str) -> str | MissingFile | None:
        """The real path of the regular file at `path`; None when there is nothing; Absent when it leads outside."""
        real = os.path.realpath(path)
        if not self.holds(real):
            return MissingFile("ref-outside-root", "is a link that leads out of the root")
        try:
            mode = os.lstat(real).st_mode
        except (OSError, ValueError):
            return None
        return real if stat.S_ISREG(mode) else None

    def _index(self) -> dict[str, str]:
        """File name → path, the shallowest and then the first by name; links and hidden folders are not entered."""
        if self._by_name is None:
            self._by_name = {}
            level = [self.folder]
            room = self._limits.folder_entries
            while level and room > 0:
                inner: list[str] = []
                for folder in level:
                    room -= self._index_folder(folder, inner, self._by_name)
                level = inner
        return self._by_name

    @staticmethod
    def _index_folder(folder: str, inner: list[str], by_name: dict[str, str]) -> int:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return 1
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    inner.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                by_name.setdefault(entry.name, entry.path)
        return 1 + len(found)


def _read_address(address: str) -> _Address | MissingFile:
    """An address taken apart, or why it is none that is followed."""
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() not in _WEB:
        return MissingFile("ref-forbidden", f"has the scheme {scheme[1][:20]!r}, which is never followed")
    rest = address[scheme.end() :] if scheme else address
    is_web = scheme is not None or rest.startswith("//")
    rest = re.split(r"[?#]", rest, maxsplit=1)[0]
    segments = [unquote(part) for part in rest.split("/")]
    if is_web:
        segments = segments[3:]
    if any("/" in part or "\\" in part or "\0" in part for part in segments):
        return MissingFile("ref-forbidden", "holds characters that no file name has")
    if max((len(part) for part in segments), default=0) > 255 or len(segments) > 64:
        return MissingFile("file-missing", "is longer than any file's path")
    is_relative = not is_web and not rest.startswith("/")
    return _Address(tuple(part for part in segments if part), is_relative)
