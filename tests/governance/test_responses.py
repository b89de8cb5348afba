"""Schemas of replies: kept by the operation's digest, on both databases."""

from governance.registry.responses import ResponseStore
from governance.storage.database import Database

ORDER = {"type": "object", "required": ["title"]}


async def test_schemas_come_back_by_the_operations_digest(database: Database) -> None:
    store = ResponseStore(database)
    await store.put({"sha256:1": {"200": ORDER, "2XX": True}, "sha256:2": {"201": {}}})
    assert await store.get("sha256:1") == {"200": ORDER, "2XX": True}
    assert await store.get("sha256:2") == {"201": {}}


async def test_of_an_operation_that_nobody_stored_nothing_is_known(database: Database) -> None:
    await ResponseStore(database).put({})
    assert await ResponseStore(database).get("sha256:1") == {}


async def test_what_is_stored_again_takes_the_place_of_what_was_there(database: Database) -> None:
    store = ResponseStore(database)
    await store.put({"sha256:1": {"200": ORDER}, "sha256:2": {"200": ORDER}})
    await store.put({"sha256:1": {"200": {}}})
    assert (await store.get("sha256:1"), await store.get("sha256:2")) == ({"200": {}}, {"200": ORDER})
