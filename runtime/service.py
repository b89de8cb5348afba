"""Everything that serves, put together once: stores, catalog, driver, engine; opened and closed in order.

`open_service` is what `app`, `switchgear call` and `switchgear doctor` start from. Opening checks the database and
loads the first catalog; closing ends the runs under way, then the devices' sessions, then the database. Here never
lives a protocol; nothing is created at import.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from governance.approval.disabling import DisabledStore
from governance.approval.policies import PolicyStore
from governance.approval.revisions import RevisionStore
from governance.audit.log import AuditLog
from governance.audit.place import REMEDY, PlaceStore
from governance.errors import GovernanceError
from governance.events.deliveries import DeliveryStore
from governance.events.endpoints import EndpointStore
from governance.glance import Glances
from governance.integrity.survey import altered_objects
from governance.people.principals import PrincipalStore
from governance.people.sessions import IDLE, LONGEST, SessionStore
from governance.people.users import UserStore
from governance.registry.apis import ApiStore
from governance.registry.knowledge import KnowledgeStore
from governance.registry.responses import Policy, ResponseStore
from governance.registry.targets import TargetStore
from governance.runs.asks import AskStore
from governance.runs.effects import Effects
from governance.runs.mismatches import MismatchStore
from governance.runs.open_runs import OpenRuns
from governance.runs.plans import PlanStore
from governance.runs.recordings import Recordings
from governance.runs.run_stats import RunStats
from governance.runs.runs import RunStore
from governance.runs.schedules import ScheduleStore
from governance.sites import SiteStore
from governance.storage.database import Database, open_database
from governance.storage.database_clock import database_now
from governance.storage.locks import Locks, locks_of
from governance.webhooks import WebhookStore
from runtime.auth.authenticator import Authenticator
from runtime.auth.login import Login
from runtime.auth.refusals import Refusals
from runtime.background.delivering import Deliverer
from runtime.background.scheduling import DEFAULT_RISKS, Scheduler, SchedulerDeps
from runtime.calls.asking import Asking
from runtime.calls.calls import Calls
from runtime.calls.confirmation import Confirmation
from runtime.calls.planning import Plans
from runtime.calls.same_effect import SameEffects
from runtime.calls.under_way import DEFAULT_WAIT_S, UnderWay
from runtime.catalog.listing import DEFAULT, Budget
from runtime.catalog.search import Finder
from runtime.catalog.snapshot import Loader
from runtime.catalog.watcher import LiveCatalog
from runtime.driver import Driver
from runtime.driver.leases import Leases
from runtime.engines.choice import Engines
from runtime.engines.conformance import ResponseConformance
from runtime.engines.executor import Executor
from runtime.engines.journal import AuditOnly, RunRecords
from runtime.engines.looking import Looker
from runtime.engines.restore import Restorer
from runtime.knowledge import Knowledge
from runtime.proposing import Proposals, Terms
from runtime.raw_calls import RawCalls
from runtime.remotes.syncing import Remotes
from runtime.secrets import Vault
from runtime.sites.charge import HubCharge
from runtime.sites.edge import SiteEdge
from runtime.sites.hub import Hub
from runtime.sites.hubs import hub_of
from runtime.sites.membership import Membership
from runtime.sites.works import ServiceWorks

if TYPE_CHECKING:
    from runtime.auth.jwt_issuers import JwtIssuer

log = logging.getLogger("switchgear.database")
ASKS = Confirmation()
NONE_PROPOSED = Terms()
# So long after the disk has room again at most, `/ready` says so.
PROBE_S = 1.0
SessionEnds = tuple[timedelta, timedelta]
SESSION_ENDS: SessionEnds = (IDLE, LONGEST)


@dataclass(frozen=True, slots=True)
class Service:
    database: Database
    revisions: RevisionStore
    disabled: DisabledStore
    apis: ApiStore
    targets: TargetStore
    runs: RunStore
    open_runs: OpenRuns
    journals: Recordings
    asks: AskStore
    audit: AuditLog
    principals: PrincipalStore
    users: UserStore
    sessions: SessionStore
    login: Login
    refusals: Refusals
    webhooks: WebhookStore
    endpoints: EndpointStore
    deliveries: DeliveryStore
    deliverer: Deliverer
    authenticator: Authenticator
    vault: Vault
    driver: Driver
    engine: Engines
    locks: Locks
    calls: Calls
    under_way: UnderWay
    live: LiveCatalog
    finder: Finder
    knowledge: Knowledge
    raw: RawCalls
    schedules: ScheduleStore
    scheduler: Scheduler
    remotes: Remotes
    places: PlaceStore
    proposals: Proposals
    sites: SiteStore
    hub: Hub


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How a service serves. `budget`: how much of the catalog is listed to an MCP client; `responses`: what is done
    about replies that are not as described; `confirmation`: which workflows ask before they change anything;
    `scheduled`: which classes schedules may run. `sessions`: when a login ends unused, and when it ends in any case;
    `company`: whose JWTs are taken; `proposing`: what may be asked for.

    `keep_days`: how long runs that have ended can be looked up; `call_wait_s`: how long a call waits for its run.
    `hub_key`: the file with the key of this hub; empty: it is none.
    """

    budget: Budget = DEFAULT
    responses: Policy = "report"
    confirmation: Confirmation = ASKS
    scheduled: frozenset[str] = DEFAULT_RISKS
    sessions: SessionEnds = SESSION_ENDS
    company: "JwtIssuer | None" = None
    proposing: Terms = NONE_PROPOSED
    keep_days: int = 90
    call_wait_s: float = DEFAULT_WAIT_S
    hub_key: str = ""


