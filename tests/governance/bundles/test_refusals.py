"""Bundles that must not come in (THREATS.md, A6): each refused with its own reason and what to do, nothing changed.

Every case starts from a machine with version 1 of the bundle; afterwards the honest version 2 is taken, so that no
refusal comes from something else than what the case is about.
"""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.bundles import archive
from governance.bundles.envelope import SignedEnvelope, read_envelope
from governance.bundles.manifest import hash_of
from governance.errors import BundleError, BundleFormError, GovernanceError
from governance.storage.identifiers import moment
from workflow.json.canonical import canonical_bytes

TEN_GB = 10 * 1024**3
Members = dict[str, bytes]
Forge = Callable[[Any, Members], bytes]


def members_of(members: Members) -> list[str]:
    """Those that are there, in the order that they have in a bundle."""
    return [name for name in archive.MEMBERS if name in members]


def in_tar(members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.USTAR_FORMAT) -> bytes:
    blocks = [info.tobuf(form) + data + bytes(-len(data) % tarfile.BLOCKSIZE) for info, data in members]
    return b"".join(blocks) + bytes(2 * tarfile.BLOCKSIZE)


def entries(members: Members, **changes: Any) -> list[tuple[tarfile.TarInfo, bytes]]:
    """The members as they are in a bundle, each header with these changes."""
    found = []
    for name in members_of(members):
        info = tarfile.TarInfo(name)
        info.size = len(members[name])
        for attribute, value in changes.items():
            setattr(info, attribute, value)
        found.append((info, members[name]))
    return found


def extra(name: str, **changes: Any) -> Forge:
    """The whole bundle, with one entry more before its first one."""

    def forge(_: Any, members: Members) -> bytes:
        info = tarfile.TarInfo(name)
        for attribute, value in changes.items():
            setattr(info, attribute, value)
        return in_tar([(info, b""), *entries(members)], tarfile.GNU_FORMAT)

    return forge


def linked(_: Any, members: Members) -> bytes:
    (first, _), *rest = entries(members)
    first.type, first.linkname, first.size = tarfile.SYMTYPE, "/etc/passwd", 0
    return in_tar([(first, b""), *rest])


def twice(_: Any, members: Members) -> bytes:
    found = entries(members)
    return in_tar([*found, found[1]])


def zipped(_: Any, members: Members) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in members_of(members):
            file.writestr(name, members[name])
    return out.getvalue()


def bomb(_: Any, members: Members) -> bytes:
    """A hundred megabytes of zeros in a hundred kilobytes."""
    return gzip.compress(archive.pack(members) + bytes(100_000_000), compresslevel=1)


def damaged(at: int) -> Forge:
    def forge(_: Any, members: Members) -> bytes:
        data = bytearray(archive.pack(members))
        data[at] ^= 1
        return bytes(data)

    return forge


def declared_huge(_: Any, members: Members) -> bytes:
    (first, data), *rest = entries(members)
    first.size = TEN_GB
    return in_tar([(first, data), *rest], tarfile.GNU_FORMAT)


def envelope_with(change: Callable[[dict[str, Any]], None]) -> Forge:
    def forge(_: Any, members: Members) -> bytes:
        found = orjson.loads(members[archive.ENVELOPE])
        change(found)
        return archive.pack({**members, archive.ENVELOPE: canonical_bytes(found)})

    return forge


def raw_envelope(make: Callable[[bytes], bytes]) -> Forge:
    return lambda _, members: archive.pack({**members, archive.ENVELOPE: make(members[archive.ENVELOPE])})


def manifest_with(**changes: Any) -> Forge:
    """Signed by the right key: what such a key can say that is refused all the same."""
    return lambda forger, members: forger.signed(members, lambda manifest: manifest.update(changes))


def revision_with(change: Callable[[dict[str, Any]], None]) -> Forge:
    return lambda forger, members: forger.signed(forger.with_line(members, change))


Spell = Callable[[Any], bytes]


