"""The file: an uncompressed POSIX tar of four to six members in one order, byte for byte one form.

Nothing in it is ever unpacked to a disk, no name in it becomes a path, and nothing is inflated: what is read is at
most MAX_BYTES, and after reading it is packed again and compared, so that whatever a tar can hide (links, extra
members, trailing bytes, other owners, PAX records) is a difference. Format: POSIX.1-1988 (ustar).
Called by export, sign, verify and import. Here never lives what the members mean.
"""

import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tarfile import BLOCKSIZE, HeaderError, TarInfo

from governance.errors import BundleFormError

ENVELOPE, PROFILES, REVISIONS, SBOM = "envelope.json", "profiles.jsonl", "revisions.jsonl", "sbom.json"
REPLIES = "replies.jsonl"
KNOWLEDGE = "knowledge.jsonl"
"""These two only where there is something in them: bundles of before there were such are read as ever."""
SIGNED = (KNOWLEDGE, PROFILES, REPLIES, REVISIONS, SBOM)
"""Their hashes stand in the signed manifest, of those that are there."""
MEMBERS = (ENVELOPE, *SIGNED)

MAX_BYTES = 64 * 1024 * 1024
"""Both shipped APIs with all proofs are 5 MB; this is read into memory."""

AGAIN = "copy it again from where it was made, and compare `sha256sum` of both"
NO_BUNDLE = "give the file that `switchgear bundle export` wrote"
FOREIGN = "do not use it: ask whoever made it for a new export"
END = bytes(2 * BLOCKSIZE)
COMPRESSED = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def read_file(path: Path) -> dict[str, bytes]:
    """The members of the bundle at `path`. Raises BundleFormError for whatever is not exactly a bundle."""
    return unpack(_bounded(path))


def write_file(path: Path, members: Mapping[str, bytes]) -> bytes:
    """Puts the bundle at `path`, whole or not at all, and answers its bytes. Raises BundleFormError if too large."""
    data = pack(members)
    if len(data) > MAX_BYTES:
        raise BundleFormError(f"the bundle would have {len(data)} bytes, {MAX_BYTES} are allowed", "name fewer --api")
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)  # a bundle is no secret, and another account may import it
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return data


def pack(members: Mapping[str, bytes]) -> bytes:
    """The one archive of these members."""
    parts: list[bytes] = []
    for name in (each for each in MEMBERS if each in members):
        header = TarInfo(name)
        header.size = len(members[name])
        parts += [header.tobuf(tarfile.USTAR_FORMAT), members[name], bytes(-header.size % BLOCKSIZE)]
    return b"".join([*parts, END])


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of an archive in the one form. Raises BundleFormError that says what is different."""
    for magic, kind in COMPRESSED.items():
        if data.startswith(magic):
            raise BundleFormError(f"it is compressed or an archive of another kind ({kind})", NO_BUNDLE)
    found = dict(_entries(data))
    missing = [name for name in MEMBERS if name not in found and name not in (KNOWLEDGE, REPLIES)]
    if missing:
        raise BundleFormError(f"{', '.join(missing)} is missing in it", FOREIGN)
    if pack(found) != data:
        raise BundleFormError("its bytes are not in the one form that a bundle has", FOREIGN)
    return found


def _entries(data: bytes) -> Iterator[tuple[str, bytes]]:
    at, seen = 0, set[str]()
    while data[at : at + BLOCKSIZE] != END[:BLOCKSIZE]:
        entry = _header(data, at)
        _check(entry, seen, len(data) - at - BLOCKSIZE)
        seen.add(entry.name)
        start = at + BLOCKSIZE
        at = start + entry.size + -entry.size % BLOCKSIZE
        yield entry.name, data[start : start + entry.size]


def _header(data: bytes, at: int) -> TarInfo:
    block = data[at : at + BLOCKSIZE]
    if at and len(block) < BLOCKSIZE:
        raise BundleFormError("it is cut off", AGAIN)
    try:
        return TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except HeaderError as error:
        if at:
            raise BundleFormError(f"it is damaged at byte {at}: {error}", AGAIN) from error
        raise BundleFormError("it is no bundle: not a tar archive", NO_BUNDLE) from error


def _check(entry: TarInfo, seen: set[str], left: int) -> None:
    if entry.name not in MEMBERS:
        raise BundleFormError(f"it holds something that no bundle has: {entry.name!r}", FOREIGN)
    if entry.type != tarfile.REGTYPE:
        raise BundleFormError(f"{entry.name} in it is no plain file but a link or a device", FOREIGN)
    if entry.name in seen:
        raise BundleFormError(f"it holds {entry.name} twice", FOREIGN)
    if not 0 <= entry.size <= MAX_BYTES:
        raise BundleFormError(f"{entry.name} says that it has {entry.size} bytes, {MAX_BYTES} are allowed", FOREIGN)
    if entry.size > left:
        raise BundleFormError(f"it is cut off: {entry.name} has {entry.size} bytes, {max(left, 0)} are there", AGAIN)


def _bounded(path: Path) -> bytes:
    """What is in the file, never more than MAX_BYTES of it, whatever it says about its size."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise BundleFormError(f"{path} is no plain file", NO_BUNDLE)
    if about.st_size <= MAX_BYTES:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return data
    raise BundleFormError(f"{path} is larger than the {MAX_BYTES} bytes that a bundle may have", FOREIGN)