AS_USUAL = ServiceOptions()


def assemble(database: Database, vault: Vault, options: ServiceOptions = AS_USUAL) -> Service:
    """The parts around an open database. Nothing is read yet."""
    revisions, apis, targets = RevisionStore(database), ApiStore(database), TargetStore(database)
    principals, users = PrincipalStore(database), UserStore(database)
    kept = SessionStore(database, idle=options.sessions[0], longest=options.sessions[1])
    authenticator = Authenticator(principals, users, kept, options.company)
    locks = locks_of(database.address)
    hub = hub_of(database, targets, options.hub_key)
    driver = Driver(vault, Leases(locks if database.kind == "postgresql" else None), hub)
    replies = ResponseStore(database)
    books = RunRecords(database, revisions, vault, ResponseConformance(replies, options.responses))
    plans, asks = PlanStore(database), AskStore(database)
    restorer = Restorer(revisions, apis, targets, plans)
    engine = Engines(driver, books, Executor(locks, is_hub=hub.is_one), restorer, options.keep_days)
    same_effects = SameEffects(Effects(database), books.runs, Looker(driver, books, restorer))
    live = LiveCatalog(
        Loader(revisions, apis, targets, RunStats(database), options.budget),
        Glances(database, revisions, targets),
        authenticator,
        MismatchStore(database),
    )
    deliveries = DeliveryStore(database)
    knowledge, policies = Knowledge(KnowledgeStore(database), live), PolicyStore(database)
    planning, schedules = Plans(plans, books.open_runs, options.confirmation), ScheduleStore(database)
    calls = Calls(engine, vault, planning, Asking(asks), same_effects, live.reload)
    around = SchedulerDeps(schedules, live, calls, authenticator, books.open_runs, locks, options.scheduled)
    refusals = Refusals(books.audit)
    return Service(
        database=database,
        revisions=revisions,
        disabled=DisabledStore(database),
        apis=apis,
        targets=targets,
        runs=books.runs,
        open_runs=books.open_runs,
        journals=Recordings(database),
        asks=asks,
        audit=books.audit,
        principals=principals,
        users=users,
        sessions=kept,
        login=Login(users, kept, refusals),
        refusals=refusals,
        webhooks=WebhookStore(database),
        endpoints=EndpointStore(database),
        deliveries=deliveries,
        deliverer=Deliverer(deliveries, vault),
        authenticator=authenticator,
        vault=vault,
        driver=driver,
        engine=engine,
        locks=locks,
        calls=calls,
        under_way=UnderWay(calls, engine, options.call_wait_s),
        live=live,
        finder=Finder(live, KnowledgeStore(database)),
        knowledge=knowledge,
        raw=RawCalls(policies, revisions, apis, targets, replies, knowledge, live),
        schedules=schedules,
        scheduler=Scheduler(around, reference=partial(database_now, database)),
        remotes=Remotes(revisions, apis, targets, driver, live.reload),
        places=PlaceStore(database),
        proposals=Proposals(database, books.audit, options.proposing),
        sites=SiteStore(database, targets),
        hub=hub,
    )


@asynccontextmanager
async def open_service(
    database_url: str, vault: Vault | None = None, options: ServiceOptions = AS_USUAL
) -> AsyncIterator[Service]:
    """A service with its first catalog. Raises GovernanceError when the database cannot be used."""
    async with open_database(database_url) as database:
        service = assemble(database, vault or Vault(), options)
        for fault in await altered_objects(database):
            log.error("the database is not as it was made: %s; see `switchgear doctor`", fault)
        await service.authenticator.look()
        await service.authenticator.learn()
        await service.live.reload()
        try:
            yield service
        finally:
            await service.engine.close()
            await service.under_way.close()
            await service.driver.aclose(AuditOnly(service.audit))
            await service.hub.close()
            await service.locks.close()


@asynccontextmanager
async def watching(service: Service, membership: Membership | None = None) -> AsyncIterator[None]:
    """As long as it is entered: the catalog follows the database, open runs are looked after, schedules are fired,
    events are sent, what MCP servers have is followed, and the hub whose site this is (`membership`) is asked for work.
    On a copy of another installation's database the catalog alone:
    the rest is done there."""
    is_copy = await _is_copy(service)
    others = () if is_copy else (service.scheduler, service.deliverer, service.remotes)
    edges = () if is_copy or membership is None else (SiteEdge(membership, ServiceWorks(service, membership)),)
    hubs = (HubCharge(service.hub, service.locks), service.hub) if service.hub.is_one else ()
    watched = (service.live, *others, *edges, *hubs)
    watches = [asyncio.create_task(each.watch()) for each in watched]
    watches.append(asyncio.create_task(_probing(service)))
    service.engine.watch(adopted_at=None if is_copy else await service.places.adopted_at())
    try:
        yield
    finally:
        for watch in watches:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
        await service.scheduler.close()
        await service.deliverer.close()


async def _is_copy(service: Service) -> bool:
    try:
        fault = await service.places.settle()
    except GovernanceError as error:  # a database that takes no writes yet: a later start writes it down
        log.error("where the database is could not be written down: %s", error.message)
        return False
    if fault:
        log.error("%s; no run is taken up, no schedule fired, no message sent, no plan carried out: %s", fault, REMEDY)
        service.live.set_apart = f"{fault}; {REMEDY}"
    return bool(fault)


async def _probing(service: Service) -> None:
    """Until cancelled: tries whether a database that refused a write takes them again, also where nobody writes."""
    while True:
        await asyncio.sleep(PROBE_S)
        if service.database.trouble:
            await service.database.probe()
        await service.engine.probe()
