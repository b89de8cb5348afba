"""The commands `switchgear policy show|check|apply`. See docs/POLICY.md for the file that they take.

Each parses, calls one store, prints. A policy is put in force as a whole, by its file; there is no editing in place,
so that what is in force can be kept and reviewed like code. Here never lives a rule (`policy`) or a statement
(`policies`).
"""

from pathlib import Path

import click

from governance.approval.policies import PolicyStore
from governance.approval.policy import parse_policy
from governance.commands import shown
from governance.commands.options import actor_here, common, with_database

POLICY_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("policy")
def policy_group() -> None:
    """Say who decides on what, until when, and at which hours it may run."""


@policy_group.command("show")
@common
def policy_show(db: str | None, as_json: bool) -> None:
    """Show the policy in force; number 0 is the built-in one."""
    told = with_database(db, lambda d: PolicyStore(d).current()).to_json()
    if as_json:
        shown.as_json(told)
        return
    policy = told.pop("policy")
    classes = policy.pop("classes")
    shown.fields({**told, **policy})
    rows = [{"class": name, "windows": (), **rule} for name, rule in classes.items()]
    shown.table(rows, ("class", "approvals", "approval_days", "windows"))


@policy_group.command("check")
@click.argument("file", type=POLICY_FILE)
@common
def policy_check(file: Path, db: str | None, as_json: bool) -> int:
    """Say whether FILE is a policy, and whether it is the one in force; ends with 1 when it is not."""
    policy = parse_policy(file.read_bytes())
    is_same = policy.digest == with_database(db, lambda d: PolicyStore(d).current()).policy.digest
    if as_json:
        shown.as_json({"digest": policy.digest, "in_force": is_same})
    else:
        click.echo(f"{policy.digest} is {'' if is_same else 'not '}in force")
    return 0 if is_same else 1


@policy_group.command("apply")
@click.argument("file", type=POLICY_FILE)
@common
def policy_apply(file: Path, db: str | None, as_json: bool) -> None:
    """Put the policy in FILE in force. What was decided before stays as it was decided."""
    policy = parse_policy(file.read_bytes())
    applied, is_new = with_database(db, lambda d: PolicyStore(d).apply(policy, actor=actor_here()), makes=True)
    if as_json:
        shown.as_json({**applied.to_json(), "changed": is_new})
    else:
        click.echo(f"policy {applied.number}, {policy.digest}{'' if is_new else ', was in force already'}")
