"""Devices for the runtime's tests: a raw socket that records bytes and answers from a script.

Mock transports hide what matters here (line breaks, paths, who hangs up when), so these are real sockets on free
ports. Every fixture closes what it opened.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import Connection, update

from governance.approval.revisions import Revision
from governance.people import user_rows
from governance.people.passwords import nobodys_hash
from governance.people.scopes import WHOLE, AccessScope
from governance.registry.targets import Target
from governance.storage.identifiers import moment, utc_now
from runtime.admission.connections import Connections
from runtime.app import Application, bound_socket, build, http_server
from runtime.auth.jwt_issuers import IssuerTrust, JwtIssuer, RoleRule
from runtime.calls.confirmation import Confirmation
from runtime.credentials import COOKIE, CSRF_HEADER, csrf_of
from runtime.driver import DeviceEndpoint, Driver
from runtime.driver.credentials.sessions import References
from runtime.driver.wire import address_of
from runtime.driver.witness import Answered, Sending
from runtime.secrets import Vault
from runtime.service import Service, ServiceOptions, open_service
from tests.waiting import PATIENCE_S, LoopClock
from workflow.documents.reader import read_document
from workflow.profiles.profile import Profile
from workflow.requests.events import SendRequest
from workflow.revision import RevisionContent
from workflow.tool import tool_definition

Script = Callable[["Heard", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Heard:
    """One request as it came over the wire."""

    line: bytes
    fields: tuple[tuple[str, str], ...]
    body: bytes
    number: int
    connection: int

    @property
    def method(self) -> str:
        return self.line.split(b" ")[0].decode()

    @property
    def target(self) -> bytes:
        return self.line.split(b" ")[1]

    @property
    def request(self) -> tuple[str, str]:
        """Method and path, without the query."""
        return self.method, self.target.partition(b"?")[0].decode("latin-1")

    def field(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key == name), None)


def answer(status: int = 200, body: bytes = b"{}", **fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@dataclass
class Recorder:
    """A device that keeps every byte it hears and answers as its script says."""

    script: Script
    heard: list[Heard] = field(default_factory=list, repr=False)
    raw: bytearray = field(default_factory=bytearray, repr=False)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> "Recorder":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def has_heard(self, count: int) -> None:
        """Returns when so many requests have come."""
        while len(self.heard) < count:
            self._more.clear()
            await self._more.wait()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            while True:
                heard = await self._hear(reader, connection)
                if heard is None:
                    break
                await self.script(heard, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_now -= 1
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader, connection: int) -> Heard | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        line, *rest = head[:-4].split(b"\r\n")
        fields = tuple(tuple(part.decode("latin-1").split(": ", 1)) for part in rest)
        length = int(dict(fields).get("content-length", "0"))
        body = await reader.readexactly(length) if length else b""
        self.raw += head + body
        heard = Heard(line, fields, body, len(self.heard) + 1, connection)  # type: ignore[arg-type]
        self.heard.append(heard)
        self._more.set()
        return heard


def said(*answers: bytes) -> Script:
    """Answers in order; the last one for all that follow."""

    async def script(heard: Heard, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(heard.number, len(answers)) - 1])

    return script


@dataclass
class Notes:
    """A witness that keeps its notes in a list."""

    sent: list[Sending] = field(default_factory=list)
    results: list[Answered] = field(default_factory=list)

    async def sending(self, note: Sending) -> None:
        self.sent.append(note)

    async def answered(self, note: Answered) -> None:
        self.results.append(note)


@pytest.fixture
async def recorder(witness: Any) -> AsyncIterator[Callable[[Script], Awaitable[Recorder]]]:
    started: list[Recorder] = []

    async def start(script: Script) -> Recorder:
        made = await Recorder(script).start()
        witness.device(made.port, lambda: [heard.request for heard in made.heard])
        started.append(made)
        return made

    yield start
    for each in started:
        await each.stop()


@pytest.fixture
async def clock() -> LoopClock:
    return LoopClock(asyncio.get_running_loop())


@pytest.fixture
def notes(witness: Any) -> Notes:
    witness.has_others = True
    return Notes()


@pytest.fixture
async def driver(notes: Notes) -> AsyncIterator[Driver]:
    driver = Driver(Vault({"USER": "operator", "PASS": "s3cret-word", "TOKEN": "t0ken-value"}))
    yield driver
    await driver.aclose(notes)


TOY: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "toy.arazzo.yaml").read_text())
PROFILE = {"api": "toy", "secrets": ["password"], "limits": {"connections": 4, "total_timeout_s": PATIENCE_S}}


@dataclass
class ToyDevice:
    """What `toy.arazzo.yaml` talks to: machines that can be stopped by a job that takes two looks."""

    machines: list[dict[str, str]] = field(
        default_factory=lambda: [
            {"uuid": "u-1", "name": "web-01", "state": "on"},
            {"uuid": "u-2", "name": "twin", "state": "on"},
            {"uuid": "u-3", "name": "twin", "state": "off"},
        ]
    )
    looks: int = 0
    job_state: str = "done"
    before_stop: Callable[[asyncio.StreamWriter], Awaitable[bool]] | None = None
    before_look: Callable[[asyncio.StreamWriter], Awaitable[bool]] | None = None

    async def __call__(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        match heard.line.decode().split(" ")[:2]:
            case ["GET", "/api/vms"]:
                writer.write(answer(200, json.dumps(self.machines).encode(), content_type="application/json"))
            case ["GET", path] if path.startswith("/api/vms/"):
                found = [each for each in self.machines if each["uuid"] == path.rpartition("/")[2]]
                writer.write(answer(200, json.dumps(found[0]).encode()) if found else answer(404))
            case ["POST", path] if path.partition("?")[0].endswith("/stop"):
                if self.before_stop is None or await self.before_stop(writer):
                    self.looks = 0
                    writer.write(answer(202, b'{"task": "t-1"}'))
            case ["GET", "/api/tasks/t-1"] if self.before_look is None or await self.before_look(writer):
                self.looks += 1
                state = "running" if self.looks < 2 else self.job_state
                if state == "done":
                    self.machines[0]["state"] = "off"
                writer.write(answer(200, json.dumps({"state": state}).encode()))
            case ["DELETE", "/api/tasks/t-1"]:
                writer.write(answer(204, b""))
            case _:
                writer.write(answer(404))


def toy_content(name: str, copy: int | None = None) -> RevisionContent:
    """The content of one of the toy workflows; `copy` gives another workflow that does the same."""
    document = json.loads(json.dumps(TOY[name]))
    if copy is not None:
        workflow = document["workflows"][0]
        workflow["workflowId"] += f"-{copy}"
        workflow["x-switchgear"]["tool"]["name"] += f"_{copy}"
    return content_of(document)


def content_of(document: Any) -> RevisionContent:
    """The content of a document for the toy API."""
    tool, profile_digest = _told_of(json.dumps(document))
    return RevisionContent(document, json.loads(tool), document["x-switchgear"]["operations"], profile_digest)


@cache
def _told_of(document: str) -> tuple[str, str]:
    """The tool of a document, and the profile's digest, as texts: thousands of tests ask for the same few."""
    tool = tool_definition(read_document(json.loads(document), "toy")).to_json()
    return json.dumps(tool), Profile(**PROFILE).digest


