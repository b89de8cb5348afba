"""The application: MCP and the REST API behind one gate, on one port, as one ASGI callable.

`build` puts the parts together around an open service; `serve_http` and `serve_stdio` run them until they are told to
stop. What a request meets, in this order: the gate (`access`), then FastMCP at `/mcp` or FastAPI elsewhere. Neither
the compiler nor anything of it is ever imported here. ASGI 3, MCP Streamable HTTP and stdio.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastmcp import FastMCP
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from governance.registry.library import Library
from governance.settings import SettingInUse
from runtime import memory
from runtime.admission.concurrency import MOST_AT_ONCE, Concurrency, most_at_once, most_files
from runtime.admission.connections import Connections, listen
from runtime.admission.first_bytes import Known
from runtime.admission.mcp_sessions import McpSessions
from runtime.admission.rates import Rates
from runtime.api import (
    asks,
    audit,
    bundles,
    disabling,
    docs,
    events,
    fleet,
    library,
    metrics,
    pictures,
    policy,
    raw_calls,
    records,
    schedules,
    senders,
    servers,
    serving,
    sites,
    targets,
    webhooks,
    workflows,
)
from runtime.api.agents import catalog, knowledge, tools
from runtime.api.agents.description import AgentDescription, FixedPart
from runtime.api.description import Description
from runtime.api.parts.part import check_query
from runtime.api.people import administration, login, users
from runtime.auth.access import LOOPBACK_NAMES, MCP_PATH, Gate, is_loopback
from runtime.auth.cors import Cors
from runtime.building import Builds
from runtime.caller import Caller
from runtime.catalog.snapshot import CALL_API
from runtime.console.app import Console
from runtime.errors import StartRefused
from runtime.mcp.completing import Completions
from runtime.mcp.finding import finding_tools
from runtime.mcp.fleet import fleet_tools
from runtime.mcp.knowing import knowing_tools
from runtime.mcp.list_changed import ListChanged
from runtime.mcp.own_prompts import OwnPrompts
from runtime.mcp.proposing import propose_tool
from runtime.mcp.raw_tool import raw_tool
from runtime.mcp.resources import add_resources
from runtime.mcp.run_tool import run_tools
from runtime.mcp.short_way import ShortWay
from runtime.mcp.tasks import RunTasks
from runtime.mcp.tools import CatalogProvider, OwnTools, caller_of_request
from runtime.problems import KNOWN, Problem, of_error, respond
from runtime.service import Service, watching
from runtime.sites.hub import Hub
from runtime.sites.membership import Membership

log = logging.getLogger("switchgear.server")
INSTRUCTIONS = (
    "Each tool is one approved workflow on infrastructure: it looks things up by name, checks, changes, waits until "
    "the change is done and reads it back. A tool that fails says which step failed, what was done, what was not, and "
    "what to do about it. With plan: true a tool changes nothing and shows the requests that it would send; with the "
    "plan_id of a plan, and the same inputs, it carries that plan out. What interrupts service or destroys something "
    "asks first. A read that is large shows what people usually read of it, with counts: select names the fields to "
    'show, separated by commas, or * for all; where chooses items, as in {"state": "RUNNING", "name": '
    '{"contains": "web"}, "newest": 5}, also with greater and less. '
    "What takes longer than a call may is answered as running, with its run's id: get_run waits for its end. "
    "Where search_workflows is among the tools, there are more workflows than tools: look there "
    "before you say that something cannot be done."
)
# Calls under way get this long when the server stops; the engine's own closing comes after.
GRACE_S = 5
# Longer than clients keep an idle connection (5 to 118 s): of two that close, the other's next request is lost.
KEEP_ALIVE_S = 125
NO_PROMPTS = OwnPrompts()


@dataclass(frozen=True, slots=True)
class Application:
    """`asgi` is what a server runs; the rest is for whoever runs it in another way, and for tests."""

    asgi: ASGIApp
    gate: Gate
    api: FastAPI
    mcp: FastMCP[Any]
    provider: CatalogProvider
    changes: ListChanged
    known: Known
    hub: Hub


def build(
    service: Service,
    *,
    hosts: frozenset[str] | None = LOOPBACK_NAMES,
    local: Caller | None = None,
    rate_per_s: int = 0,
    at_once: int = MOST_AT_ONCE,
    settings: tuple[SettingInUse, ...] = (),
    folder: str = "",
    metrics_open: bool = False,
    origins: frozenset[str] = frozenset(),
    membership: Membership | None = None,
    prompts: OwnPrompts = NO_PROMPTS,
) -> Application:
    """`hosts`: names under which the server may be addressed, None for any. `local`: who calls over stdio.

    `rate_per_s`: how often one caller may ask, 0 for any number; `at_once`: how many requests are worked on at a time.
    `settings`: what admins are shown of them. `folder`: where specs and profiles are kept that come over REST; empty:
    nowhere. `metrics_open`: whoever is on this machine may read the metrics. `origins`: of web pages that may call.
    `membership`: the hub whose site this server is.
    `prompts`: of whoever runs the server.
    """
    mcp, provider, changes = _mcp_server(service, local or Caller("stdio", "operator"), prompts)
    library = Library(Path(folder), service.database) if folder else None
    builds = Builds(library, service.database) if library is not None else None
    mcp_app = mcp.http_app(path=MCP_PATH, host_origin_protection=False)  # the gate's work, for all routes alike

    @contextlib.asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        async with mcp_app.router.lifespan_context(mcp_app), watching(service, membership):
            try:
                yield
            finally:
                changes.close()
                if builds is not None:
                    await builds.close()

    api = _rest_api(service, lifespan)
    api.state.provider, api.state.mcp = provider, mcp
    api.state.settings = settings
    api.state.library, api.state.builds = library, builds
    gate = Gate(
        api,
        McpSessions(mcp_app),
        service.authenticator,
        hosts,
        Rates(rate_per_s),
        Concurrency(at_once),
        metrics_open=metrics_open,
        console=Console,
        sites=service.hub,
    )
    asgi = Cors(gate, origins, hosts) if origins else gate
    return Application(asgi, gate, api, mcp, provider, changes, service.authenticator.known, service.hub)


def _mcp_server(
    service: Service, local: Caller, prompts: OwnPrompts
) -> tuple[FastMCP[Any], CatalogProvider, ListChanged]:
    asking = partial(caller_of_request, local)
    waiting, ending = run_tools(service, asking)
    own = OwnTools(
        finding_tools(service.live, service.finder, service.knowledge, service.under_way, ending, asking),
        (waiting,),
        (ending,),
        knowing_tools(service.knowledge, asking),
        service.knowledge,
        (raw_tool(service.raw, service.under_way, asking),),
        service.raw,
        (propose_tool(service.proposals, asking),) if service.proposals.terms.may_be_asked else (),
        fleet_tools(service, asking),
    )
    provider = CatalogProvider(service.live, service.under_way, local, own, prompts)
    tasks = RunTasks(service, asking)
    mcp = ShortWay(
        "Switchgear",
        find=provider.find,
        tasks=tasks,
        instructions=INSTRUCTIONS,
        version=version("switchgear"),
        providers=[provider],
        mask_error_details=True,
        dereference_schemas=False,  # or `$defs` vanish from what was approved
    )
    add_resources(mcp, service, asking)
    mcp.completion(Completions(service, asking, prompts))
    mcp.add_extension(tasks)
    changes = ListChanged(mcp, service, asking, provider.knows, service.raw.is_for)
    service.live.on_change(changes.tell)
    return mcp, provider, changes


def _rest_api(service: Service, lifespan: Callable[[FastAPI], Any]) -> FastAPI:
    api = FastAPI(
        title="Switchgear",
        version=version("switchgear"),
        description="Approved workflows: look, decide, run, and see what happened.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # what is in it depends on the caller (`docs`)
        lifespan=lifespan,
        routes=[*_routes()],
    )
    api.state.service = service
    api.state.description = Description(api)
    whole = api.state.description.whole
    api.state.agents = AgentDescription(service.live, api.version, FixedPart(whole), FixedPart(whole, (CALL_API,)))
    api.openapi = api.state.description.document  # type: ignore[method-assign]
    for kind in (Problem, HTTPException, RequestValidationError, *KNOWN):
        api.add_exception_handler(kind, _on_error)
    return api


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The same for every service of this process: FastAPI makes each of them ready when it is first asked for one."""
    api = FastAPI(
        openapi_url=None, generate_unique_id_function=lambda route: route.name, dependencies=[Depends(check_query)]
    )
    # `/workflows/disabled` before `/workflows/{ref}`, `/tools/search_api` before `/tools/{name}`.
    decisions = (disabling, workflows, pictures, knowledge, fleet, raw_calls, tools, webhooks, events)
    kept = (records, asks, senders, bundles, targets, servers, sites, catalog, schedules, audit, policy, library)
    for part in (*decisions, *kept, login, users, administration, serving, metrics, docs):
        api.include_router(part.router)
    return tuple(api.routes)