def content_with(change: Callable[[dict[str, Any]], None], spell: Spell = canonical_bytes) -> Forge:
    """Another content in a revision, its digest computed anew, signed by the right key."""

    def alter(line: dict[str, Any]) -> None:
        content = orjson.loads(line["content"])
        change(content)
        text = spell(content)
        line.update(content=text.decode(), digest=hash_of(text))

    return revision_with(alter)


respelled_content = content_with(
    lambda content: None, lambda content: orjson.dumps(content, option=orjson.OPT_INDENT_2)
)


def by_a_stranger(_: Any, members: Members) -> bytes:
    payload = read_envelope(members[archive.ENVELOPE]).payload
    envelope = SignedEnvelope(payload, {}).signed_with(Ed25519PrivateKey.generate())
    return archive.pack({**members, archive.ENVELOPE: envelope.to_bytes()})


def under_another_payload(_: Any, members: Members) -> bytes:
    """The manifest altered, the signature kept."""
    envelope = read_envelope(members[archive.ENVELOPE])
    manifest = orjson.loads(envelope.payload) | {"version": 3}
    forged = SignedEnvelope(canonical_bytes(manifest), envelope.signatures)
    return archive.pack({**members, archive.ENVELOPE: forged.to_bytes()})


def respelled(forger: Any, members: Members) -> bytes:
    payload = orjson.dumps(orjson.loads(read_envelope(members[archive.ENVELOPE]).payload), option=orjson.OPT_INDENT_2)
    return bytes(forger.around(members, payload))


def repeated_member(forger: Any, members: Members) -> bytes:
    payload = read_envelope(members[archive.ENVELOPE]).payload
    assert payload.endswith(b'"version":2}')
    return bytes(forger.around(members, payload.replace(b'"version":2}', b'"version":2,"version":2}')))


def one_workflow_twice(forger: Any, members: Members) -> bytes:
    first = members[archive.REVISIONS].splitlines(keepends=True)[0]
    return bytes(forger.signed({**members, archive.REVISIONS: first + members[archive.REVISIONS]}))


def without_profiles(forger: Any, members: Members) -> bytes:
    return bytes(forger.signed({**members, archive.PROFILES: b""}))


def other_profile(forger: Any, members: Members) -> bytes:
    def change(line: dict[str, Any]) -> None:
        line["body"] = line["body"].replace('"pump"', '"pomp"')

    return bytes(forger.signed(forger.with_line(members, change, archive.PROFILES)))


def no_bill(forger: Any, members: Members) -> bytes:
    return bytes(forger.signed({**members, archive.SBOM: b"{}"}))


def reply_with(change: Callable[[dict[str, Any]], None]) -> Forge:
    return lambda forger, members: forger.signed(forger.with_line(members, change, archive.REPLIES))


def without_replies(_: Any, members: Members) -> bytes:
    return archive.pack({name: data for name, data in members.items() if name != archive.REPLIES})


def knowing(api: str, body: str) -> Forge:
    line = canonical_bytes({"api": api, "body": body}) + b"\n"
    return lambda forger, members: forger.signed({**members, archive.KNOWLEDGE: line})


def altered_member(_: Any, members: Members) -> bytes:
    return archive.pack({**members, archive.REVISIONS: members[archive.REVISIONS].replace(b"Pump", b"Pomp", 1) + b"\n"})


