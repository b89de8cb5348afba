"""The commands `switchgear site …`: invite and join, look at sites, choose among them, have them do something.

`invite` writes to the hub's database; `join` writes the one file of a site; the others ask the hub's server, since
sites come to that process alone, with the token in SWITCHGEAR_TOKEN. Standard output is data. Here never lives a rule.
"""

import asyncio
import base64
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from governance.commands import shown
from governance.commands.options import actor_here, address_of, common, scope_of, scope_options
from governance.errors import InvalidError
from governance.registry.targets import TargetStore
from governance.settings import Settings
from governance.sites import SiteStore
from governance.storage.database import open_database
from governance.transitions import Role
from runtime.commands.serving import parsed_inputs

Json = Any
F = TypeVar("F", bound=Callable[..., Any])
LIMIT_S = 600.0
as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")
hub = click.option("--hub", "url", metavar="URL", help="The hub's server; default: SWITCHGEAR_HOST and _PORT.")
tls = click.option("--tls", default="verify", show_default=True, help="verify, ca:/path or pin:<sha256>.")


@click.group("site")
def site_group() -> None:
    """Join a hub as a site; as a hub, have sites do what is approved."""


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    if not all("=" in each for each in given):
        raise InvalidError("a label is NAME=VALUE", "for example region=north")
    return {name: value for name, _, value in (each.partition("=") for each in given)}


@site_group.command("invite")
@click.argument("name")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Of the site; people choose by them.")
@click.option(
    "--minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, show_default=True, help="How long it counts."
)
@common
def invite_command(name: str, labels: tuple[str, ...], minutes: int, db: str | None, as_json: bool) -> None:
    """Make an invitation for a site and show it, this once: whoever has it can join under this name, once."""
    from runtime.sites.hub import Hub

    async def work() -> tuple[str, str]:
        async with open_database(address_of(db)) as database:
            targets = TargetStore(database)
            signer = Hub(targets, Settings.read(os.environ).hub_key).signer()
            lasts = timedelta(minutes=minutes)
            store = SiteStore(database, targets)
            secret, until = await store.invite(name, labels=_pairs(labels).items(), lasts=lasts, actor=actor_here())
            return f"{name}.{secret}.{signer.name}", until

    invitation, until = asyncio.run(work())
    if as_json:
        shown.as_json({"name": name, "invitation": invitation, "until": until})
    else:
        shown.note(f"Invitation for {name}, shown this once, until {until}:")
        click.echo(invitation)


@site_group.command("join")
@click.argument("invitation")
@click.option("--hub", "url", required=True, metavar="URL", help="The hub's server.")
@click.option(
    "--file", type=click.Path(path_type=Path), default=Path("hub.json"), show_default=True, help="To be made."
)
@click.option("--role", type=click.Choice(["viewer", "operator"]), default="operator", show_default=True,
              help="What the hub's callers may do here at most.")  # fmt: skip
@click.option("--takes-bundles", is_flag=True, help="Bundles that the hub sends may be imported, by the keys here.")
@tls
@scope_options
@as_json
def join_command(
    invitation: str, url: str, file: Path, role: Role, takes_bundles: bool, tls: str, is_json: bool, **named: Any
) -> None:
    """Join a hub. Options that limit say what its callers reach here; then serve with SWITCHGEAR_HUB=FILE."""
    from runtime.sites.joining import JoiningTerms, join

    if file.exists():
        raise InvalidError(f"there is a file {file} already", "take another name, or remove it")
    membership = asyncio.run(join(invitation, url, tls, JoiningTerms(role, scope_of(named), takes_bundles)))
    membership.write(file)
    told = {"site": membership.site, "hub": url, "file": str(file), "role": role}
    shown.as_json(told) if is_json else shown.fields(told)
    shown.note(f"Next: SWITCHGEAR_HUB={file} switchgear serve")


@site_group.command("list")
@hub
@tls
@as_json
def list_command(url: str | None, tls: str, is_json: bool) -> None:
    """List the sites and how it stands with each."""
    sites = _asked("GET", "/sites", None, url, tls)
    if is_json:
        shown.as_json({"sites": sites})
    else:
        columns = ("name", "is_well", "why", "heard_of_s", "version", "running")
        shown.table(sites, columns)


