"""What a bundle carries from one database to another, and what an import leaves alone."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope as WitnessEnvelope
from securesystemslib.signer import CryptoSigner, SSlibKey
from sqlalchemy import create_engine, text

from governance.approval.dossier import dossier
from governance.approval.policies import PolicyStore
from governance.approval.policy import Policy, policy_of
from governance.approval.revisions import RevisionStore
from governance.audit.log import AuditLog
from governance.bundles import archive
from governance.bundles.envelope import PAYLOAD_TYPE, SignedEnvelope, pae, read_envelope
from governance.bundles.exporting import sign
from governance.bundles.importing import BundleStore
from governance.bundles.keys import public_key_of
from governance.bundles.manifest import Manifest, read_contents
from governance.bundles.trust import TrustStore
from governance.errors import ForbiddenError, GovernanceError, InvalidError, TamperedError
from governance.events.deliveries import DeliveryStore
from governance.events.endpoints import Endpoint, EndpointStore
from governance.registry.apis import ApiStore
from governance.registry.knowledge import KnowledgeStore
from governance.registry.responses import ResponseStore
from governance.storage.connections import parse_url
from governance.storage.identifiers import moment

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)  # of the fixture `clock`


async def test_what_is_approved_there_is_approved_here_with_the_same_digests(factory: Any, edge: Any) -> None:
    verdict = await edge.bring_in(await factory.export())
    assert [line.workflow_id for line in verdict.added] == ["pump_find", "pump_list"]
    assert await edge.catalog() == await factory.catalog() == verdict.manifest.catalog
    theirs, ours = [await RevisionStore(machine.database).approved() for machine in (factory, edge)]
    for one, other in zip(theirs, ours, strict=True):
        same = ("workflow_id", "digest", "content", "intent", "risk", "resource", "is_core", "rank", "proof")
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
        assert await ApiStore(edge.database).get_profile(other.content.profile_digest) is not None
    assert (await ApiStore(edge.database).get_api("pump")).title == "Pump"


async def test_schemas_of_replies_come_along_and_a_newer_bundle_brings_newer_ones(factory: Any, edge: Any) -> None:
    await factory.promise(s200={"type": "array"})
    await edge.bring_in(await factory.export(1))
    assert await ResponseStore(edge.database).get("sha256:1") == {"200": {"type": "array"}}
    await factory.promise(s200={"type": "object"}, s2XX=True)
    await edge.bring_in(await factory.export(2))
    assert await ResponseStore(edge.database).get("sha256:1") == {"200": {"type": "object"}, "2XX": True}


CARDS: list[dict[str, Any]] = [
    {**dict.fromkeys(("operation", "does", "thing", "risk", "why"), "x"), "takes": [], "tells": [], "workflows": []}
]


async def test_what_is_known_of_its_apis_comes_along_and_of_no_other(factory: Any, edge: Any) -> None:
    for api in ("pump", "other"):
        await KnowledgeStore(factory.database).put(api, CARDS)
    await edge.bring_in(await factory.export(1))
    assert await KnowledgeStore(edge.database).marks() == {
        "pump": (await KnowledgeStore(factory.database).marks())["pump"]
    }
    assert list(await KnowledgeStore(edge.database).get("pump")) == CARDS
    await factory.database.write(lambda connection: connection.execute(text("UPDATE knowledge SET body = '[]'")))
    assert "knowledge.jsonl" not in archive.read_file(await factory.export(2)), "what was altered does not leave"


async def test_single_operations_come_along_where_a_person_approved_them(factory: Any, edge: Any) -> None:
    await factory.compile("pump", ["raw-pump-get-a"])  # approved by ann
    await PolicyStore(factory.database).apply(Policy(self_approval=True, call_api=("ann",)), actor="olga")
    store = RevisionStore(factory.database)
    content = (await store.get("raw-pump-get-a")).content
    reads = replace(content, tool={**content.tool, "name": "b", "annotations": {"readOnlyHint": True}})
    facts = {"intent": "find", "risk": "read", "resource": "x", "is_core": False, "rank": 0.0, "proof": None}
    passed = (await store.submit("pump", "raw-pump-get-b", reads, actor="ann", **facts)).revision
    assert (passed.state, passed.decided_by) == ("approved", "policy")
    verdict = await edge.bring_in(await factory.export(1))
    assert [line.workflow_id for line in verdict.added] == ["pump_find", "pump_list", "raw-pump-get-a"]


async def test_a_bundle_without_schemas_is_the_file_it_was_and_takes_none_away(factory: Any, edge: Any) -> None:
    await factory.promise(s200={"type": "array"})
    await edge.bring_in(await factory.export(1))
    await factory.database.write(lambda connection: connection.execute(text("DELETE FROM responses")))
    path = await factory.export(2)
    assert list(archive.read_file(path)) == ["envelope.json", "profiles.jsonl", "revisions.jsonl", "sbom.json"]
    await edge.bring_in(path)
    assert await ResponseStore(edge.database).get("sha256:1") == {"200": {"type": "array"}}


async def test_who_signed_and_who_approved_stands_in_the_decision_and_in_the_audit(factory: Any, edge: Any) -> None:
    await edge.bring_in(await factory.export(7))
    revision = await RevisionStore(edge.database).get("pump_find")
    assert (revision.decided_by, revision.created_by) == ("bundle:plant@7", "bundle:plant@7")
    assert revision.votes == ("olga",), "without a policy whoever imports approves"
    assert revision.reason == "approved by ann at 2026-11-20T10:00:00.000000Z; signed by factory"
    log = AuditLog(edge.database)
    (row,) = await log.find(subject=f"revision:{revision.id}")
    assert (row.action, row.actor, row.detail["from"], row.detail["to"]) == (
        "revision.approved",
        "olga",
        None,
        "approved",
    )
    (told,) = await log.find(subject="bundle:plant")
    assert orjson.loads(told.detail["signed_by"])[0]["name"] == "factory"
    assert (await log.verify()).ok


async def test_the_same_approvals_and_moment_give_the_same_bytes(factory: Any) -> None:
    first = (await factory.export()).read_bytes()
    assert (await factory.export()).read_bytes() == first
    assert (await factory.export(at="2026-11-21T00:00:00.000000Z")).read_bytes() != first


async def test_the_same_bundle_again_changes_nothing(factory: Any, edge: Any) -> None:
    path = await factory.export()
    await edge.bring_in(path)
    before = await edge.everything()
    assert (await edge.bring_in(path)).is_known
    assert await edge.everything() == before


async def test_verifying_says_what_would_change_and_changes_nothing(factory: Any, edge: Any) -> None:
    path = await factory.export()
    before = await edge.everything()
    verdict = await BundleStore(edge.database).verify(path)
    assert await edge.everything() == before
    assert (len(verdict.added), verdict.kept, len(verdict.retired)) == (2, 0, 0)


async def test_a_newer_bundle_changes_what_changed_and_nothing_else(factory: Any, edge: Any) -> None:
    await edge.compile("fan", ("fan_find",))
    await edge.bring_in(await factory.export(1))
    kept = await RevisionStore(edge.database).get("pump_list")
    await factory.compile("pump", ("pump_find", "pump_new"), text="two")
    verdict = await edge.bring_in(await factory.export(2))
    assert ([line.workflow_id for line in verdict.added], verdict.kept) == (["pump_find", "pump_new"], 1)
    store = RevisionStore(edge.database)
    assert await store.get("pump_list") == kept
    assert [(await store.get(f"pump_find@{number}")).state for number in (1, 2)] == ["superseded", "approved"]
    assert (await store.get("fan_find")).decided_by == "ann"


async def test_what_is_told_beside_the_content_is_brought_up_to_date_too(factory: Any, edge: Any) -> None:
    await edge.bring_in(await factory.export(1))
    await factory.retire("pump_list")
    await factory.compile("pump", ("pump_list",), is_core=False)
    assert [line.workflow_id for line in (await edge.bring_in(await factory.export(2))).added] == ["pump_list"]
    assert (await RevisionStore(edge.database).get("pump_list")).is_core is False


async def test_what_a_newer_bundle_no_longer_has_is_retired(factory: Any, edge: Any) -> None:
    await edge.compile("fan", ("fan_find",))
    await factory.compile("valve", ("valve_find",))
    await edge.bring_in(await factory.export(1))
    await factory.retire("pump_list")
    verdict = await edge.bring_in(await factory.export(2, apis=("pump",)))
    assert sorted(row.workflow_id for row in verdict.retired) == ["pump_list", "valve_find"]
    store = RevisionStore(edge.database)
    gone = await store.get("valve_find")
    assert (gone.state, gone.decided_by, gone.reason) == (
        "retired", "olga", "no longer in bundle:plant@2, signed by factory",
    )  # fmt: skip
    assert [revision.workflow_id for revision in await store.approved()] == ["fan_find", "pump_find"]


def approvals_hold(days: int, **more: Any) -> Policy:
    return policy_of({"classes": {"read": {"approval_days": days}}, **more})


async def test_an_approval_for_a_time_ends_here_when_it_ends_there(factory: Any, edge: Any, clock: Any) -> None:
    await PolicyStore(factory.database).apply(approvals_hold(3), actor="ann")
    await factory.compile("pump", ("pump_find",), text="two")
    await edge.bring_in(await factory.export(1))
    store = RevisionStore(edge.database)
    assert (await store.get("pump_find")).expires_at == moment(START + timedelta(days=3))
    clock.forward(days=4)
    assert [revision.workflow_id for revision in await store.approved()] == ["pump_list"]
    verdict = await edge.bring_in(await factory.export(2))
    assert ([row.workflow_id for row in verdict.retired], verdict.kept) == (["pump_find"], 1)


async def test_this_machines_policy_may_end_approvals_earlier_and_a_newer_bundle_renews_them(
    factory: Any, edge: Any, clock: Any
) -> None:
    await PolicyStore(edge.database).apply(approvals_hold(1, bundle_votes=True), actor="olga")
    await edge.bring_in(await factory.export(1))
    clock.forward(days=2)
    assert await RevisionStore(edge.database).approved() == ()
    await edge.bring_in(await factory.export(2))
    assert await edge.catalog() == await factory.catalog()


async def test_what_was_retired_here_comes_back_with_a_newer_bundle_only(factory: Any, edge: Any) -> None:
    path = await factory.export(1)
    await edge.bring_in(path)
    await edge.retire("pump_find")
    await edge.bring_in(path)
    assert await edge.catalog() != await factory.catalog()
    await edge.bring_in(await factory.export(2))
    assert await edge.catalog() == await factory.catalog()


async def test_a_damaged_revision_is_put_right_by_a_newer_bundle(factory: Any, edge: Any, behind: Any) -> None:
    await edge.bring_in(await factory.export(1))
    behind("UPDATE revisions SET risk = 'change' WHERE workflow_id = 'pump_find'")
    assert await edge.catalog() != await factory.catalog()
    await edge.bring_in(await factory.export(2))
    assert await edge.catalog() == await factory.catalog()


async def test_an_import_that_fails_half_way_leaves_nothing(url: str, factory: Any, edge: Any) -> None:
    await edge.bring_in(await factory.export(1))
    await factory.compile("pump", ("pump_find",), text="two")
    path = await factory.export(2)
    before = await edge.everything()
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:  # the last row that an import writes is refused
        connection.execute(text("CREATE UNIQUE INDEX only_one ON bundles (name)"))
    engine.dispose()
    with pytest.raises(GovernanceError):
        await edge.bring_in(path)
    assert await edge.everything() == before


async def test_of_two_who_import_at_once_the_second_finds_it_done(factory: Any, edge: Any) -> None:
    path = await factory.export()
    verdicts = await asyncio.gather(edge.bring_in(path), edge.bring_in(path))
    assert sorted(verdict.is_known for verdict in verdicts) == [False, True]
    assert await edge.catalog() == await factory.catalog()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bundle_keys SET public_key = 'x'",
        "UPDATE bundle_keys SET name = 'olga'",
        "INSERT INTO bundle_keys VALUES ('other', 'evil', 'x', '2026', 'olga', NULL, NULL)",
        "UPDATE bundle_keys SET revoked_at = NULL, revoked_by = NULL WHERE name = 'ended'",
        "UPDATE bundle_threshold SET signatures = 1",
        "DELETE FROM bundle_threshold",
        "DELETE FROM bundles",
        "UPDATE bundles SET version = 1",
        "UPDATE audit SET detail = '{}' WHERE subject = 'bundle:plant'",
    ],
)
async def test_trust_and_memory_changed_behind_our_back_are_found(
    statement: str, factory: Any, edge: Any, behind: Any
) -> None:
    second = await factory_key(edge, "second")
    await factory_key(edge, "ended")
    await edge.revoke("ended")
    await edge.require(2)
    await edge.bring_in(await factory.export(2, keys=(factory.key, second)))
    for guard in ("bundles_unchanged", "bundles_kept"):
        behind(f"DROP TRIGGER IF EXISTS {guard}" + (" ON bundles" if edge.database.kind == "postgresql" else ""))
    behind(statement)
    with pytest.raises(TamperedError):
        await edge.bring_in(await factory.export(3, keys=(factory.key, second)))


async def factory_key(edge: Any, name: str) -> Any:
    """A new key that is trusted under this name."""
    key = Ed25519PrivateKey.generate()
    await edge.trust(key, name)
    return key


@pytest.mark.parametrize("statement", ["UPDATE bundles SET version = 9", "DELETE FROM bundles"])
async def test_the_memory_of_imports_is_kept_by_triggers(statement: str, url: str, factory: Any, edge: Any) -> None:
    await edge.bring_in(await factory.export())
    engine = create_engine(parse_url(url))
    with pytest.raises(Exception, match="never changed"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
async def test_only_an_admin_imports_and_decides_on_keys(role: Any, factory: Any, edge: Any) -> None:
    path, trust = await factory.export(), TrustStore(edge.database)
    with pytest.raises(ForbiddenError):
        await BundleStore(edge.database).bring_in(path, actor="mallory", role=role)
    with pytest.raises(ForbiddenError):
        await trust.trust(public_key_of(factory.key), "mine", actor="mallory", role=role)
    with pytest.raises(ForbiddenError):
        await trust.revoke("factory", actor="mallory", role=role)
    with pytest.raises(ForbiddenError):
        await trust.require(1, actor="mallory", role=role)


async def test_a_revoked_key_is_not_trusted_again_and_names_are_not_shared(factory: Any, edge: Any) -> None:
    with pytest.raises(GovernanceError, match="trusted already"):
        await edge.trust(factory.key, "again")
    with pytest.raises(GovernanceError, match="another trusted key is called factory"):
        await factory_key(edge, "factory")
    await edge.revoke(public_key_of(factory.key).id[:12])
    with pytest.raises(GovernanceError, match="revoking is final"):
        await edge.trust(factory.key, "again")


async def test_more_signatures_than_keys_cannot_be_asked_for(edge: Any) -> None:
    with pytest.raises(InvalidError, match="1 keys are trusted"):
        await edge.require(2)


async def test_a_second_signer_adds_a_signature_to_the_same_bundle(factory: Any, edge: Any) -> None:
    second = await factory_key(edge, "second")
    await edge.require(2)
    path = await factory.export()
    assert len(sign(path, second)) == len(sign(path, second)) == 2
    assert {key.name for key in (await edge.bring_in(path)).signers} == {"factory", "second"}


async def test_a_damaged_revision_is_not_exported(factory: Any) -> None:
    engine = create_engine(parse_url(factory.database.address))
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER revisions_unchanged"))
        connection.execute(text("UPDATE revisions SET risk = 'change' WHERE workflow_id = 'pump_find'"))
    engine.dispose()
    with pytest.raises(TamperedError, match="pump_find"):
        await factory.export()
    assert not list(factory.folder.glob("*.bundle*"))


async def test_an_api_without_approvals_is_not_exported(factory: Any) -> None:
    with pytest.raises(InvalidError, match="no workflow of fan is approved"):
        await factory.export(apis=("pump", "fan"))


def test_the_encoding_that_is_signed_is_that_of_the_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "


async def test_another_implementation_of_dsse_agrees_about_the_signature(factory: Any) -> None:
    data = archive.read_file(await factory.export())[archive.ENVELOPE]
    ours = public_key_of(factory.key)
    key = SSlibKey.from_crypto(ours.verifier, keyid=ours.id)
    witness = WitnessEnvelope.from_dict(orjson.loads(data))
    assert witness.verify([key], 1) == {ours.id: key}
    assert witness.pae() == pae(PAYLOAD_TYPE, read_envelope(data).payload)
    theirs = WitnessEnvelope(b"{}", PAYLOAD_TYPE, {})
    signature = theirs.sign(CryptoSigner(factory.key, key))
    assert SignedEnvelope(b"{}", {ours.id: bytes.fromhex(signature.signature)}).is_signed_by(ours)


async def test_any_flipped_bit_is_refused(factory: Any, edge: Any, tmp_path: Path) -> None:
    path = await factory.export()
    data, trust = path.read_bytes(), await TrustStore(edge.database).look()
    places = [*range(0, len(data), 97), *range(512, 2600, 7)]
    assert len(places) > 500
    for at in places:
        forged = bytearray(data)
        forged[at] ^= 1 << at % 8
        with pytest.raises(GovernanceError):
            read(bytes(forged), trust)
    read(data, trust)


def read(data: bytes, trust: Any) -> None:
    members = archive.unpack(data)
    envelope = read_envelope(members[archive.ENVELOPE])
    trust.signers(envelope)
    read_contents(Manifest.read(envelope.payload, "the manifest"), members)


TWO = {"classes": {"destroy": {"approvals": 2}, "read": {"approvals": 2}}}


async def waiting_at(edge: Any) -> dict[str, Any]:
    found = await RevisionStore(edge.database).find(state="pending")
    return {revision.workflow_id: revision for revision in found}


async def vote(edge: Any, revision: Any, actor: str) -> Any:
    store = RevisionStore(edge.database)
    return await store.decide(revision.id, "approve", actor=actor, role="admin", reason="", digest=revision.digest)


async def test_what_a_bundle_brings_is_pending_until_as_many_people_here_have_approved_it_as_the_policy_asks(
    factory: Any, edge: Any
) -> None:
    await PolicyStore(edge.database).apply(policy_of(TWO), actor="olga")
    await EndpointStore(edge.database).add(Endpoint("hook", "https://h.example", "env:HOOK"), actor="olga")
    verdict = await edge.bring_in(await factory.export(7))
    assert sorted(verdict.waiting) == ["pump_find", "pump_list"]
    assert await RevisionStore(edge.database).approved() == ()
    revision = (await waiting_at(edge))["pump_find"]
    assert (revision.created_by, revision.votes, revision.decided_by) == ("bundle:plant@7", (), None)
    assert revision.reason == "approved by ann at 2026-11-20T10:00:00.000000Z; signed by factory"
    assert dossier(revision, None)["origin"] == "plant@7"
    (message, _) = await DeliveryStore(edge.database).claim(
        "hook", edge.database.now(), moment(START + timedelta(days=1)), 9
    )
    assert orjson.loads(message.body)["data"]["by"] == "bundle:plant@7", "whoever is told is told where it came from"
    assert (await vote(edge, revision, "olga")).state == "pending"
    assert (await vote(edge, revision, "ben")).state == "approved"


async def test_approvals_from_elsewhere_count_only_where_the_policy_says_so_and_one_person_once(
    factory: Any, edge: Any
) -> None:
    await PolicyStore(edge.database).apply(policy_of({**TWO, "bundle_votes": True}), actor="olga")
    await edge.bring_in(await factory.export(7))
    revision = (await waiting_at(edge))["pump_find"]
    assert revision.votes == ("ann",)
    with pytest.raises(GovernanceError, match="already"):
        await vote(edge, revision, "cli:ann")
    assert (await vote(edge, revision, "ben")).state == "approved"
    await PolicyStore(factory.database).apply(policy_of(TWO), actor="ann")
    await factory.compile("pump", ("pump_find",), text="two")
    await vote(factory, (await waiting_at(factory))["pump_find"], "cora")
    verdict = await edge.bring_in(await factory.export(8))
    assert "pump_find" not in verdict.waiting, "two people approved it there, and here that counts"
    assert (await RevisionStore(edge.database).get("pump_find")).votes == ("ann", "cora")


async def test_what_waits_stays_as_it_is_when_a_newer_bundle_brings_the_same_and_what_is_in_use_stays_meanwhile(
    factory: Any, edge: Any
) -> None:
    await edge.bring_in(await factory.export(1))
    await PolicyStore(edge.database).apply(policy_of(TWO), actor="olga")
    await factory.compile("pump", ("pump_find",), text="two")
    assert (await edge.bring_in(await factory.export(2))).waiting == ("pump_find",)
    revision = await vote(edge, (await waiting_at(edge))["pump_find"], "olga")
    assert (await RevisionStore(edge.database).in_use("pump_find")).created_by == "bundle:plant@1"
    verdict = await edge.bring_in(await factory.export(3))
    assert (verdict.added, verdict.waiting) == ((), ())
    assert (await waiting_at(edge))["pump_find"] == revision


async def test_what_passes_by_itself_here_does_so_out_of_a_bundle_too(factory: Any, edge: Any) -> None:
    await PolicyStore(edge.database).apply(policy_of({"classes": {"read": {"approvals": 0}}}), actor="olga")
    await edge.bring_in(await factory.export(1))
    assert (await waiting_at(edge)).keys() == {"pump_find", "pump_list"}, "its tools promise nothing"


async def test_an_api_is_nobodys_by_a_row_that_was_added_to_what_was_imported(
    factory: Any, edge: Any, behind: Any
) -> None:
    await edge.compile("pump", ("pump_own",))
    await factory.compile("fan", ("fan_find",))
    await edge.bring_in(await factory.export(2, apis=("fan",)))
    behind(
        "INSERT INTO bundles (name, version, digest, catalog, apis, signed_by, created_at, expires_at, imported_at, "
        "imported_by) SELECT name, 1, digest, catalog, :apis, signed_by, created_at, expires_at, imported_at, "
        "imported_by FROM bundles",
        apis='["pump"]',
    )
    with pytest.raises(GovernanceError, match="audit"):
        await edge.bring_in(await factory.export(3))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_disk_that_fills_up_in_an_import_leaves_nothing_of_it(factory: Any, edge: Any) -> None:
    await factory.compile("pump", [f"pump_{number}" for number in range(30)])  # more than free pages take
    path = await factory.export(1)
    before = await edge.everything()
    engine = edge.database._write_engine
    with engine.connect() as connection:
        full = connection.exec_driver_sql("PRAGMA page_count").scalar() + 1
        connection.exec_driver_sql(f"PRAGMA max_page_count={full}")
    with pytest.raises(GovernanceError, match="full"):
        await edge.bring_in(path)
    assert await edge.everything() == before
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    await edge.bring_in(path)
    assert await edge.catalog() == await factory.catalog()