FORM: dict[str, tuple[Forge, str]] = {
    "an empty file": (lambda *_: b"", "not a tar archive"),
    "a text": (lambda *_: b"hello, I am a bundle\n" * 100, "not a tar archive"),
    "compressed, and a bomb": (bomb, "compressed.*gzip"),
    "a zip archive": (zipped, "another kind.*zip"),
    "cut off within a member": (lambda _, members: archive.pack(members)[:9000], "cut off"),
    "cut off within a header": (lambda _, members: in_tar(entries(members))[: -2 * 512 - 200], "cut off"),
    "without its end": (lambda _, members: archive.pack(members)[:-1024], "cut off"),
    "a damaged header": (damaged(3), "not a tar archive"),
    "an extra file": (extra("notes.txt"), "no bundle has: 'notes.txt'"),
    "a path that leads out": (extra("../../etc/cron.d/x"), r"no bundle has: '\.\./\.\./etc/cron"),
    "an absolute path": (extra("/etc/cron.d/x"), "no bundle has: '/etc/cron"),
    "a long name in a GNU header": (extra("x" * 200), "no bundle has: '././@LongLink'"),
    "a link": (linked, "envelope.json in it is no plain file"),
    "a device": (extra("sbom.json", type=tarfile.CHRTYPE), "sbom.json in it is no plain file"),
    "a folder": (extra("sbom.json", type=tarfile.DIRTYPE), "no bundle has|no plain file"),
    "one member twice": (twice, "profiles.jsonl twice"),
    "a missing file": (lambda _, members: in_tar(entries(members)[:-1]), "sbom.json is missing"),
    "no envelope": (lambda _, members: in_tar(entries(members)[1:]), "envelope.json is missing"),
    "another order": (lambda _, members: in_tar(entries(members)[::-1]), "one form"),
    "bytes behind the end": (lambda _, members: archive.pack(members) + b"more", "one form"),
    "another owner": (lambda _, members: in_tar(entries(members, uname="root")), "one form"),
    "another time": (lambda _, members: in_tar(entries(members, mtime=1)), "one form"),
    "ten gigabytes declared": (declared_huge, f"says that it has {TEN_GB} bytes"),
    "an envelope that is no JSON": (raw_envelope(lambda data: data[:-1]), "no DSSE envelope"),
    "an envelope that is a list": (raw_envelope(lambda data: b"[" + data + b"]"), "no DSSE envelope"),
    "an envelope with spaces": (raw_envelope(lambda data: data + b" "), "one form that an envelope has"),
    "an envelope with more in it": (envelope_with(lambda e: e.update(note="x")), "one form that an envelope has"),
    "one signature twice": (envelope_with(lambda e: e["signatures"].extend(e["signatures"])), "one form that an envel"),
    "a signature that is no base64": (envelope_with(lambda e: e["signatures"][0].update(sig="?")), "no DSSE envelope"),
    "a signature beyond ASCII": (
        raw_envelope(lambda data: data.replace(b'"sig":"', '"sig":"\u033d'.encode())),
        "no DSSE envelope",
    ),
    "something else that was signed": (envelope_with(lambda e: e.update(payloadType="text/x")), "bundle but 'text/x"),
    "a manifest with line breaks": (respelled, "the manifest is not canonical"),
    "a manifest that says version twice": (repeated_member, "the manifest"),
    "a manifest with an unknown member": (manifest_with(also="x"), "the manifest.*also"),
    "a manifest of another format": (manifest_with(format=2), "the manifest.*format"),
    "a version that is no number": (manifest_with(version="2"), "the manifest.*version"),
    "a revision in another spelling": (respelled_content, "pump_find is not in canonical"),
    "a revision that cannot be executed": (
        content_with(lambda content: content["document"]["workflows"][0].update(steps=[])),
        "pump_find cannot be read or executed",
    ),
    "a revision without a tool": (content_with(lambda content: content.update(tool={})), "pump_find cannot be read"),
    "two tools of one name": (
        content_with(lambda content: content["tool"].update(name="pump_list")),
        "a tool of the same name",
    ),
    "one workflow twice": (one_workflow_twice, "names something twice"),
    "a missing profile": (without_profiles, "a profile is missing"),
    "an API without its workflows": (
        lambda forger, members: forger.signed(members, lambda manifest: manifest["apis"][0].update(name="fan")),
        "not those of the APIs",
    ),
    "schemas of what nothing asks for": (
        reply_with(lambda line: line.update(operation="sha256:2")), "no workflow asks for: sha256:2",
    ),
    "schemas that are no JSON": (reply_with(lambda line: line.update(body="{")), "schemas of sha256:1 cannot be read"),
    "knowledge of another API": (knowing("other", "[]"), "tells of other, of which it brings no workflow"),
    "knowledge that is no JSON": (knowing("pump", "["), "known of pump cannot be read"),
    "knowledge that is none": (knowing("pump", '[{"operation": "GET /x"}]'), "are no cards of operations"),
    "schemas that are a list": (reply_with(lambda line: line.update(body='[{}]')), "schemas of sha256:1 are none"),
    "no bill of materials": (no_bill, "no bill of materials"),
}  # fmt: skip

