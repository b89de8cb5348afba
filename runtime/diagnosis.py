"""Whether a target can be used, step by step: address, name, port, certificate, credentials, version.

The first step that fails says what to do, and what comes after it is left out. The certificate is looked at in a
handshake of its own and its fingerprint told, so that it can be compared and pinned; credentials are shown only after
the target's own `tls` has been satisfied, in the one read that the profile names. That request stands in the audit.
What came of it is kept in the audit, so that it can be looked at later. Called by `targets test` and by the REST API.
Nothing is changed, here or on the device.
"""

import asyncio
import hashlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from governance.audit.log import AuditLog
from governance.audit.search import AuditSearch, AuditWanted
from governance.errors import NotFoundError
from governance.registry.targets import Target
from runtime.catalog.entries import own_limits
from runtime.driver import DeviceEndpoint, tls
from runtime.driver.credentials.sessions import References
from runtime.driver.wire import Address, WireReply, address_of
from runtime.driver.witness import Answered, Sending
from runtime.errors import Refused, TargetError
from runtime.secrets import Vault
from runtime.service import Service
from workflow.json.pointers import NOTHING, parse_pointer, resolve
from workflow.profiles.profile import Probe, Profile, parse_profile
from workflow.replies.device_messages import sentences
from workflow.requests.events import SendRequest

