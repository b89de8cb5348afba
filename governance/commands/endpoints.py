"""`switchgear webhooks endpoints …` and `dead …`: who is told of events, and what could not be told.

Each parses, calls one store, prints. A secret is made here where it is asked for: written into a file that only its
owner reads, shown once, and kept as a reference to that file. See docs/EVENTS.md for what is sent.
"""

import base64
import os
import secrets
from pathlib import Path
from typing import Any

import click

from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.errors import ConflictError, InvalidError
from governance.events.deliveries import DeliveryStore
from governance.events.endpoints import Endpoint, EndpointStore
from governance.events.outbox import KINDS
from governance.storage.database import Database

SECRET_BYTES = 32
LISTED = ("name", "url", "kinds", "apis", "tls", "secret_ref", "disabled_why")


@click.group("endpoints")
def endpoints_group() -> None:
    """Keep who is told of events."""


@endpoints_group.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--secret-ref", help="env:NAME or file:/path of its secret (whsec_…), for the server.")
@click.option("--new-secret", type=click.Path(dir_okay=False, path_type=Path), help="Makes the secret, into this file.")
@click.option(
    "--event", "kinds", metavar="KIND", multiple=True, type=click.Choice(KINDS),
    help=f"Tell of this only; repeatable: {', '.join(KINDS)}.",
)  # fmt: skip
@click.option("--api", "apis", multiple=True, help="Tell of this API only.")
@click.option("--tls", default="verify", show_default=True, help="verify, ca:<file> or pin:<sha256>.")
@click.option("--allow-http", is_flag=True, help="Plain HTTP beyond this machine is meant.")
@common
def endpoints_add(
    name: str, url: str, secret_ref: str | None, new_secret: Path | None, db: str | None, as_json: bool, **more: Any
) -> None:
    """Send events to URL, signed."""
    if (secret_ref is None) is (new_secret is None):
        raise InvalidError("an endpoint has one secret", "give --secret-ref or --new-secret")
    allow_http = more.pop("allow_http")
    wish = Endpoint(name, url, secret_ref or f"file:{new_secret and new_secret.absolute()}", **more)
    secret = {"secret": _new_secret(new_secret)} if new_secret else {}
    made = _add(db, wish, allow_http, new_secret)
    (shown.as_json if as_json else shown.fields)({**made.to_json(), **secret})


def _add(db: str | None, wish: Endpoint, allow_http: bool, new_secret: Path | None) -> Endpoint:
    """Stores it; what cannot be stored leaves no secret behind."""
    try:
        return with_database(
            db, lambda d: EndpointStore(d).add(wish, actor=actor_here(), allow_http=allow_http), makes=True
        )
    except BaseException:
        if new_secret:
            new_secret.unlink()
        raise


def _new_secret(path: Path) -> str:
    """A fresh secret, in a new file. Raises ConflictError if there is one."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConflictError(f"there is a file {path} already", f"use it: --secret-ref file:{path}") from error
    with os.fdopen(handle, "w") as file:
        file.write(secret + "\n")
    return secret


@endpoints_group.command("list")
@common
def endpoints_list(db: str | None, as_json: bool) -> int:
    """List them; of a secret only where it is found. Ends with 1 when one is not as the audit says."""
    found, faults = with_database(db, _survey)
    return shown.held("endpoints", [each.to_json() for each in found], LISTED, faults, as_json=as_json)


async def _survey(database: Database) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    store = EndpointStore(database)
    return await store.list_endpoints(), await store.faults()


@endpoints_group.command("remove")
@click.argument("name")
@common
def endpoints_remove(name: str, db: str | None, as_json: bool) -> None:
    """Send nothing there any more, and drop what waits."""
    with_database(db, lambda d: EndpointStore(d).remove(name, actor=actor_here()))
    if as_json:
        shown.as_json({"removed": name})


@endpoints_group.command("enable")
@click.argument("name")
@common
def endpoints_enable(name: str, db: str | None, as_json: bool) -> None:
    """Tell an endpoint again that had answered that it wants no more."""
    made = with_database(db, lambda d: EndpointStore(d).enable(name, actor=actor_here()))
    if as_json:
        shown.as_json(made.to_json())


@click.group("dead")
def dead_group() -> None:
    """Look after events that could not be told."""


@dead_group.command("list")
@click.option("--endpoint", help="Of this one only.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@common
def dead_list(endpoint: str | None, limit: int, db: str | None, as_json: bool) -> None:
    """List them, oldest first, with why the last try failed."""
    found = with_database(db, lambda d: DeliveryStore(d).dead(endpoint=endpoint, limit=limit))
    rows = [each.to_json() for each in found]
    if as_json:
        shown.as_json({"dead": rows})
    else:
        shown.table(rows, ("id", "endpoint", "kind", "made_at", "tries", "error"))


@dead_group.command("resend")
@click.argument("letters", nargs=-1, required=True, metavar="ID...")
@common
def dead_resend(letters: tuple[str, ...], db: str | None, as_json: bool) -> None:
    """Send these again, with all their tries; a server that runs does it within a second."""
    for letter in letters:
        with_database(db, lambda d, one=letter: DeliveryStore(d).resend(one, actor=actor_here()))  # type: ignore[misc]
    if as_json:
        shown.as_json({"resent": list(letters)})