@dataclass
class House:
    """A database, the service on it, and what tests do to them."""

    url: str
    service: Service

    async def submit(
        self, name: str, copy: int | None = None, *, is_core: bool = True, actor: str = "test"
    ) -> Revision:
        return await self._submit(toy_content(name, copy), is_core=is_core, actor=actor)

    async def submit_changed(self, name: str, *, title: str) -> Revision:
        """The same workflow with another title."""
        document = json.loads(json.dumps(TOY[name]))
        document["workflows"][0]["x-switchgear"]["tool"]["title"] = title
        return await self._submit(content_of(document))

    async def _submit(self, content: RevisionContent, *, is_core: bool = True, actor: str = "test") -> Revision:
        about = content.document["workflows"][0]
        own = about["x-switchgear"]
        submission = await self.service.revisions.submit(
            "toy", about["workflowId"], content, intent=own["intent"], risk=own["risk"], resource="vms",
            is_core=is_core, rank=1.0, proof=None, actor=actor,
        )  # fmt: skip
        return submission.revision

    async def approve(self, name: str, copy: int | None = None, *, is_core: bool = True) -> Revision:
        revision = await self.submit(name, copy, is_core=is_core)
        return await self.service.revisions.decide(
            revision.id, "approve", actor="test", role="admin", reason="", digest=revision.digest
        )

    async def target(self, url: str, name: str = "lab", **more: Any) -> None:
        await self.service.targets.add(replace(Target(name, "toy", url, "live"), **more))

    async def token(self, role: Any = "admin", name: str | None = None) -> str:
        _, secret = await self.service.principals.create_token(name or str(role), role)
        return secret


async def furnished(url: str, service: Service) -> House:
    """A house whose database knows the toy API."""
    profile = Profile(**PROFILE)
    await service.apis.put_api("toy", "Toy", "1", "sha256:" + "0" * 64, profile.model_dump(mode="json"), profile.digest)
    return House(url, service)


# What asks before it changes anything has tests of its own (`test_plans`); the others are about runs.
ASKS_NOBODY = Confirmation(classes=frozenset())


@pytest.fixture
async def house(migrated_url: str) -> AsyncIterator[House]:
    async with open_service(
        migrated_url, Vault({"WORD": "s3cret-word"}), ServiceOptions(confirmation=ASKS_NOBODY)
    ) as service:
        yield await furnished(migrated_url, service)


@dataclass
class Running:
    """A server that answers on a real port."""

    url: str
    application: Application
    connections: Connections

    @property
    def mcp(self) -> str:
        return f"{self.url}/mcp"


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[Running]:
    async with serving(build(service)) as run:
        yield run