UNTRUSTED: dict[str, tuple[Forge, str]] = {
    "unsigned": (envelope_with(lambda e: e.update(signatures=[])), "nobody signed it"),
    "stripped of its signatures": (envelope_with(lambda e: e.pop("signatures")), "nobody signed it"),
    "signatures that are null": (envelope_with(lambda e: e.update(signatures=None)), "nobody signed it"),
    "signed by a stranger": (by_a_stranger, "nobody who is trusted here"),
    "a changed signature": (
        envelope_with(lambda e: e["signatures"][0].update(sig="A" * 86 + "==")),
        "the signature of the key .* does not fit",
    ),
    "a changed manifest": (under_another_payload, "the signature of the key .* does not fit"),
    "stripped of its schemas": (without_replies, "not the ones that were signed"),
    "changed contents": (altered_member, "not the ones that were signed"),
    "a digest that is not its content's": (
        revision_with(lambda line: line.update(digest="sha256:" + "0" * 64)),
        "pump_find has another digest",
    ),
    "a profile that is not its digest's": (other_profile, "the profile .* has another digest"),
    "another catalog than it says": (manifest_with(catalog="sha256:" + "0" * 64), "not the catalog that was signed"),
    "an older version": (manifest_with(version=1), "another bundle was imported as version 1"),
    "from a newer Switchgear": (manifest_with(level="9999"), "a newer Switchgear.*9999"),
    "expired": (
        manifest_with(expires_at="2026-11-20T09:59:59.000000Z"),
        "could be imported until 2026-11-20T09:59:59",
    ),
    "expiring this moment": (manifest_with(expires_at="2026-11-20T10:00:00.000000Z"), "could be imported until"),
    "made in the future": (manifest_with(created_at="2026-11-22T10:00:00.000000Z"), "one of the clocks is wrong"),
}

CASES = [(name, *case, BundleFormError, 3) for name, case in FORM.items()]
CASES += [(name, *case, BundleError, 1) for name, case in UNTRUSTED.items()]


@pytest.fixture
async def honest(factory: Any, edge: Any) -> Path:
    """Version 2 of a bundle, on a machine that has version 1."""
    await factory.promise(s200={"type": "array"})
    await edge.bring_in(await factory.export(1))
    await factory.compile("pump", ("pump_find",), text="two")
    return Path(await factory.export(2))


