"""`switchgear bundle …`: export, sign, verify, import, list, and the keys whose signatures count.

Each parses, calls one function, prints and answers its exit code: 0 done, 1 refused (signature, version, expiry,
owner), 2 usage, 3 not a bundle or not a key. Whose keys count, and how many it takes, is said here alone: over HTTP
bundles come in by these. Here never lives a rule.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.bundles import keys
from governance.bundles.exporting import ExportOrder, export, sign
from governance.bundles.importing import BundleStore, ImportVerdict
from governance.bundles.trust import TrustedKey, TrustStore
from governance.commands import shown
from governance.commands.options import actor_here, common, with_database
from governance.errors import InvalidError
from governance.settings import Settings
from governance.storage.identifiers import moment, utc_now

F = TypeVar("F", bound=Callable[..., Any])

DAYS = 90
"""A quarter: machines that nobody visits more often get a longer one by --days, on purpose."""
FILE = click.Path(dir_okay=False, path_type=Path)
KEY_COLUMNS = ("name", "id", "trusted_at", "trusted_by", "revoked_at")


@click.group("bundle")
def bundle_group() -> None:
    """Carry what is approved, signed in one file, to machines that no network reaches."""


def _signing(command: F) -> F:
    passphrase = click.option("--passphrase-file", type=FILE, help="Else: SWITCHGEAR_BUNDLE_PASSPHRASE.")
    return passphrase(command)


def _passphrase(path: Path | None) -> str:
    return path.read_text(encoding="utf-8").rstrip("\r\n") if path else Settings.read(os.environ).bundle_passphrase


def _moment(text: str | None) -> str:
    """The UTC text of what was typed; now without it. Raises InvalidError."""
    if text is None:
        return moment(utc_now())
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidError(f"{text!r} is no moment", "give one like 2026-11-20T10:00:00Z") from error
    return moment(given if given.tzinfo else given.replace(tzinfo=UTC))


@bundle_group.command("export")
@click.argument("file", type=FILE)
@click.option("--name", required=True, help="What it is called at every machine that gets it.")
@click.option("--version", required=True, type=click.IntRange(1), help="Higher than every one before.")
@click.option("--api", "apis", multiple=True, help="Only this API's; can be given again.")
@click.option("--key", "key_files", type=FILE, multiple=True, required=True, help="A private key; can be given again.")
@click.option("--days", type=click.IntRange(1, 3650), default=DAYS, show_default=True, help="How long to import it.")
@click.option("--at", help="The moment that it says it was made; default: now.")
@_signing
@common
def bundle_export(
    file: Path, name: str, version: int, apis: tuple[str, ...], key_files: tuple[Path, ...], days: int, at: str | None,
    passphrase_file: Path | None, db: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write all that is approved, with its profiles, to FILE, and sign it."""
    order = ExportOrder(name, version, apis, _moment(at), days)
    signers = _private_keys(key_files, passphrase_file)
    manifest = with_database(db, lambda d: export(d, order, signers, file, actor=actor_here()))
    told = manifest.model_dump(mode="json") | {"digest": manifest.digest, "file": str(file)}
    if as_json:
        shown.as_json(told)
    else:
        shown.fields({key: told[key] for key in ("file", "name", "version", "expires_at", "revisions", "catalog")})


def _private_keys(files: tuple[Path, ...], passphrase_file: Path | None) -> list[Ed25519PrivateKey]:
    passphrase = _passphrase(passphrase_file)
    return [keys.read_private_key(file, passphrase) for file in files]