async def _on_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return respond(error)
    if isinstance(error, HTTPException) and error.status_code == 400:  # a body that is no text: as one that is no JSON
        return respond(Problem(422, "bad request", "The body is not JSON in UTF-8.", "see /docs"))
    if isinstance(error, HTTPException):
        title = {404: "not found", 405: "method not allowed"}.get(error.status_code, "request failed")
        return respond(
            Problem(error.status_code, title, str(error.detail), "see /docs", tuple((error.headers or {}).items()))
        )
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        return respond(
            Problem(422, "bad request", f"{first['msg']} at {pointer}", "see /docs", (), {"pointer": pointer})
        )
    if not isinstance(error, KNOWN):
        log.exception("a request failed", exc_info=error)
    return respond(of_error(error))


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how a server listens. `tls`: files with its certificate and key, or two empty names."""

    host: str
    port: int
    tls: tuple[str, str] = ("", "")
    allows_plain_http: bool = False
    rate_per_s: int = 0
    settings: tuple[SettingInUse, ...] = ()
    folder: str = ""
    metrics_open: bool = False
    origins: frozenset[str] = frozenset()
    membership: Membership | None = None
    prompts: OwnPrompts = NO_PROMPTS


def checked_host(host: str, needs_token: bool, *, is_safe: bool = False) -> frozenset[str] | None:
    """The names that a server on `host` answers to. Raises StartRefused for an open door to the network.

    Beyond loopback a token is needed for everything, and a browser does not send it along for a foreign page.
    `is_safe`: tokens do not travel in the clear there, or somebody has said that this is meant.
    """
    if is_loopback(host):
        return LOOPBACK_NAMES | {host}
    if not needs_token:
        remedy = "make one first: `switchgear tokens create NAME --role admin`, or stay on 127.0.0.1"
        raise StartRefused(
            f"without a token in the database the server listens on loopback only, not on {host}", remedy
        )
    if not is_safe:
        remedy = "give --tls-cert and --tls-key, or SWITCHGEAR_ALLOW_PLAIN_HTTP=1 where something in front does TLS"
        raise StartRefused(f"without TLS the server listens on loopback only, not on {host}", remedy)
    return None


def bound_socket(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises StartRefused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
        return listener
    except OSError as error:
        listener.close()
        raise StartRefused(f"{host}:{port} cannot be listened on: {error.strerror}", "take another --port") from error


async def serve_http(service: Service, at: Listening, announce: Callable[[str], None]) -> None:
    """Serves until the process is told to stop. `announce` gets the address when connections are accepted."""
    is_safe = all(at.tls) or at.allows_plain_http
    hosts = checked_host(at.host, service.authenticator.needs_token, is_safe=is_safe)
    application = build(
        service,
        hosts=hosts,
        rate_per_s=at.rate_per_s,
        at_once=most_at_once(),
        settings=at.settings,
        folder=at.folder,
        metrics_open=at.metrics_open,
        origins=at.origins,
        membership=at.membership,
        prompts=at.prompts,
    )
    listener = bound_socket(at.host, at.port)
    shown = f"[{at.host}]" if ":" in at.host else at.host
    server = http_server(application, service.engine.park, at.tls)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.handle_exit, number, None)
    memory.settle()
    announce(f"{'https' if all(at.tls) else 'http'}://{shown}:{listener.getsockname()[1]}")
    tidying = asyncio.create_task(memory.after_crowds(lambda: len(server.open)))
    try:
        await server.serve(sockets=[listener])
    finally:
        tidying.cancel()


class HttpServer(uvicorn.Server):
    """Leaves signals to whoever serves: uvicorn's own way would end the process before sessions are closed.

    `before_end` is awaited when the server was told to stop and its callers still wait.
    """

    def __init__(
        self, config: uvicorn.Config, before_end: Callable[[], Awaitable[None]], application: Application
    ) -> None:
        super().__init__(config)
        self._before_end = before_end
        self._known = application.known
        self._hub = application.hub
        self.open = Connections(most_files(), application.gate.unbegun)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but for the connections, which are bounded here (`connections`)."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise StartRefused("the application did not start", "see the lines of the log before this one")
        self.servers = [listen(self, each, self.lifespan.state, self.open, self._known) for each in sockets or []]  # type: ignore[misc]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.let_go()
        await self._before_end()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _at_once() -> None:
    pass


def http_server(
    application: Application,
    before_end: Callable[[], Awaitable[None]] = _at_once,
    tls: tuple[str, str] = ("", ""),
) -> HttpServer:
    """A server for the application, not started yet. Raises StartRefused for a certificate that cannot be used."""
    config = uvicorn.Config(
        application.asgi,
        ssl_certfile=tls[0] or None,
        ssl_keyfile=tls[1] or None,
        log_level="warning",
        access_log=False,
        log_config=None,  # what is logged goes where the rest goes, without secrets
        proxy_headers=False,  # nobody in front is trusted to say who the client is
        server_header=False,
        ws="none",
        reset_contextvars=True,  # a request begins in nobody else's context, whichever connection it comes on
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise StartRefused(
            f"the certificate {tls[0]} cannot be used: {error}", "give a PEM file and its key"
        ) from error
    return HttpServer(config, before_end, application)


async def serve_stdio(
    service: Service, local: Caller, membership: Membership | None = None, prompts: OwnPrompts = NO_PROMPTS
) -> None:
    """Serves one client over standard input and output, until it hangs up."""
    application = build(service, local=local, prompts=prompts)
    memory.settle()
    async with watching(service, membership):
        await application.mcp.run_stdio_async(show_banner=False)
