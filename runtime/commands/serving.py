"""The runtime's commands: serve, call, client-config, doctor. Each parses, calls one function, says what came of it.

Standard output is data, standard error is for people. Errors leave as exceptions with an exit code and a remedy and
are rendered in one place, `switchgear/main.py`. What is heavy is imported when a command runs, not when it is listed.
"""

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from governance.commands.completing import complete
from governance.errors import GovernanceError
from governance.settings import Settings, in_use
from governance.storage.identifiers import moment, utc_now
from runtime.commands.client_config import CLIENTS, printed_for
from runtime.commands.ending import run_to_its_end
from runtime.errors import BadInput, ServingError, StartRefused
from runtime.secrets import JsonFormatter, RedactingFormatter, Vault

if TYPE_CHECKING:
    from runtime.auth.jwt_issuers import JwtIssuer
    from runtime.service import Service
    from runtime.sites.membership import Membership

Json = Any
T = TypeVar("T")
as_json = click.option("--json", "is_json", is_flag=True, help="Machine-readable output.")
PEM = click.Path(exists=True, dir_okay=False)
database = click.option("--db", "db", metavar="URL", help="The database; else SWITCHGEAR_DATABASE_URL, else your own.")


def _settings() -> Settings:
    return Settings.read(os.environ)


# Below warning these tell arguments and headers.
CHATTY = ("mcp", "fastmcp", "httpcore", "sse_starlette")


@click.command("serve")
@click.option(
    "--transport", type=click.Choice(["http", "stdio"]), default="http", show_default=True,
    help="stdio is for a client that starts the server itself.",
)  # fmt: skip
@click.option("--host", help="Address to listen on; else SWITCHGEAR_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one. Else SWITCHGEAR_PORT.")
@click.option("--tls-cert", type=PEM, help="The server's certificate, PEM; else SWITCHGEAR_TLS_CERT.")
@click.option("--tls-key", type=PEM, help="Its private key, PEM; else SWITCHGEAR_TLS_KEY.")
@database
@as_json
def serve_command(transport: str, db: str | None, is_json: bool, **place: Any) -> None:
    """Serve approved workflows: MCP at /mcp, the REST API beside it."""
    gc.disable()  # until all is loaded, which takes a tenth less time so (`memory.settle`)
    # DBOS loads it in a thread, at the first change: meanwhile any other thread's query would fail.
    import sqlalchemy.orm  # noqa: F401

    from runtime.observing.exporting import exporting

    settings = _settings()
    vault = Vault()
    _log_to_stderr(settings.log_level, vault, settings.log_format)
    url = db or settings.database
    with exporting(os.environ, reaches_devices=settings.trace_devices):
        if transport == "stdio":
            run_to_its_end(_stdio(url, vault, settings))
        else:
            asyncio.run(_http(url, vault, settings, {**place, "database_url": db}, is_json))


def _opened(url: str, vault: Vault, settings: Settings, hub_key: str = "") -> "AbstractAsyncContextManager[Service]":
    """What both transports serve, as the settings say; sites come over HTTP alone."""
    from runtime.background.scheduling import scheduled_risks
    from runtime.calls.confirmation import Confirmation
    from runtime.catalog.listing import UNBOUNDED, Budget
    from runtime.engines.conformance import policy_of
    from runtime.proposing import Terms
    from runtime.service import ServiceOptions, open_service

    return open_service(
        url,
        vault,
        ServiceOptions(
            sessions=(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)),
            company=_company(settings.jwt) if settings.jwt else None,
            budget=UNBOUNDED if settings.catalog == "all" else Budget(*_room(settings)),
            keep_days=settings.keep_runs_days,
            call_wait_s=settings.call_wait_s,
            confirmation=Confirmation.of(settings),
            scheduled=scheduled_risks(settings),
            responses=policy_of(settings),
            proposing=Terms(settings.proposals, settings.proposer, settings.library),
            hub_key=hub_key,
        ),
    )


def _room(settings: Settings) -> tuple[int, int]:
    """Tools and tokens for workflows: where one may be asked for, the tool that takes it costs its part."""
    from runtime.mcp.proposing import TOKENS

    taken = (1, TOKENS) if settings.proposals else (0, 0)
    return settings.catalog_tools - taken[0], settings.catalog_tokens - taken[1]