@bundle_group.command("sign")
@click.argument("file", type=FILE)
@click.option("--key", "key_file", type=FILE, required=True, help="A private key.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_signing
def bundle_sign(file: Path, key_file: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Add a signature to FILE, where a bundle needs more than one person."""
    signed_by = sign(file, keys.read_private_key(key_file, _passphrase(passphrase_file)))
    if as_json:
        shown.as_json({"file": str(file), "signed_by": signed_by})
    else:
        click.echo(f"{len(signed_by)} signatures")


@bundle_group.command("verify")
@click.argument("file", type=FILE)
@common
def bundle_verify(file: Path, db: str | None, as_json: bool) -> None:
    """Say whether FILE would be imported here, and what it would change. Changes nothing."""
    _show(with_database(db, lambda d: BundleStore(d).verify(file)), as_json)


@bundle_group.command("import")
@click.argument("file", type=FILE)
@common
def bundle_import(file: Path, db: str | None, as_json: bool) -> None:
    """Make what FILE holds the workflows of its APIs, approved as far as the policy here is content, or not at all."""
    brought = with_database(db, lambda d: BundleStore(d).bring_in(file, actor=actor_here(), role="admin"), makes=True)
    _show(brought, as_json)


def _show(verdict: ImportVerdict, as_json: bool) -> None:
    told = verdict.to_json()
    if as_json:
        shown.as_json(told)
        return
    signed_by = ", ".join(key.name for key in verdict.signers)
    shown.fields({**told, "apis": ", ".join(told["apis"]), "signed_by": signed_by})
    if verdict.waiting:
        shown.note("What is pending takes approvals here: `switchgear workflows list --state pending`")


@bundle_group.command("list")
@common
def bundle_list(db: str | None, as_json: bool) -> None:
    """List the bundles that were imported."""
    found = with_database(db, lambda d: BundleStore(d).list_bundles())
    if as_json:
        shown.as_json({"bundles": found})
    else:
        shown.table(found, ("name", "version", "apis", "imported_at", "imported_by", "expires_at"))


@bundle_group.group("keys")
def keys_group() -> None:
    """Make keys that sign bundles, and say whose signatures count here."""


@keys_group.command("generate")
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_signing
def keys_generate(file: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Make a key: the private one in FILE, which only you may read, the public one in FILE.pub."""
    made = keys.generate(file, _passphrase(passphrase_file))
    if as_json:
        shown.as_json({"id": made.id, "private_key": str(file), "public_key": f"{file}.pub"})
    else:
        shown.fields({"id": made.id, "private_key": str(file), "public_key": f"{file}.pub"})


@keys_group.command("list")
@common
def keys_list(db: str | None, as_json: bool) -> None:
    """List the keys that were trusted here, and how many signatures a bundle needs."""
    trust = with_database(db, lambda d: TrustStore(d).look())
    rows = [key.to_json() for key in trust.keys]
    if as_json:
        shown.as_json({"keys": rows, "threshold": trust.threshold})
        return
    shown.table(rows, KEY_COLUMNS)
    shown.note(f"signatures needed: {trust.threshold}")


@keys_group.command("trust")
@click.argument("file", type=FILE)
@click.option("--name", required=True, help="Whose key it is.")
@common
def keys_trust(file: Path, name: str, db: str | None, as_json: bool) -> None:
    """Trust the public key in FILE: its signatures count here from now on."""
    public = keys.read_public_key(file)
    trusted = with_database(
        db, lambda d: TrustStore(d).trust(public, name, actor=actor_here(), role="admin"), makes=True
    )
    _show_key(trusted, as_json)


@keys_group.command("revoke")
@click.argument("ref")
@common
def keys_revoke(ref: str, db: str | None, as_json: bool) -> None:
    """End the trust in the key of this name or id, for good."""
    _show_key(with_database(db, lambda d: TrustStore(d).revoke(ref, actor=actor_here(), role="admin")), as_json)


def _show_key(key: TrustedKey, as_json: bool) -> None:
    if as_json:
        shown.as_json(key.to_json())
    else:
        shown.fields({column: key.to_json()[column] for column in KEY_COLUMNS})


@keys_group.command("require")
@click.argument("signatures", type=click.IntRange(1))
@common
def keys_require(signatures: int, db: str | None, as_json: bool) -> None:
    """Set how many trusted keys must have signed a bundle; 1 unless set."""
    trust = with_database(db, lambda d: TrustStore(d).require(signatures, actor=actor_here(), role="admin"), makes=True)
    if as_json:
        shown.as_json({"threshold": trust.threshold})
    else:
        click.echo(f"signatures needed: {trust.threshold}")
