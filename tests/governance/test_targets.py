"""Targets: addresses and references are checked, secrets are not taken, one default an API."""

from dataclasses import replace

import pytest

from governance.audit.log import AuditLog
from governance.errors import ConflictError, InvalidError, NotFoundError
from governance.registry.targets import Target, TargetStore
from governance.storage.database import Database

LAB = Target("lab", "hypercore", "https://10.0.0.5/rest/v1/", "live", "env:HC_USER", "file:/run/secrets/hc")
PIN = ":".join(["AB"] * 32)


@pytest.fixture
def targets(database: Database) -> TargetStore:
    return TargetStore(database)


async def test_a_target_comes_back_in_its_stored_form(targets: TargetStore) -> None:
    stored = await targets.add(replace(LAB, tls=f"pin:{PIN}"))
    assert await targets.get("lab") == stored
    assert (stored.base_url, stored.tls) == ("https://10.0.0.5/rest/v1", "pin:" + "ab" * 32)


async def test_the_first_target_of_an_api_is_its_default_until_another_is(targets: TargetStore) -> None:
    await targets.add(LAB)
    await targets.add(replace(LAB, name="second"))
    assert (await targets.default_for("hypercore")).name == "lab"
    await targets.add(replace(LAB, name="third", is_default=True))
    assert (await targets.default_for("hypercore")).name == "third"
    assert [target.name for target in await targets.list_targets("hypercore") if target.is_default] == ["third"]
    with pytest.raises(NotFoundError):
        await targets.default_for("idrac")


async def test_a_name_is_taken_once_and_free_after_removal(targets: TargetStore) -> None:
    await targets.add(LAB)
    with pytest.raises(ConflictError):
        await targets.add(LAB)
    await targets.remove("lab")
    assert await targets.list_targets() == ()
    with pytest.raises(NotFoundError):
        await targets.remove("lab")
    await targets.add(LAB)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Lab 1"},
        {"api": "8\U0001f3fbb"},
        {"api": "Hyper Core"},
        {"mode": "real"},
        {"responses": "ignore"},
        {"base_url": "10.0.0.5"},
        {"base_url": "ftp://10.0.0.5"},
        {"base_url": "https://"},
        {"base_url": "https://admin:pw@10.0.0.5"},
        {"base_url": "https://10.0.0.5/?next=x"},
        {"base_url": "https://10.0.0.5/#x"},
        {"base_url": "https://10.0.0.5:99999"},
        {"base_url": "https://bmc..lab"},
        {"base_url": f"https://{'x' * 64}.lab"},
        {"base_url": "https://10.0.0.5/\r\nX: y"},
        {"base_url": "http://10.0.0.5"},
        {"tls": "none"},
        {"tls": "pin:abcd"},
        {"tls": "ca:"},
    ],
)
async def test_what_does_not_fit_is_refused(targets: TargetStore, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidError):
        await targets.add(replace(LAB, **changes))  # type: ignore[arg-type]
    assert await targets.list_targets() == ()


@pytest.mark.parametrize("field", ["username_ref", "password_ref", "token_ref"])
@pytest.mark.parametrize("value", ["hunter2", "env:", "env:A B", "file:relative", "keyring:x", "ENV:A", ""])
async def test_a_secret_given_instead_of_a_reference_is_refused_and_not_repeated(
    database: Database, targets: TargetStore, field: str, value: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        await targets.add(replace(LAB, **{field: value}))  # type: ignore[arg-type]
    assert "hunter2" not in str(refused.value) + refused.value.remedy
    assert await AuditLog(database).last() == ()


@pytest.mark.parametrize("address", ["http://127.0.0.1:4010", "http://[::1]:4010", "http://localhost:4010"])
async def test_a_live_target_in_the_clear_is_taken_on_loopback_alone(targets: TargetStore, address: str) -> None:
    assert (await targets.add(replace(LAB, base_url=address))).base_url == address


async def test_mocks_need_no_tls(targets: TargetStore) -> None:
    assert await targets.add(Target("mock", "hypercore", "http://prism:4010", "prism"))