def _company(file: str) -> "JwtIssuer":
    """The company whose logins are taken, as the file says."""
    from runtime.auth.jwt_issuers import JwtIssuer, read_trust

    return JwtIssuer(read_trust(Path(file)))


def _membership(file: str) -> "Membership | None":
    """The hub whose site this is, as the file says."""
    from runtime.sites.membership import read_membership

    return read_membership(Path(file)) if file else None


async def _http(url: str, vault: Vault, settings: Settings, place: dict[str, Any], is_json: bool) -> None:
    from runtime.app import Listening, serve_http
    from runtime.auth.cors import origins_in
    from runtime.mcp.own_prompts import read_prompts
    from runtime.sites.charge import HubCharge

    def announce(address: str) -> None:
        if is_json:
            click.echo(json.dumps({"url": address, "mcp": f"{address}/mcp"}))
        served = service.live.now
        count = f"{len(served.entries)} workflows"
        some = f", {len(served.listed)} of them as tools of their own," if served.hides_some else ""
        click.echo(f"Switchgear serves {count}{some} on {address} (MCP: {address}/mcp)", err=True)

    prompts = read_prompts(settings.prompts)
    async with _opened(url, vault, settings, settings.hub_key) as service:
        await HubCharge(service.hub, service.locks).take()
        at = Listening(
            host=place["host"] or settings.host,
            port=settings.port if place["port"] is None else place["port"],
            tls=(place["tls_cert"] or settings.tls_cert, place["tls_key"] or settings.tls_key),
            allows_plain_http=settings.allow_plain_http,
            rate_per_s=settings.rate_per_s,
            settings=in_use(os.environ, place),
            folder=settings.library,
            metrics_open=settings.metrics_open,
            origins=origins_in(settings.cors_origins),
            membership=_membership(settings.hub),
            prompts=prompts,
        )
        await serve_http(service, at, announce)
        await _tell_end(service)


async def _tell_end(service: "Service") -> None:
    """Says what goes on, now that nothing is served any more."""
    with suppress(GovernanceError):  # a database that does not answer was told by the log
        under_way, _ = await service.open_runs.counts()
        told = (
            "No run was under way."
            if not under_way
            else (
                f"{under_way} runs have not ended: the next server on this database goes on with them "
                "(`switchgear runs list`, `switchgear runs cancel RUN`)."
            )
        )
        click.echo(f"Stopped. {told}", err=True)


async def _stdio(url: str, vault: Vault, settings: Settings) -> None:
    from runtime.app import serve_stdio
    from runtime.caller import Caller
    from runtime.mcp.own_prompts import read_prompts

    prompts = read_prompts(settings.prompts)
    async with _opened(url, vault, settings) as service:
        # Whoever starts this process can read the database file: without a token it is the operator on this machine.
        caller = await service.authenticator.caller(settings.token) if settings.token else Caller("stdio", "operator")
        if caller is None:
            raise StartRefused("SWITCHGEAR_TOKEN holds no valid token", "correct it, or take it out of the environment")
        await serve_stdio(service, caller, _membership(settings.hub), prompts)


