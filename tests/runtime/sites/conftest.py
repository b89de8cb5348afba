"""A hub that serves, a site that is a real installation, and three sites to choose among."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runtime.engines.dbos_process import beside
from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.runtime.sites.houses import READ, SET, Hub, hub_at


@pytest.fixture
async def hub(migrated_url: str, tmp_path: Path, tools: Any, witness: Any) -> AsyncIterator[Hub]:
    async with hub_at(migrated_url, tmp_path / "hub.key", tools, witness) as made:
        yield made


@pytest.fixture
async def bare_site(migrated: Path, tmp_path: Path, tools: Any) -> AsyncIterator[Any]:
    """A real installation beside the hub's, with nothing in it."""
    place = tmp_path / "site" / "site.db"
    place.parent.mkdir()
    for made, wanted in ((migrated, place), (beside(migrated), beside(place))):
        wanted.touch(mode=0o600)
        shutil.copyfile(made, wanted)
    url = f"sqlite+aiosqlite:///{place}"
    async with open_service(url, Vault({}), ServiceOptions(confirmation=tools.ASKS_NOBODY)) as service:
        yield tools.House(url, service)


@pytest.fixture
async def site_house(tools: Any, device: Any, bare_site: Any) -> Any:
    """The same, with a device."""
    house = await tools.furnished(bare_site.url, bare_site.service)
    await house.target(device.url)
    for each in ("find", "stop"):
        await house.approve(each)
    await house.service.live.reload()
    return house


@pytest.fixture
async def three(hub: Hub) -> Hub:
    for name, region in (("oslo", "north"), ("rome", "south"), ("york", "north")):
        await hub.join(name, region=region)
        await hub.approve(name, READ, SET)
    return hub
