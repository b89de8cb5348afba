"""A question of the command line to a hub's server, over its REST API.

Called by `commands.sites`, `joining` and `simulating`. Here never lives how a site and its hub speak (`edge`).
"""

from typing import Any

from governance.errors import InvalidError
from runtime.driver.hub_client import HubClient
from runtime.errors import NotSent, Refused, TargetError
from runtime.sites.edge import told_status

Json = Any
LIMIT_S = 600.0


def hub_at(url: str, tls: str) -> HubClient:
    """Raises InvalidError for what is no address."""
    try:
        return HubClient(url, tls)
    except Refused as error:
        raise InvalidError(f"the hub's address {url!r} is not one", "give https://HOST[:PORT]") from error


async def asked(url: str, tls: str, token: str, method: str, path: str, body: Json) -> Json:
    """Raises InvalidError, and TargetError, for a problem as well."""
    client = hub_at(url, tls)
    try:
        reply = await client.ask(method, path, body, token, LIMIT_S)
    except NotSent as error:
        remedy = "start it with `switchgear serve`, or say where it is: --hub URL, SWITCHGEAR_HOST and SWITCHGEAR_PORT"
        raise TargetError(f"no hub answers at {url}: {error.message.removeprefix('the hub: ')}", remedy) from error
    finally:
        await client.aclose()
    if reply.status >= 400:
        remedy = reply.body.get("remedy", "") if isinstance(reply.body, dict) else ""
        told = "SWITCHGEAR_TOKEN holds a token of the hub" if reply.status == 401 else remedy
        raise TargetError(f"the hub: {told_status(reply.status, reply.body)}", told)
    return reply.body