@click.command("call")
@click.argument("workflow", shell_complete=complete("workflow"))
@click.argument("inputs", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--target", shell_complete=complete("target"), help="The device to act on, where there are several.")
@click.option("--plan", "is_plan", is_flag=True, help="Change nothing; show the requests that would be sent.")
@click.option("--plan-id", default="", help="Carry out this plan, given the same inputs.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="On all targets that have it.")
@click.option("--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Targets at a time.")
@click.option("--stop-on-failure", "stops", is_flag=True, help="Begin on no further target after a failure.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Do not ask before something is interrupted or destroyed.")
@database
@as_json
def call_command(
    workflow: str,
    inputs: tuple[str, ...],
    target: str | None,
    is_plan: bool,
    plan_id: str,
    is_confirmed: bool,
    labels: tuple[str, ...],
    parallel: int,
    stops: bool,
    db: str | None,
    is_json: bool,
) -> int:
    """Run an approved workflow once, here, and print its outputs. VALUE may be JSON."""
    from runtime.call_options import CallOptions
    from runtime.calls.selection import Selection
    from runtime.commands.calling import ask_on_terminal, call_on_selection, call_once, printed, printed_results

    settings, options = _settings(), CallOptions(is_plan, plan_id, is_confirmed)
    parsed_inputs(inputs)  # what cannot be read is told before anything is opened
    if labels:
        selection = Selection(parsed_labels(labels, target), parallel, stops)
        results = _told_if_interrupted(db, call_on_selection(settings, db, workflow, inputs, selection, options))
        return printed_results(results, options, is_json=is_json)
    ask = ask_on_terminal if sys.stdin.isatty() and not is_json else None
    report = _told_if_interrupted(db, call_once(settings, db, workflow, inputs, target, options, ask))
    return printed(report, options, is_json=is_json)


def _told_if_interrupted(db: str | None, call: Coroutine[Any, Any, T]) -> T:
    """What the call gives; after Ctrl-C what became of the runs that it began is told."""
    from runtime.commands.calling import tell_of_runs

    began = utc_now()
    try:
        return run_to_its_end(call)
    except KeyboardInterrupt:
        tell_of_runs(db, moment(began))
        raise


def parsed_inputs(pairs: Sequence[str]) -> dict[str, Json]:
    """`KEY=VALUE` pairs as inputs; a value that is JSON is taken as such. Raises BadInput."""
    inputs: dict[str, Json] = {}
    for pair in pairs:
        key, mark, text = pair.partition("=")
        if not mark or not key:
            raise BadInput(f"{pair!r} is not KEY=VALUE", remedy="write the name of an input, =, and its value")
        if key in inputs:
            raise BadInput(f"the input {key} is given twice", f"/{key}", "give it once")
        try:
            inputs[key] = json.loads(text)
        except ValueError:
            inputs[key] = text
    return inputs


def parsed_labels(pairs: tuple[str, ...], target: str | None) -> dict[str, str]:
    """`NAME=VALUE` pairs as labels. Raises BadInput, also where a target is named besides."""
    split = [pair.partition("=") for pair in pairs]
    if target is not None or not all(name and mark for name, mark, _ in split):
        raise BadInput("targets are chosen by --target or by --label NAME=VALUE", remedy="give one of the two")
    return {name: value for name, _, value in split}


@click.command("client-config")
@click.argument("client", type=click.Choice(sorted(CLIENTS)))
@click.option("--url", help="Where the server is reached; else from SWITCHGEAR_HOST and SWITCHGEAR_PORT.")
@click.option("--stdio", "is_started", is_flag=True, help="Have the client start the server itself.")
@database
@as_json
def client_config_command(client: str, url: str | None, is_started: bool, db: str | None, is_json: bool) -> None:
    """Print what a client's configuration needs to reach this server."""
    settings = _settings()
    address = url or f"http://{settings.host}:{settings.port}"
    lines = printed_for(client, address, db or settings.database, is_started=is_started)
    click.echo(json.dumps(lines, indent=None if is_json else 2))


@click.command("doctor")
@database
@as_json
def doctor_command(db: str | None, is_json: bool) -> int:
    """Look for what is wrong with this installation, its database and its targets."""
    from runtime.commands.doctor import examine

    findings = asyncio.run(examine(db or _settings().database))
    if is_json:
        click.echo(json.dumps([finding.to_json() for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.is_good else 'look'}  {finding.subject}: {finding.message}")
    return 0 if all(finding.is_good for finding in findings) else 1


def _log_to_stderr(level: str, vault: Vault, form: str = "text") -> None:
    """Everything that is logged goes to standard error: standard output belongs to data, with stdio to the protocol."""
    from runtime.observing.lines import quiet
    from runtime.observing.summing import SummedHandler
    from runtime.observing.unblocked import Unblocked

    if level.upper() not in logging.getLevelNamesMapping():
        raise ServingError(f"there is no log level {level!r}", "take debug, info, warning or error")
    handler = SummedHandler(Unblocked(sys.stderr))
    plain = RedactingFormatter(vault, "%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter(vault) if form == "json" else plain)
    logging.basicConfig(handlers=[handler], level=level.upper())
    quiet(is_json=form == "json", level=level)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