async def refused(edge: Any, path: Path) -> GovernanceError:
    """The refusal of what is at `path`, after which the machine is byte for byte what it was."""
    before = await edge.everything()
    with pytest.raises(GovernanceError) as refusal:
        await edge.bring_in(path)
    assert await edge.everything() == before
    assert refusal.value.remedy
    return refusal.value


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("forge", "reason", "kind", "code"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
async def test_a_bad_bundle_is_refused_and_the_last_good_one_stays(
    forge: Forge,
    reason: str,
    kind: type[GovernanceError],
    code: int,
    edge: Any,
    honest: Path,
    forger: Any,
    tmp_path: Path,
) -> None:
    path = tmp_path / "bad.bundle"
    path.write_bytes(forge(forger, archive.read_file(honest)))
    refusal = await refused(edge, path)
    assert (type(refusal), refusal.exit_code) == (kind, code)
    with pytest.raises(kind, match=reason):
        raise refusal
    assert not (await edge.bring_in(honest)).is_known


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_every_bad_bundle_has_a_reason_of_its_own(edge: Any, honest: Path, forger: Any, tmp_path: Path) -> None:
    members, path, reasons = archive.read_file(honest), tmp_path / "bad.bundle", set[str]()
    for _, forge, *_ in CASES:
        path.write_bytes(forge(forger, members))
        reasons.add((await refused(edge, path)).message)
    assert len(reasons) >= 40  # what is cut off or changed in several places has one sentence, which is true of each


async def test_ten_gigabytes_are_refused_unread(edge: Any, tmp_path: Path) -> None:
    path = tmp_path / "huge.bundle"
    with path.open("wb") as file:
        file.truncate(TEN_GB)
    assert "larger than" in (await refused(edge, path)).message


async def test_what_never_ends_is_refused_unread(edge: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no plain file" in (await refused(edge, tmp_path / "pipe")).message
    assert "no plain file" in (await refused(edge, Path("/dev/zero"))).message
    assert "no plain file" in (await refused(edge, tmp_path)).message


async def test_an_older_version_is_refused_however_well_it_is_signed(factory: Any, edge: Any) -> None:
    old, new = await factory.export(1), await factory.export(2)
    await edge.bring_in(new)
    assert "version 1 of plant, and version 2" in (await refused(edge, old)).message


async def test_too_few_signatures_are_refused_and_one_more_is_enough(factory: Any, edge: Any) -> None:
    second = Ed25519PrivateKey.generate()
    await edge.trust(second, "second")
    await edge.require(2)
    alone = await factory.export(1)
    assert "1 of the 2 signatures" in (await refused(edge, alone)).message
    assert "1 of the 2 signatures" in (await refused(edge, await factory.export(2, keys=(factory.key,) * 2))).message
    stranger = (factory.key, Ed25519PrivateKey.generate())
    assert "1 of the 2 signatures" in (await refused(edge, await factory.export(3, keys=stranger))).message
    both = await factory.export(4, keys=(factory.key, second))
    assert {key.name for key in (await edge.bring_in(both)).signers} == {"factory", "second"}


async def test_a_revoked_key_counts_for_nothing(factory: Any, edge: Any) -> None:
    other = Ed25519PrivateKey.generate()
    await edge.trust(other, "other")
    await edge.revoke("factory")
    assert "revoked: factory" in (await refused(edge, await factory.export(1))).message


async def test_contents_of_two_signed_bundles_are_not_mixed(factory: Any, edge: Any, tmp_path: Path) -> None:
    first = archive.read_file(await factory.export(1))
    await factory.compile("pump", ("pump_find",), text="two")
    second = archive.read_file(await factory.export(2))
    mixed = tmp_path / "mixed.bundle"
    mixed.write_bytes(archive.pack({**first, archive.ENVELOPE: second[archive.ENVELOPE]}))
    assert "not the ones that were signed" in (await refused(edge, mixed)).message


async def test_an_api_that_was_compiled_here_is_not_taken_over(factory: Any, edge: Any) -> None:
    await edge.compile("pump", ("pump_other",))
    assert "pump was compiled here" in (await refused(edge, await factory.export(1))).message


async def test_an_api_of_another_bundle_is_not_taken_over(factory: Any, edge: Any) -> None:
    await edge.bring_in(await factory.export(1))
    assert "came here with the bundle plant" in (await refused(edge, await factory.export(9, name="rival"))).message


async def test_a_workflow_of_another_api_is_not_replaced(factory: Any, edge: Any) -> None:
    await edge.compile("fan", ("pump_find",))
    assert "pump_find has the name of one of the API fan" in (await refused(edge, await factory.export(1))).message


async def test_a_tool_of_another_api_is_not_hidden(factory: Any, edge: Any) -> None:
    await edge.compile("fan", ("fan_find",), tool="pump_find")
    assert "the name of the one of fan_find" in (await refused(edge, await factory.export(1))).message


async def test_without_a_trusted_key_nothing_comes_in(factory: Any, edge: Any) -> None:
    await edge.revoke("factory")
    assert "keys trusted here: 0" in (await refused(edge, await factory.export(1))).message


async def test_an_expired_bundle_that_is_here_already_is_no_fault(factory: Any, edge: Any, clock: Any) -> None:
    path = await factory.export(1, days=1)
    await edge.bring_in(path)
    clock.forward(days=2)
    assert (await edge.bring_in(path)).is_known
    late = await factory.export(2, days=1, at=moment(clock() - timedelta(days=1)))
    assert "could be imported until" in (await refused(edge, late)).message
