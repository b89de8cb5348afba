"""Prism, a mock that nobody here wrote, serves our HyperCore description: every example is answered and accepted.

Starts the real thing from `.tools` (npm, version 5.14.2) on a free port; skips where Node or Prism is absent.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.specs.served import served

ROOT = Path(__file__).parents[2]
OURS = ROOT / "specs/hypercore/openapi.yaml"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.load(OURS.read_bytes(), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(OURS, tmp_path_factory.mktemp("prism") / "log") as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, auth=("ada", "example-only"), trust_env=False) as opened:
        yield opened


def send(client: httpx.Client, key: str, operation: Any) -> httpx.Response:
    """The operation with the examples of its parameters and of its body."""
    method, path = key.split(" ", 1)
    parameters = operation.get("parameters", ())
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
    query = {p["name"]: p["example"] for p in parameters if p["in"] == "query" and p.get("required")}
    content = operation.get("requestBody", {}).get("content", {})
    if "application/octet-stream" in content:
        headers = {"content-type": "application/octet-stream"}
        return client.request(method, path, params=query, content=b"bytes", headers=headers)
    return client.request(method, path, params=query, json=content["application/json"]["example"] if content else None)


def test_every_operation_accepts_and_answers_its_examples(client: httpx.Client, document: Any) -> None:
    operations = {f"{method.upper()} {path}": o for path, i in document["paths"].items() for method, o in i.items()}
    assert len(operations) == 150
    for key, operation in operations.items():
        reply = send(client, key, operation)
        assert reply.status_code == 200, (key, reply.text)
        declared = operation["responses"]["200"].get("content")
        assert not declared or reply.json() == declared["application/json"]["example"], key


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/VirDomainSnapshot", {"domainUUID": "x", "bogus": 1}),
        ("POST", "/VirDomain/action", {"virDomainUUID": "x", "actionType": "START"}),
        ("POST", "/VirDomain/action", [{"virDomainUUID": "x", "actionType": "FLY"}]),
        ("PATCH", "/VirDomain/x", {"mem": "lots"}),
        ("PATCH", "/VirDomain/x", {"uuid": "y"}),
        ("POST", "/User", {"fullName": "nobody"}),
        ("GET", "/Condition/filter?modifiedWithin=soon", None),
    ],
)
def test_a_request_that_does_not_fit_is_refused(client: httpx.Client, method: str, path: str, body: Any) -> None:
    # The description declares 400 for this, and Prism answers it so; where it declares none Prism's own 422 comes.
    reply = client.request(method, path, json=body)
    assert reply.status_code in (400, 422)
    assert "sl-violations" in reply.headers


def test_without_credentials_nothing_is_answered_and_the_session_cookie_is_enough(address: str) -> None:
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.get("/VirDomain").status_code == 401
        login = client.post("/login", json={"username": "ada", "password": "example-only"})
        assert login.status_code == 200
        assert login.cookies["sessionID"] == login.json()["sessionID"]
        assert client.get("/VirDomain").status_code == 200


def test_a_vm_is_found_by_name_changed_and_waited_for(client: httpx.Client) -> None:
    (vm,) = [vm for vm in client.get("/VirDomain").json() if vm["name"] == "web-01"]
    change = client.patch(f"/VirDomain/{vm['uuid']}", json={"description": vm["description"]}).json()
    (task,) = client.get(f"/TaskTag/{change['taskTag']}").json()
    assert (task["taskTag"], task["state"], task["objectUUID"]) == (change["taskTag"], "COMPLETE", vm["uuid"])
    assert client.get(f"/VirDomain/{vm['uuid']}").json() == [vm]