Json = Any
Step = Literal["address", "dns", "tcp", "tls", "login", "version"]
TESTED = "target.tested"
STEPS: tuple[Step, ...] = ("address", "dns", "tcp", "tls", "login", "version")
# A device that needs longer than this for one of the steps is not one to work with.
STEP_S = 10.0
MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class DiagnosedStep:
    step: Step
    outcome: Literal["good", "bad", "left out"]
    message: str
    remedy: str = ""
    detail: dict[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


async def diagnose(service: Service, name: str, actor: str) -> tuple[DiagnosedStep, ...]:
    """A finding for each step. Raises NotFoundError for the target, GovernanceError when nothing can be recorded."""
    found = await _findings(service, await service.targets.get(name), actor)
    await service.audit.append(actor, TESTED, _about(name), {"findings": [each.to_json() for each in found]})
    return found


async def _findings(service: Service, target: Target, actor: str) -> tuple[DiagnosedStep, ...]:
    name = target.name
    if target.server is not None:
        if target.server.is_site:
            return (
                DiagnosedStep("address", "bad", f"{name} is a site, and comes by itself", "see `switchgear site list`"),
            )
        return (DiagnosedStep("address", "bad", f"{name} is an MCP server", f"run `switchgear servers test {name}`"),)
    profile, described = await _profile(service, target.api)
    base_path = await _base_path(service, target.api, profile)
    diagnosis = Diagnosis(service, target, profile, actor, base_path, described)
    findings = [finding async for finding in diagnosis.findings()]
    told = {finding.step for finding in findings}
    return (*findings, *(DiagnosedStep(step, "left out", "not reached") for step in STEPS if step not in told))


@dataclass(frozen=True, slots=True)
class KeptTest:
    """What came of the last test of a target: when, and who asked for it."""

    at: str
    by: str
    findings: tuple[DiagnosedStep, ...]


async def last_test(service: Service, name: str) -> KeptTest | None:
    """None where nobody has tested it yet."""
    wanted = AuditWanted(action=TESTED, subject=_about(name))
    found = await AuditSearch(service.database).newest(wanted, 1)
    if not found:
        return None
    (row,) = found
    return KeptTest(row.at, row.actor, tuple(DiagnosedStep(**each) for each in row.detail["findings"]))


def _about(name: str) -> str:
    """Not the target's own subject: the last row about that says what the target is."""
    return f"target-test:{name}"


async def _profile(service: Service, api: str) -> tuple[Profile, str]:
    """The profile, and what the description calls its version."""
    try:
        stored = await service.apis.get_api(api)
    except NotFoundError:
        return Profile(api=api), ""
    return (parse_profile(stored.profile, api) if stored.profile else Profile(api=api)), stored.version


async def _base_path(service: Service, api: str, profile: Profile) -> str:
    """What stands before all paths: where the profile is silent, as the description's newest workflow has it."""
    if profile.base_path is not None:
        return profile.base_path
    for state in ("approved", "pending"):
        for revision in await service.revisions.find(state=state, api=api, limit=1):
            document = revision.content.document
            return str(document.get("x-switchgear", {}).get("base_path", ""))
    return ""


class Diagnosis:
    def __init__(
        self, service: Service, target: Target, profile: Profile, actor: str, base_path: str, described: str
    ) -> None:
        self._service = service
        self._target = target
        self._profile = profile
        self._base_path = base_path
        self._described = described
        self._witness = _Told(service.audit, service.vault, target.name, actor)

    async def findings(self) -> AsyncIterator[DiagnosedStep]:
        """Up to the first that is bad."""
        address, finding = self._address()
        yield finding
        if address is None:
            return
        for step in (_dns, _tcp, self._tls):
            finding = await step(address)
            yield finding
            if finding.outcome == "bad":
                return
        for finding in await self._login(address):
            yield finding

    def _address(self) -> tuple[Address | None, DiagnosedStep]:
        target = self._target
        try:
            for reference in (target.username_ref, target.password_ref, target.token_ref):
                if reference:
                    self._service.vault.read(reference)
            address = address_of(target.base_url, self._base_path, adds_base_path=target.mode != "prism")
        except TargetError as error:
            return None, DiagnosedStep("address", "bad", error.message, error.remedy)
        where = f"{address.origin}{address.prefix}"
        return address, DiagnosedStep(
            "address", "good", f"{where}; all references lead to something", "", {"url": where}
        )

    async def _tls(self, address: Address) -> DiagnosedStep:
        """The certificate that is shown, and whether the target's setting takes it."""
        how = self._target.tls
        if address.scheme == "http":
            return DiagnosedStep("tls", "left out", "the address is http: nothing is encrypted")
        detail: dict[str, Json] = {"setting": how}
        try:
            async with asyncio.timeout(STEP_S):
                shown = await tls.fetch_certificate(address.host, address.port)
                detail |= _told_of(shown)
                context = await tls.context_for(how, address.host, address.port)
                await _handshake(address, context)
        except (TargetError, ssl.SSLError, OSError, TimeoutError) as error:
            return DiagnosedStep(
                "tls", "bad", f"{how.partition(':')[0]}: {_reason(error)}", _pin_remedy(detail), detail
            )
        until = f"; {detail['subject']}, until {detail['expires']}" if "expires" in detail else ""
        return DiagnosedStep("tls", "good", f"trusted by {how.partition(':')[0]}{until}", "", detail)

    async def _login(self, address: Address) -> list[DiagnosedStep]:
        probe = self._profile.probe
        if probe is None:
            why = f"the profile of {self._target.api} names nothing to read (probe)"
            return [DiagnosedStep("login", "left out", why)]
        method, _, path = probe.read.partition(" ")
        command = SendRequest("probe", 1, method, path, path, is_safe=True, is_idempotent=True, timeout_s=STEP_S)
        end = asyncio.get_running_loop().time() + STEP_S
        outcome = await self._service.driver.ask(command, self._endpoint(address), end, self._witness)
        if isinstance(outcome, TargetError):
            redact = self._service.vault.redact
            return [DiagnosedStep("login", "bad", redact(outcome.message), redact(outcome.remedy))]
        told = _login_told(self._profile, outcome, self._service.vault)
        return [told, _version(outcome, probe, self._described)] if told.outcome == "good" else [told]

    def _endpoint(self, address: Address) -> DeviceEndpoint:
        target = self._target
        references = References(target.username_ref, target.password_ref, target.token_ref)
        limits = own_limits(target, self._profile)
        return DeviceEndpoint(target.name, address, target.tls, references, self._profile, limits)


async def _dns(address: Address) -> DiagnosedStep:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(STEP_S):
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        return DiagnosedStep(
            "dns", "bad", f"{address.host}: {_reason(error)}", "correct the target's address, or the DNS"
        )
    places = sorted({str(entry[4][0]) for entry in found})
    return DiagnosedStep("dns", "good", f"{address.host} is {', '.join(places)}", "", {"addresses": places})


async def _tcp(address: Address) -> DiagnosedStep:
    start = time.monotonic()
    try:
        async with asyncio.timeout(STEP_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
        writer.close()
    except (OSError, TimeoutError) as error:
        remedy = "see whether the device is on, and whether a firewall stands between"
        return DiagnosedStep("tcp", "bad", f"port {address.port}: {_reason(error)}", remedy)
    took_ms = round((time.monotonic() - start) * 1000, 1)
    return DiagnosedStep("tcp", "good", f"port {address.port} answered in {took_ms} ms", "", {"ms": took_ms})


async def _handshake(address: Address, context: ssl.SSLContext) -> None:
    name = address.host if context.check_hostname else None
    _, writer = await asyncio.open_connection(address.host, address.port, ssl=context, server_hostname=name or "")
    writer.close()


def _login_told(profile: Profile, reply: WireReply, vault: Vault) -> DiagnosedStep:
    """What the answer to the probe says of the login: only a reply in the API's own form is one of somebody let in."""
    assert profile.probe is not None, "an answer to it came"
    status, remedy = reply.status, ""
    told = f"{profile.probe.read} was answered with {status}"
    words = sentences(status, reply.joined_headers(), vault.redact(reply.body), profile.envelope, vault.redact)
    said = f": “{' '.join(words[:2])}”" if status >= 400 and words else ""
    if status in (401, 403):
        remedy = "check the credentials that the target refers to, and what this account may do"
    elif status in (404, 405, 410):
        remedy = (
            "whether the credentials are right is not known: see whether the target's address and path are the API's"
        )
    elif 300 <= status < 400:
        told += f", which leads to {(reply.header('location') or 'nowhere')[:MOST_NAME]}"
        remedy = "correct the target's address: credentials are not sent on"
    elif not 200 <= status < 300:
        remedy = "see what the device says, and test again when it has put this right"
    elif "html" in (reply.header("content-type") or "").lower():
        told += ", a page for people"
        remedy = "this is no API: correct the target's address or its path"
    if remedy:
        return DiagnosedStep("login", "bad", told + said, remedy)
    return DiagnosedStep("login", "good", f"{told} ({', '.join(profile.auth.kinds)})")


def _version(reply: WireReply, probe: Probe, described: str) -> DiagnosedStep:
    if probe.version is None:
        return DiagnosedStep("version", "left out", "the profile does not say where the version stands")
    value = resolve(reply.body, parse_pointer(probe.version))
    if value is NOTHING or not isinstance(value, str | int | float):
        return DiagnosedStep("version", "left out", f"the reply with status {reply.status} has none at {probe.version}")
    version, detail = str(value), {"version": str(value)}
    of = f"the description {described} is" if described else "the description is"
    if probe.described and not any(_begins_with(version, each) for each in probe.described):
        remedy = "what is approved may not fit: compile the description of this version, or widen probe.described"
        return DiagnosedStep("version", "bad", f"{version}; {of} of {', '.join(probe.described)}", remedy, detail)
    fits = f"; {of} of {', '.join(probe.described)}" if probe.described else ""
    return DiagnosedStep("version", "good", f"{version}{fits}", "", detail)


def _begins_with(version: str, beginning: str) -> bool:
    """Whether `version` is `beginning` or goes on behind it with another part: 7.1 begins 7.1.5, not 7.10."""
    rest = version.removeprefix(beginning)
    return version.startswith(beginning) and not (beginning[-1:].isdigit() and rest[:1].isdigit())


def _told_of(certificate: bytes) -> dict[str, Json]:
    """Fingerprint, subject, issuer and end of a certificate (DER); of one that is damaged the fingerprint alone."""
    from cryptography import x509  # costs a start more than all of this file

    told: dict[str, Json] = {"fingerprint": hashlib.sha256(certificate).hexdigest()}
    try:
        read = x509.load_der_x509_certificate(certificate)
        names = {"subject": read.subject.rfc4514_string(), "issuer": read.issuer.rfc4514_string()}
        told["expires"] = read.not_valid_after_utc.date().isoformat()
    except ValueError:
        return told
    # The device's own words, shown to a person.
    shown = {name: "".join(c for c in text[:MOST_NAME] if c.isprintable()) for name, text in names.items()}
    return told | shown


def _pin_remedy(detail: dict[str, Json]) -> str:
    if "fingerprint" not in detail:
        return "see whether the port speaks TLS"
    return f"compare the fingerprint at the device; if it is this one, set tls to pin:{detail['fingerprint']}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {STEP_S:.0f} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, Refused | TargetError):
        return error.message
    return getattr(error, "strerror", None) or str(error)


class _Told:
    """The witness of a test: each request is an event of the target in the audit."""

    def __init__(self, audit: AuditLog, vault: Vault, target: str, actor: str) -> None:
        self._audit = audit
        self._vault = vault
        self._subject = f"target:{target}"
        self._actor = actor

    async def sending(self, note: Sending) -> None:
        await self._audit.append(self._actor, "request.sending", self._subject, _detail(note))

    async def answered(self, note: Answered) -> None:
        told = {**_detail(note.sending), "status": note.status, "reason": note.reason}
        await self._audit.append(self._actor, "request.answered", self._subject, told)


def _detail(note: Sending) -> dict[str, Json]:
    return {"step_id": note.step_id, "method": note.method, "path": note.path, "purpose": note.purpose}
