"""A database with something in every table, and what can be had of it: who is let in, what counts, what would be sent.

`Inside` lets the stores work in one transaction of a test, which is rolled back after each attack: so that hundreds of
attacks cost one database.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from governance.approval.disabling import DisabledStore, why_disabled
from governance.approval.policies import PolicyStore
from governance.approval.policy import policy_of
from governance.approval.revisions import NewRevision, RevisionStore
from governance.audit.log import Event, append_entry
from governance.audit.run_verification import run_fault
from governance.bundles.keys import generate, read_public_key
from governance.bundles.trust import TrustStore
from governance.errors import GovernanceError
from governance.events.deliveries import DeliveryStore
from governance.events.endpoints import Endpoint, EndpointStore
from governance.people.persons import persons
from governance.people.principals import PrincipalStore
from governance.people.scopes import AccessScope
from governance.people.sessions import SessionStore
from governance.people.users import UserStore
from governance.registry.apis import ApiStore
from governance.registry.knowledge import KnowledgeStore
from governance.registry.responses import ResponseStore
from governance.registry.targets import Target, TargetStore
from governance.runs.asks import Ask, AskStore
from governance.runs.effects import Effects
from governance.runs.open_runs import OpenRuns
from governance.runs.plans import Bound, PlanStore
from governance.runs.runs import IdempotencyKey, RunStore, StepRecord
from governance.runs.schedules import Schedule, ScheduleStore
from governance.storage.connections import FOREIGN, translate
from governance.storage.database import Database
from governance.storage.identifiers import to_text
from governance.storage.models import BundleRow, RunRow, table_of
from governance.webhooks import WebhookStore
from workflow.json.canonical import digest
from workflow.profiles.profile import parse_profile
from workflow.revision import RevisionContent

WORDS = "seven blue lanterns"
PAST, FUTURE = "2020-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"
BOUND = {"where": {"base_url": "https://127.0.0.1:9"}, "inputs": {"vm": "web"}, "caller": "agent"}


class Inside:
    """A database of one transaction, for stores."""

    address = "sqlite+aiosqlite:///inside.db"

    def __init__(self, connection: Connection, now: str) -> None:
        self.connection = connection
        self._now = now

    def now(self) -> str:
        return self._now

    def stamp(self) -> None:
        """No file tells of what is written within a transaction."""

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        return work(self.connection)

    async def write(self, work: Callable[[Connection], Any], *, is_lasting: bool = True, is_small: bool = False) -> Any:
        try:
            with self.connection.begin_nested():
                return work(self.connection)
        except FOREIGN as error:
            raise translate(error) from error


async def furnish(database: Database, folder: Any) -> dict[str, Any]:
    """Puts something into every table by the stores; the secrets and names that `had` asks with."""
    known: dict[str, Any] = {}
    await _people(database, known)
    await _catalog(database, known)
    await _runs(database, known)
    await _others(database, folder)
    return known


async def _people(database: Database, known: dict[str, Any]) -> None:
    principals = PrincipalStore(database)
    for name, role in (("ann", "viewer"), ("bob", "operator")):
        _, known[f"token {name}"] = await principals.create_token(
            name, role, scope=AccessScope(apis=("toy",)), ttl_s=3600
        )
    _, known["token gone"] = await principals.create_token("gone", "admin")
    await principals.revoke("gone")
    users = UserStore(database)
    for name in ("carl", "dora"):
        await users.add(name, "viewer", password=WORDS, also=(f"cli:{name}-2",), actor="boss")
        _, known[f"session {name}"] = await SessionStore(database).open(name, address="x")
    for name in ("desk", "bell"):
        await WebhookStore(database).add(name, f"env:{name.upper()}", scope=AccessScope(apis=("toy",)), actor="boss")
    await WebhookStore(database).use("desk", "m1")


async def _catalog(database: Database, known: dict[str, Any]) -> None:
    profile = parse_profile({"api": "toy"}, "toy").model_dump(mode="json")
    await ApiStore(database).put_api("toy", "Toy", "1", "sha256:0", profile, digest(profile))
    await ResponseStore(database).put({"sha256:1": {"200": True}, "sha256:2": {"200": False}})
    for api in ("toy", "other"):
        await KnowledgeStore(database).put(api, [{"operation": f"GET /{api}"}])
    await EndpointStore(database).add(Endpoint("hook", "https://h.example", "env:HOOK"), actor="boss")
    await EndpointStore(database).add(
        Endpoint("hook2", "https://h2.example", "env:HOOK", ("run.unknown",)), actor="boss"
    )
    store = RevisionStore(database)
    found = [_revision(name, digest(profile)) for name in ("start", "stop", "wipe", "look")]
    for name, each in zip(
        ("start", "stop", "wipe", "look"), await store.submit_all("toy", found, actor="compile"), strict=True
    ):
        known[name] = each.revision
        if name != "wipe":
            args = {"actor": "ann", "role": "admin", "reason": "", "digest": each.revision.digest}
            known[name] = await store.decide(each.revision.id, "approve", **args)
    await DisabledStore(database).disable("stop", actor="ann", reason="odd")
    await PolicyStore(database).apply(policy_of({"classes": {"destroy": {"approvals": 2}}}), actor="boss")
    voted = known["wipe"]
    known["wipe"] = await store.decide(voted.id, "approve", actor="ann", role="admin", reason="", digest=voted.digest)


def _revision(name: str, profile: str) -> NewRevision:
    content = RevisionContent({"arazzo": "1.1.0", "of": name}, {"name": name}, {"GET /x": "sha256:1"}, profile)
    return NewRevision(
        name, content, "act", "destroy" if name == "wipe" else "change", "Thing", True, 0.5, {"verified": True}
    )


async def _runs(database: Database, known: dict[str, Any]) -> None:
    runs, revision = RunStore(database), known["start"]
    first = StepRecord(1, "change", "sending", "POST", "/x", detail={"turn": 0, "purpose": "step", "changes": True})
    for run_id, outcome in (("ended", "succeeded"), ("doubt", "unknown"), ("open", None)):
        await runs.create(
            run_id, revision.id, revision.digest, "lab", "agent", {"vm": run_id}, executor="e", is_durable=True,
            asked=IdempotencyKey(f"key-{run_id}", "p"), effects=(f"effect-{run_id}",), first=first,
        )  # fmt: skip
        if outcome:
            last = StepRecord(1, "change", "answered" if outcome == "succeeded" else "failed", "POST", "/x", 200)
            await runs.finish(
                run_id, outcome, {"of": run_id}, None, last=(last,), journal=to_text({"of": run_id}),
                resume={"turn": {}} if outcome == "unknown" else None,
            )  # fmt: skip
    bound = Bound(revision.id, revision.digest, "lab", **BOUND)
    for plan_id in ("fresh", "used"):
        await PlanStore(database).add(plan_id, "ended", bound, "b", "c", lasts=timedelta(hours=1))
    asks = AskStore(database)
    call = (revision.id, revision.workflow_id, revision.number, revision.digest, "toy", "change", "lab", "agent")
    await asks.make(Ask("fresh", "ended", *call, 2, "", FUTURE))
    await asks.answer("fresh", "let through", actor="ben", role="approver")
    await PlanStore(database).confirm("used", bound, "ended")
    await PlanStore(database).close("used", is_applied=True, run_id="ended", actor="agent")


async def _others(database: Database, folder: Any) -> None:
    await TargetStore(database).add(Target("lab", "toy", "https://127.0.0.1:9", "live", "env:U", "env:P"))
    await TargetStore(database).add(Target("lab2", "toy", "https://127.0.0.1:9", "live"))
    for name, at in (("nightly", PAST), ("later", FUTURE)):
        await ScheduleStore(database).add(Schedule(name, "start", "0 2 * * *", "UTC", "cli:ann", at, "lab"))
    trust = TrustStore(database)
    for name in ("ann", "ben"):
        generate(folder / name, "")
        await trust.trust(read_public_key(folder / f"{name}.pub"), name, actor="boss", role="admin")
    await trust.require(2, actor="boss", role="admin")
    now = database.now()
    row = {"name": "plant", "version": 3, "digest": "sha256:1", "catalog": "sha256:2", "apis": '["other"]'}
    row |= {"signed_by": "[]", "created_at": now, "expires_at": FUTURE, "imported_at": now, "imported_by": "boss"}

    def imported(connection: Connection) -> None:
        connection.execute(insert(table_of(BundleRow)), row)
        append_entry(connection, Event(now, "boss", "bundle.imported", "bundle:plant", row))

    await database.write(imported)


async def had(inside: Inside, known: dict[str, Any]) -> set[str]:
    """All that can be had: each right, vote, run, message and address, as a sentence."""
    asked = [_rights, _votes, _started, _sent, _kept]
    return {f"{ask.__name__}: {each}" for ask in asked for each in await ask(inside, known)}


async def _tried(act: Any) -> Any:
    """What comes of it; nothing where it is refused."""
    try:
        return await act
    except GovernanceError:
        return None


async def _rights(inside: Any, known: dict[str, Any]) -> list[str]:
    found = []
    for name, secret in known.items():
        kind = name.partition(" ")[0]
        if kind == "token":
            found.append(await _tried(PrincipalStore(inside).authenticate(secret)))
        if kind == "session":
            found.append(await _tried(SessionStore(inside).find(secret)))
    found += [await _tried(PrincipalStore(inside).holder(name)) for name in ("ann", "bob", "gone", "x", "admin")]
    found += [await _tried(WebhookStore(inside).find(name)) for name in ("desk", "bell", "x")]
    survey = await _tried(UserStore(inside).survey())
    found += survey.users if survey else ()
    trust = await _tried(TrustStore(inside).look())
    found += [f"signatures: {trust.threshold}", *(key for key in trust.keys if not key.revoked_at)] if trust else []
    return [str(each) for each in found if each is not None]


async def _votes(inside: Any, known: dict[str, Any]) -> list[str]:
    store, found = RevisionStore(inside), []
    policy = await _tried(PolicyStore(inside).current())
    found += [f"policy {policy.policy.digest}"] if policy else []
    for name in ("start", "stop", "wipe", "look"):
        revision = await _tried(store.get(known[name].id))
        if revision is not None:
            found.append(f"{name} {revision.state} {revision.digest} {revision.votes} {revision.content}")
        more = {"actor": "cli:ann", "role": "admin", "reason": "", "digest": known[name].digest}
        with inside.connection.begin_nested() as undone:
            decided = await _tried(store.decide(known[name].id, "approve", **more))
            found += [f"{name} takes a vote of ann: {decided.state}"] if decided else []
            undone.rollback()
    ask = await _tried(AskStore(inside).get("fresh"))
    found += (
        [f"the call that asks is {ask.state}: {ask.votes}"] if ask and ask.state in ("waiting", "let through") else []
    )
    who = await _tried(inside.read(persons))
    found += [f"{each} is {who(each)}" for each in ("carl", "cli:carl-2", "dora", "cli:dora-2")] if who else []
    return found


async def _started(inside: Any, known: dict[str, Any]) -> list[str]:
    """What would be run, and where: what is approved at this moment, due, confirmed, carried on or free to begin."""
    store, found = RevisionStore(inside), []
    for name in ("start", "stop", "wipe", "look"):
        revision = await _tried(store.confirm(known[name].id, known[name].digest))
        why = await _tried(inside.read(lambda c, name=name: _why(c, name)))
        found += [f"{name} runs"] if revision and why == "" else []
    found += [f"due {each}" for each in await _tried(ScheduleStore(inside).due(inside.now())) or ()]
    bound = Bound(known["start"].id, known["start"].digest, "lab", **BOUND)
    for plan_id in ("fresh", "used", "x"):
        with inside.connection.begin_nested() as undone:
            found += [f"plan {plan_id}"] if await _tried(PlanStore(inside).confirm(plan_id, bound, "new")) else []
            undone.rollback()
    for run in await inside.read(lambda c: c.execute(select(table_of(RunRow))).all()):
        fault = await _tried(inside.read(lambda c, run=run: [run_fault(c, run.id)]))
        found += [f"run {run.id} {run.outcome} {run.inputs} {run.resume}"] if fault == [""] else []
    for run_id in ("ended", "doubt", "open"):
        asked = (known["start"].id, "lab", {"vm": run_id})
        same = await _tried(OpenRuns(inside).same_asked("agent", f"key-{run_id}", *asked))
        found += [f"key {run_id} is {same}"] if same else []
        same = await _tried(OpenRuns(inside).same_asked("agent", "key-free", *asked))
        found += [f"key-free is {same}"] if same else []
        found += [f"effect {run_id} is free"] if await _tried(_is_free(inside, run_id)) else []
    reached = [await _tried(TargetStore(inside).get(name)) for name in ("lab", "lab2", "x")]
    found += [str(replace(target, is_default=False)) for target in reached if target]
    usual = await _tried(TargetStore(inside).default_for("toy"))
    return found + ([f"without a name {usual.name}"] if usual else [])


async def _is_free(inside: Any, run_id: str) -> bool:
    return await Effects(inside).holder((f"effect-{run_id}",)) is None


def _why(connection: Connection, name: str) -> str:
    return why_disabled(connection, name)


async def _sent(inside: Any, known: dict[str, Any]) -> list[str]:
    """Messages that would be signed and sent, and where to; messages that could be used once more."""
    found = []
    for endpoint in ("hook", "hook2", "x"):
        with inside.connection.begin_nested() as undone:
            claimed = await _tried(DeliveryStore(inside).claim(endpoint, inside.now(), FUTURE, 100)) or ()
            found += [f"{each.id} {each.body} to {each.url} {each.secret_ref}" for each in claimed]
            undone.rollback()
    with inside.connection.begin_nested() as undone:
        again = await _tried(_used(inside))
        found += ["m1 can be used again"] if again else []
        undone.rollback()
    return found


async def _used(inside: Any) -> bool:
    await WebhookStore(inside).use("desk", "m1")
    return True


async def _kept(inside: Any, known: dict[str, Any]) -> list[str]:
    """What is told of APIs, profiles and replies."""
    api = await _tried(ApiStore(inside).get_api("toy"))
    schemas = [await _tried(ResponseStore(inside).get(each)) for each in ("sha256:1", "sha256:2")]
    cards = {each: await KnowledgeStore(inside).get(each) for each in ("toy", "other")}
    told = [f"{each} has {to_text(list(map(dict, its)))}" for each, its in cards.items() if its]
    told += [to_text([api.title, api.version, api.spec_digest, api.profile])] if api else []
    return told + [to_text(each) for each in schemas if each]
