"""A question of the command line to a hub's server, over its REST API.

Called by `commands.sites` and `simulating`. Here never lives how a site and its hub speak (`runtime.sites.edge`).
"""

from typing import Any

from runtime.driver.hub_client import HubClient
from runtime.errors import TargetError
from runtime.sites.edge import told_status

Json = Any
LIMIT_S = 600.0


async def asked(url: str, tls: str, token: str, method: str, path: str, body: Json) -> Json:
    """Raises TargetError, for a problem as well."""
    client = HubClient(url, tls)
    try:
        reply = await client.ask(method, path, body, token, LIMIT_S)
    finally:
        await client.aclose()
    if reply.status >= 400:
        remedy = reply.body.get("remedy", "") if isinstance(reply.body, dict) else ""
        told = "SWITCHGEAR_TOKEN holds a token of the hub" if reply.status == 401 else remedy
        raise TargetError(f"the hub: {told_status(reply.status, reply.body)}", told)
    return reply.body
