"""The initial state: coherent, the same each time, and cheap to come back to; samples that the device takes."""

import time
from pathlib import Path
from typing import Any

import pytest

from compiler.commands.mock import understood
from compiler.proofs.proof import VirtualClock
from compiler.twin import Twin, TwinRequest
from compiler.twin.blueprint import Blueprint
from compiler.twin.seeds import Seeds
from compiler.twin.store import Store
from compiler.twin.values.examples import ids_in, members_of
from tests.needs import VENDOR_FILES, VENDOR_FOLDER
from tests.waiting import MOST_CPU_S

ROOT = Path(__file__).parents[3]
RAW = VENDOR_FOLDER / "specs"
ELSEWHERE = {"latestTaskTag", "taskTag"}  # tasks of the past need not be kept


def raw(name: str, profile: str, root: Path | None = None) -> Any:
    VENDOR_FILES.or_skip()
    return understood(RAW / name, ROOT / "specs" / profile / "profile.yaml", root)


@pytest.mark.parametrize("name", ["hypercore", "idrac"])
def test_what_a_shipped_example_refers_to_exists(name: str, shipped: Any) -> None:
    blueprint = Blueprint(*shipped(name))
    store = Store(blueprint, Seeds(blueprint))
    astray = []
    for resource in blueprint.api.resources:
        for place in store.places(resource):
            for member, value in members_of(store.shown(place)):
                owners = blueprint.named_by(member) if member not in ELSEWHERE else ()
                owners = () if resource in owners else owners  # a second name for the item's own id
                astray += [
                    (place.address, member, each)
                    for each in (ids_in(value) if owners else ())
                    if not any(store.find(owner, each) for owner in owners)
                ]
    assert astray == []


@pytest.mark.parametrize("name", ["hypercore", "idrac"])
def test_two_twins_of_one_description_start_alike_whatever_is_asked_first(name: str, shipped: Any) -> None:
    api, profile = shipped(name)
    paths = [r.collection for r in api.resources if r.list and "{" not in r.collection]
    first, second = (Twin(api, profile, now=lambda: 0.0) for _ in range(2))
    one = {p: _get(first, p) for p in paths}
    two = {p: _get(second, p) for p in reversed(paths)}
    assert one == two


def _get(twin: Twin, path: str) -> Any:
    return twin.handle(TwinRequest("GET", path, (), twin.authorization())).body


def test_every_collection_without_examples_has_two_items_told_apart_by_name(shipped: Any) -> None:
    api, profile = raw("hypercore/openapi.json", "hypercore")
    blueprint = Blueprint(api, profile)
    store = Store(blueprint, Seeds(blueprint))
    for resource in (r for r in api.resources if r.list):
        places = list(store.places(resource))
        wanted = 1 if resource.single or resource.collection in profile.sole_members else 2
        assert len(places) == wanted or resource.noun == "GPUProfile", resource.noun
        for key in resource.natural_keys[:1]:
            names = [str(store.item(place).get(key)) for place in places]
            assert len(set(names)) == len(names), (resource.noun, key, names)


def test_the_state_of_a_generated_item_is_the_initial_one() -> None:
    twin = Twin(*raw("hypercore/openapi.json", "hypercore"), now=lambda: 0.0)
    assert {vm["state"] for vm in _get(twin, "/VirDomain")} == {"SHUTOFF"}


@pytest.mark.parametrize(("kind", "state"), [("START", "SHUTOFF"), ("PAUSE", "RUNNING"), ("SHUTDOWN", "RUNNING")])
def test_a_sample_is_in_a_state_in_which_the_operation_may_be_called(shipped: Any, kind: str, state: str) -> None:
    for api, profile in (shipped("hypercore"), raw("hypercore/openapi.json", "hypercore")):
        twin = Twin(api, profile, now=lambda: 0.0)
        sample = twin.sample("VirDomain", operation="POST /VirDomain/action", when={"/0/actionType": kind})
        assert sample is not None
        assert sample.item["state"] == state
        assert (sample.natural_key, sample.natural_value) == ("name", sample.item["name"])
        assert sample.parameters == {"virDomainUUID": sample.id}


def test_a_sample_whose_owner_has_to_be_in_a_state_has_such_an_owner(shipped: Any) -> None:
    twin = Twin(*shipped("hypercore"), now=lambda: 0.0)
    sample = twin.sample("VirDomainNetDevice", operation="DELETE /VirDomainNetDevice/{uuid}")
    assert sample is not None
    path = f"/VirDomainNetDevice/{sample.id}"
    assert twin.handle(TwinRequest("DELETE", path, (), twin.authorization())).status == 200


def test_there_is_no_sample_of_what_does_not_exist(shipped: Any) -> None:
    assert Twin(*shipped("hypercore"), now=lambda: 0.0).sample("Unicorn") is None


def test_an_example_body_has_a_name_of_its_own_and_refers_to_what_exists(shipped: Any) -> None:
    twin = Twin(*shipped("hypercore"), now=lambda: 0.0)
    body = twin.example_body("POST /VirDomain")
    assert body["dom"]["name"] not in [vm["name"] for vm in _get(twin, "/VirDomain")]
    snapshot = twin.example_body("POST /VirDomainSnapshot")
    assert snapshot["domainUUID"] in [vm["uuid"] for vm in _get(twin, "/VirDomain")]


@pytest.mark.slow
def test_a_twin_of_714_operations_is_made_with_little_work_and_set_back_with_less() -> None:
    api, profile = raw("idrac/openapi.yaml", "idrac", RAW / "idrac")
    began = time.process_time()
    twin = Twin(api, profile, now=VirtualClock())
    assert time.process_time() - began < MOST_CPU_S
    reply = twin.handle(TwinRequest("GET", "/redfish/v1/Systems", (), twin.authorization()))
    began = time.process_time()
    for _ in range(1_000):
        twin.fresh()
    assert time.process_time() - began < MOST_CPU_S
    assert reply.status == 200


@pytest.mark.slow
def test_a_thousand_requests_are_little_work() -> None:
    api, profile = raw("idrac/openapi.yaml", "idrac", RAW / "idrac")
    twin = Twin(api, profile, now=VirtualClock())
    reset = "/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset"
    sent = [
        TwinRequest("GET", "/redfish/v1/Systems/System.Embedded.1", (), twin.authorization()),
        TwinRequest("GET", "/redfish/v1/UpdateService/FirmwareInventory", (), twin.authorization()),
        TwinRequest("POST", reset, (), twin.authorization(), {"ResetType": "GracefulRestart"}, True),
    ]
    for request in sent:
        twin.handle(request)  # what is made once for all twins is made here
    began = time.process_time()
    for _ in range(300):
        for request in sent:
            twin.handle(request)
    assert time.process_time() - began < MOST_CPU_S