@contextlib.asynccontextmanager
async def serving(application: Application) -> AsyncIterator[Running]:
    """An application on a free port."""
    server, listener = http_server(application), bound_socket("127.0.0.1", 0)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    try:
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", application, server.open)
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def device(recorder: Callable[[Script], Awaitable[Recorder]]) -> Recorder:
    """The toy device, switched on. Its behaviour is `device.script`."""
    return await recorder(ToyDevice())


@pytest.fixture
async def lab(house: House, device: Recorder) -> House:
    """A house with the toy device as its one target, and finding and stopping approved."""
    await house.target(device.url)
    await house.approve("find")
    await house.approve("stop")
    await house.service.live.reload()
    return house


@pytest.fixture
async def server(lab: House) -> AsyncIterator[Running]:
    async with running(lab.service) as run:
        yield run


@dataclass
class Credentials:
    """Every kind of credential for a house: what a request shows, as headers. `key` signs the company's JWTs."""

    house: House
    folder: Path
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "k1"}))
    rules: list[RoleRule] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.publish(self.key)

    async def of(self, kind: str, name: str, role: Any = "admin", scope: AccessScope = WHOLE) -> dict[str, str]:
        """`kind`: token, session (with its CSRF token) or jwt."""
        if kind == "session":
            return self.with_csrf(await self.session_secret(name, role, scope))
        if kind == "token":
            _, secret = await self.house.service.principals.create_token(name, role, scope=scope)
            return bearer(secret)
        return bearer(self.jwt(name, role, scope))

    async def session_secret(self, name: str, role: Any = "admin", scope: AccessScope = WHOLE) -> str:
        """Of a new session; the user is made when there is none, without the half a second that a password takes."""
        service = self.house.service
        if not await service.users.is_known(name):
            await service.users.add(name, role, password=None, scope=scope, actor="test")
            await service.database.write(partial(give_a_password, name))
        return (await service.sessions.open(name, address="127.0.0.1"))[1]

    def jwt(self, subject: str, role: Any = "admin", scope: AccessScope = WHOLE, **claims: Any) -> str:
        """With a rule of its own, in a company that is trusted from now on."""
        value = f"group-{len(self.rules)}"
        self.rules.append(RoleRule(value=value, role=role, scope=scope.to_json()))
        keys = str(self.folder / "keys.json")
        trust = IssuerTrust(issuer="https://i", audience="sg", keys=keys, roles_claim="groups", roles=tuple(self.rules))
        self.house.service.authenticator._company = JwtIssuer(trust)
        now = int(time.time())
        told = {"iss": "https://i", "aud": "sg", "sub": subject, "iat": now, "exp": now + 3600, "groups": value}
        return jwt.encode({"alg": "ES256", "kid": str(self.key.kid)}, told | claims, self.key)

    @staticmethod
    def with_csrf(secret: str) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={secret}", CSRF_HEADER: csrf_of(secret)}

    def publish(self, *keys: ECKey) -> None:
        body = {"keys": [key.as_dict(private=False) for key in keys]}
        (self.folder / "new.json").write_text(json.dumps(body))
        (self.folder / "new.json").replace(self.folder / "keys.json")


def give_a_password(name: str, connection: Connection) -> None:
    """A hash that nothing fits: logging in is tested elsewhere."""
    connection.execute(
        update(user_rows.TABLE).where(user_rows.TABLE.c.name == name).values(password_hash=nobodys_hash())
    )
    user_rows.tell(connection, moment(utc_now()), "test", "user.password", name, {})


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture
def credentials(lab: House, tmp_path: Path) -> Credentials:
    return Credentials(lab, tmp_path)


@pytest.fixture
def tools() -> Any:
    """What tests of the driver need, under one name, because test files import nothing from each other."""
    return Tools


class Tools:
    answer, said = staticmethod(answer), staticmethod(said)
    running, serving = staticmethod(running), staticmethod(serving)
    toy_content = staticmethod(toy_content)
    content_of = staticmethod(content_of)
    furnished = staticmethod(furnished)
    ASKS_NOBODY = ASKS_NOBODY
    House, ToyDevice, Heard, Notes = House, ToyDevice, Heard, Notes

    @staticmethod
    def endpoint(url: str, profile: Mapping[str, Any] | None = None, **more: Any) -> DeviceEndpoint:
        data = {"api": "toy", **(profile or {})}
        more = {"tls": "verify", "references": References("env:USER", "env:PASS", "env:TOKEN"), **more}
        return DeviceEndpoint(more.pop("name", "lab"), address_of(url, "/api"), profile=Profile(**data), **more)

    @staticmethod
    def get(path: str = "/things", template: str | None = None, **more: Any) -> SendRequest:
        return SendRequest("read", 1, "GET", path, template or path, is_safe=True, is_idempotent=True, **more)

    @staticmethod
    def post(path: str = "/things", body: Any = None, **more: Any) -> SendRequest:
        return SendRequest(
            "change", 1, "POST", path, path, body=body or {"a": 1}, content_type="application/json", **more
        )

    @staticmethod
    def soon(seconds: float = PATIENCE_S) -> float:
        return asyncio.get_running_loop().time() + seconds
