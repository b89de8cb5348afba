"""What may be wrong before anything is served: the database, what is approved, who may connect, what can be reached.

Looks and never changes anything, and makes no database; sends no request to any device, only tries whether its port
answers. Called by `switchgear doctor`.
"""

import asyncio
from dataclasses import dataclass

from governance.audit.log import AuditLog
from governance.audit.place import REMEDY, PlaceStore
from governance.errors import GovernanceError
from governance.integrity.survey import alterations
from governance.registry.targets import Target
from governance.storage.connections import require_file
from governance.storage.database import Database, open_database
from governance.storage.database_clock import clock_fault, database_now
from governance.storage.identifiers import utc_now
from runtime.driver.wire import address_of
from runtime.engines.dbos_process import file_fault
from runtime.errors import TargetError
from runtime.secrets import Vault
from runtime.service import Service, open_service

REACH_S = 2.0


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    subject: str
    is_good: bool
    message: str

    def to_json(self) -> dict[str, str | bool]:
        return {"subject": self.subject, "is_good": self.is_good, "message": self.message}


async def examine(database_url: str) -> tuple[DoctorFinding, ...]:
    """All findings, good ones too. An unusable database is a finding, and then the only one; one that was altered is
    told as far as it can be read."""
    try:
        require_file(database_url)
        async with open_database(database_url) as database:
            found = await _database(database)
    except GovernanceError as error:
        return (DoctorFinding("database", False, f"{error.message} {error.remedy}".strip()),)
    try:
        async with open_service(database_url) as service:
            return (*found, await _credentials(service), *_catalog(service), *await _targets(service))
    except GovernanceError as error:
        return (*found, DoctorFinding("service", False, f"{error.message} {error.remedy}".strip()))


async def _database(database: Database) -> tuple[DoctorFinding, ...]:
    verdict = await AuditLog(database).verify()
    fault = clock_fault(utc_now(), await database_now(database))
    place = await PlaceStore(database).fault()
    runs = await asyncio.to_thread(file_fault, database.address)
    chain = f"{verdict.rows} rows, whole" if verdict.ok else f"row {verdict.first_bad}: {verdict.reason}"
    return (
        DoctorFinding("database", True, f"{database.kind}, up to date"),
        DoctorFinding("audit", verdict.ok, chain),
        DoctorFinding("clock", not fault, fault or "as the database's"),
        DoctorFinding("place", not place, f"{place}; {REMEDY}" if place else "where it was served before, if it was"),
        DoctorFinding("runs", not runs, runs or "what is remembered of runs under way can be read, if there is any"),
        *(DoctorFinding(_subject(fault), False, fault) for fault in await alterations(database)),
    )


def _subject(fault: str) -> str:
    """What lets somebody in is told among the credentials."""
    return "credentials" if fault.startswith(("the token ", "the user ", "the webhook ")) else "altered"


async def _credentials(service: Service) -> DoctorFinding:
    has_any = await service.principals.any_tokens() or await service.users.any_users()
    told = "there are some" if has_any else "no token, no user: the server listens on loopback only"
    return DoctorFinding("credentials", True, told)


def _catalog(service: Service) -> tuple[DoctorFinding, ...]:
    catalog = service.live.now
    refused = (
        DoctorFinding(each.workflow_id, False, f"approved, not served: {each.reason}") for each in catalog.refusals
    )
    lonely = sorted({entry.api for entry in catalog.entries.values() if not entry.targets})
    without = (
        DoctorFinding(api, False, "workflows are approved, but there is no target to run them on") for api in lonely
    )
    return (DoctorFinding("catalog", True, f"{len(catalog.entries)} workflows are served"), *refused, *without)


async def _targets(service: Service) -> tuple[DoctorFinding, ...]:
    targets = await service.targets.list_targets()
    return tuple(await asyncio.gather(*(_target(target, service.vault) for target in targets)))


async def _target(target: Target, vault: Vault) -> DoctorFinding:
    try:
        for reference in (target.username_ref, target.password_ref, target.token_ref):
            if reference:
                vault.read(reference)
        address = address_of(target.base_url, "")
        async with asyncio.timeout(REACH_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
        writer.close()
    except TargetError as error:
        return DoctorFinding(target.name, False, f"{error.message}; {error.remedy}")
    except (OSError, TimeoutError) as error:
        return DoctorFinding(target.name, False, f"{target.base_url} does not answer: {error or 'in time'}")
    return DoctorFinding(target.name, True, f"{target.base_url} answers")
