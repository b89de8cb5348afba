"""Bundles on their way to sites: the same dispatch, with a file in the place of inputs.

What a bundle may bring is decided at the site alone: by the signatures that it trusts, by its policy, and by whether
its membership lets bundles come this way at all. Each sending is in the audit before it leaves. Called by `api.sites`.
"""

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from governance.storage.identifiers import new_id
from runtime.caller import Caller
from runtime.driver.behalf import Behalf
from runtime.driver.exchange import Flight
from runtime.driver.site_connections import Asked
from runtime.errors import FateUnknown, TargetError

if TYPE_CHECKING:
    from runtime.service import Service

Json = Any
# No workflow's name has a colon.
BUNDLE = "bundle:import"
AT_ONCE = 8
WAITS_S = 45.0


class SentBundle(BaseModel):
    """`unknown`: it was handed over, and no answer has come yet; importing again what is there changes nothing."""

    site: str
    outcome: Literal["imported", "refused", "not sent", "unknown"]
    told: str


async def send_bundle(service: "Service", sites: Sequence[str], data: bytes, caller: Caller) -> tuple[SentBundle, ...]:
    """A result for each site, in order. Raises GovernanceError where nothing can be recorded."""
    digest = hashlib.sha256(data).hexdigest()
    inputs = {"bundle": base64.b64encode(data).decode()}
    places = asyncio.Semaphore(AT_ONCE)

    async def to(site: str) -> SentBundle:
        async with places:
            await service.audit.append(caller.name, "site.bundle_sent", f"site:{site}", {"sha256": digest})
            behalf = Behalf(caller.name, caller.role, new_id())
            return await _sent(service, site, Asked(BUNDLE, digest, inputs, behalf))

    return tuple(await asyncio.gather(*map(to, sites)))


async def _sent(service: "Service", site: str, asked: Asked) -> SentBundle:
    flight = Flight()
    try:
        async with asyncio.timeout(WAITS_S):
            answer = await service.hub.send(site, asked, flight)
    except TimeoutError:
        outcome: Any = "unknown" if flight.may_have_left else "not sent"
        return SentBundle(site=site, outcome=outcome, told=f"no answer came in {WAITS_S:g} s")
    except TargetError as error:
        outcome = "unknown" if isinstance(error, FateUnknown) else "not sent"
        return SentBundle(site=site, outcome=outcome, told=error.message)
    outcome = "imported" if answer.get("outcome") == "succeeded" else "refused"
    return SentBundle(site=site, outcome=outcome, told=str(answer.get("message", "")))
