"""How a site joins: the invitation, the hub's key that it names, a key of the site's own; and one file that keeps it.

The hub has to show the very key whose fingerprint stands in the invitation, whatever the network says. The site's
private key never leaves this machine. Called by `site join` and `site simulate`.
"""

from dataclasses import dataclass

from governance.errors import InvalidError, RefusedError
from governance.people.scopes import WHOLE, AccessScope
from governance.transitions import Role
from runtime.errors import TargetError
from runtime.sites.asking import hub_at
from runtime.sites.edge import JOIN, LIMIT_S, told_status
from runtime.sites.membership import MOST, Membership
from runtime.sites.statements import Signer, fingerprint


@dataclass(frozen=True, slots=True)
class JoiningTerms:
    """What whoever comes by the hub may do here at most."""

    role: Role = MOST
    scope: AccessScope = WHOLE
    takes_bundles: bool = False


async def join(invitation: str, url: str, tls: str, terms: JoiningTerms) -> Membership:
    """Raises InvalidError for what is no invitation, RefusedError where it is not taken, TargetError."""
    name, _, rest = invitation.strip().partition(".")
    secret, _, hub = rest.rpartition(".")
    if not (name and secret and hub):
        raise InvalidError("this is no invitation", "`switchgear site invite` at the hub makes one")
    signer, client = Signer.new(), hub_at(url, tls)
    try:
        body = {"name": name, "secret": secret, "key": signer.public}
        reply = await client.ask("POST", JOIN, body, "", LIMIT_S)
    finally:
        await client.aclose()
    if reply.status == 401:
        raise RefusedError("the hub knows no such invitation, or not any more", "ask an admin of the hub for another")
    if reply.status != 200 or not isinstance(reply.body, dict):
        raise TargetError(f"the hub cannot be joined: {told_status(reply.status, reply.body)}", "see docs/SITES.md")
    hub_key = str(reply.body.get("hub_key"))
    if fingerprint(hub_key) != hub:
        raise RefusedError(
            "who answers is not the hub that the invitation names", "check the address, and who is between"
        )
    return Membership(url, hub_key, tls, name, signer.private_text(), terms.role, terms.scope, terms.takes_bundles)