def choosing(command: F) -> F:
    """The options by which sites are chosen."""
    options = (
        click.argument("workflow"),
        click.option("--site", "sites", multiple=True, help="Only this one; several times for several."),
        click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only sites that have it."),
        click.option("--target-label", "target_labels", multiple=True, metavar="NAME=VALUE",
                     help="Only where a device has it."),
        click.option("--prefer", multiple=True, metavar="NAME=VALUE|idle", help="First; the first counts most."),
        hub,
        tls,
        as_json,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def doing(command: F) -> F:
    """The options that say how it is done."""
    options = (
        click.argument("inputs", nargs=-1, metavar="[KEY=VALUE]..."),
        click.option("--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Sites at a time."),
        click.option("--stop-on-failure", "stop_on_failure", is_flag=True, help="Begin on no further site after one."),
        click.option("--plan", is_flag=True, help="Change nothing; show what would be sent."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@site_group.command("select")
@choosing
def select_command(url: str | None, tls: str, is_json: bool, **given: Any) -> None:
    """Say which sites can do WORKFLOW (by their own name for it), the best first, and why the others cannot."""
    told = _asked("POST", "/tools/select_sites", _choice(given), url, tls)
    if is_json:
        shown.as_json(told)
        return
    shown.table([{**each, "because": "; ".join(each["because"])} for each in told["sites"]], ("site", "because"))
    for each in told["left_out"]:
        shown.note(f"{each['site']}: {each['why']}")


@site_group.command("dispatch")
@choosing
@doing
def dispatch_command(url: str | None, tls: str, is_json: bool, **given: Any) -> int:
    """Have every site do WORKFLOW that can; a result for each. Exit code 4 where one did not succeed."""
    told = _asked("POST", "/tools/dispatch", _choice(given) | _how(given), url, tls)
    return _results(told, is_json=is_json, is_good=told["succeeded"] == told["of"] > 0)


@site_group.command("satisfy")
@choosing
@doing
@click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="On how many sites.")
def satisfy_command(url: str | None, tls: str, is_json: bool, count: int, **given: Any) -> int:
    """Have as many sites do WORKFLOW as are wanted: the next for each that surely has not. Else exit code 4."""
    told = _asked("POST", "/tools/satisfy", _choice(given) | _how(given) | {"count": count}, url, tls)
    return _results(told, is_json=is_json, is_good=told["satisfied"])


@site_group.command("send-bundle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "sites", multiple=True, help="Only this one; several times for several.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only sites that have it.")
@hub
@tls
@as_json
def send_bundle_command(
    file: Path, sites: tuple[str, ...], labels: tuple[str, ...], url: str | None, tls: str, is_json: bool
) -> int:
    """Have sites import a bundle, each by the keys that it trusts and by its own policy."""
    body = {"bundle": base64.b64encode(file.read_bytes()).decode(), "sites": list(sites), "labels": _pairs(labels)}
    told = _asked("POST", "/sites/bundles", body, url, tls)
    is_good = bool(told["results"]) and all(each["outcome"] == "imported" for each in told["results"])
    return _results(told, is_json=is_json, is_good=is_good)


@site_group.command("simulate")
@click.option("--sites", "count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="Their facts and devices follow from it.")
@click.option("--prefix", default="sim", show_default=True, help="Before their numbers.")
@click.option("--pause-s", type=click.FloatRange(0), default=0.0, show_default=True, help="How long each run takes.")
@hub
@tls
def simulate_command(count: int, seed: int, prefix: str, pause_s: float, url: str | None, tls: str) -> None:
    """Be many sites of a hub, for trying: nothing but memory is behind them. Ends with Ctrl-C."""
    from runtime.sites.simulating import simulate

    def announce(number: int) -> None:
        shown.note(f"{number} simulated sites have joined {url or _server()}; Ctrl-C ends them")

    token = Settings.read(os.environ).token
    asyncio.run(simulate(url or _server(), tls, token, count, seed, prefix, pause_s, announce))


def _choice(given: dict[str, Any]) -> dict[str, Json]:
    return {
        "workflow": given["workflow"],
        "sites": list(given["sites"]),
        "labels": _pairs(given["labels"]),
        "target_labels": _pairs(given["target_labels"]),
        "prefer": list(given["prefer"]),
    }


def _how(given: dict[str, Any]) -> dict[str, Json]:
    told = {name: given[name] for name in ("parallel", "stop_on_failure", "plan")}
    return {**told, "inputs": parsed_inputs(given["inputs"])}


def _results(told: Json, *, is_json: bool, is_good: bool) -> int:
    if is_json:
        click.echo(json.dumps(told))
    else:
        for each in told["results"]:
            run = f" (run {each['run_id']})" if each.get("run_id") else ""
            click.echo(shown.plain(f"{each['site']}: {each['outcome']}{run}"))
            click.echo(shown.plain(each["told"]), err=True, nl=bool(each["told"]))
        for each in told.get("left_out", ()):
            shown.note(f"{each['site']}: {each['why']}")
    return 0 if is_good else 4


def _server() -> str:
    settings = Settings.read(os.environ)
    return f"{'https' if settings.tls_cert else 'http'}://{settings.host}:{settings.port}"


def _asked(method: str, path: str, body: Json, url: str | None, tls: str) -> Json:
    """What the hub's server answers. Raises TargetError for a problem."""
    from runtime.sites.asking import asked

    return asyncio.run(asked(url or _server(), tls, Settings.read(os.environ).token, method, path, body))
