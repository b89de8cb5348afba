"""Every reply of every operation fits the description: by our own judgement, and by openapi-core's.

Each operation of a description is asked once on a device in its initial state: reads of every path with an item that
exists, changes with the body that the twin proposes. No request of the sweep may be refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from openapi_core import Config, OpenAPI, V31ResponseValidator
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers

from compiler.commands.mock import understood
from compiler.ir.model import Operation
from compiler.ir.schemas import SharedSchemas
from compiler.twin import Sample, TwinReply, TwinRequest
from compiler.twin.blueprint import response_for
from compiler.twin.requests.routes import parameters_in
from compiler.twin.values.validation import SchemaView, Validation
from tests.needs import VENDOR_FILES, VENDOR_FOLDER
from workflow.requests.multipart import FORM_DATA, PartKind, encoded

ROOT = Path(__file__).parents[3]
RAW = VENDOR_FOLDER / "specs"
SHIPPED = ["hypercore", "idrac"]


@dataclass(frozen=True)
class Said:
    operation: Operation
    path: str
    reply: TwinReply


def _sample(device: Any, operation: Operation) -> Sample | None:
    """An item that stands at the longest item path above the operation, in the state that the operation needs."""
    items = {r.item: r for r in device.twin.api.resources if parameters_in(r.item)}
    above = [i for i in items if operation.path == i or operation.path.startswith(i + "/")]
    return device.twin.sample(max(above, key=len), operation=operation.key) if above else None


def sweep(device: Any) -> Iterator[Said]:
    """One exchange for each operation whose path can be filled, each on a fresh twin."""
    whole = device.twin
    for operation in whole.api.operations:
        device.twin = whole.fresh()
        sample = _sample(device, operation)
        path = operation.path
        for name, value in (sample.parameters if sample else {}).items():
            path = path.replace("{" + name + "}", value)
        if parameters_in(path):
            continue
        body = device.twin.example_body(operation.key)
        media_type = operation.body.media_type if operation.body is not None else ""
        if media_type == FORM_DATA:
            kinds = tuple(PartKind(name, kind) for name, kind in operation.body.parts.items())
            body, media_type = encoded(body, kinds)
        elif media_type and "json" not in media_type:
            body = b"data"
        needed = [p for p in operation.parameters if p.is_required]
        query = tuple((p.name, "1") for p in needed if p.location == "query")
        headers = (
            *device.twin.authorization(),
            ("if-match", "*"),
            ("content-type", media_type),
            *((p.name.lower(), "1") for p in needed if p.location == "header"),
        )
        sent = TwinRequest(operation.method, path, query, headers, body, body is not None)
        yield Said(operation, path, device.twin.handle(sent))


def _faults(device: Any, exchanges: list[Said]) -> dict[str, str]:
    api = device.twin.api
    validation = Validation(api.schemas, SharedSchemas(api.schemas))
    found = {}
    for said in exchanges:
        declared = response_for(said.operation, said.reply.status)
        if declared is not None and declared.schema is not None and said.reply.status != 204:
            fault = validation.fault(declared.schema, said.reply.body, SchemaView.RESPONSE)
            if fault:
                found[said.operation.key] = fault
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_every_operation_of_a_shipped_description_answers_a_declared_success_that_fits(
    name: str, shipped: Any, device_for: Any
) -> None:
    device = device_for(*shipped(name))
    exchanges = list(sweep(device))
    assert {s.operation.key: s.reply.status for s in exchanges if s.reply.status >= 300} == {}
    assert [s.operation.key for s in exchanges if response_for(s.operation, s.reply.status) is None] == []
    assert _faults(device, exchanges) == {}
    assert len(exchanges) == len(device.twin.api.operations)


@pytest.mark.parametrize(
    "name", ["hypercore/openapi.json", "odd/keycloak-dangling-ref.json", "odd/openstack-image-31.yaml"]
)
def test_every_reply_of_a_vendors_own_description_fits(name: str, device_for: Any) -> None:
    VENDOR_FILES.or_skip()
    path = RAW / name
    profile = ROOT / "specs" / "hypercore" / "profile.yaml" if name.startswith("hypercore") else None
    device = device_for(*understood(path, profile, None))
    exchanges = list(sweep(device))
    assert _faults(device, exchanges) == {}
    refused = [s.operation.key for s in exchanges if s.reply.status >= 400]
    assert refused == []
    # Left out are those whose address names another thing at its end (`…/role-mappings/clients/{client}`).
    assert len(exchanges) >= 0.88 * len(device.twin.api.operations)


@pytest.mark.slow
def test_where_a_reply_does_not_fit_it_is_the_vendors_own_example_that_does_not(device_for: Any) -> None:
    VENDOR_FILES.or_skip()
    api, profile = understood(RAW / "idrac/openapi.yaml", ROOT / "specs/idrac/profile.yaml", RAW / "idrac")
    device = device_for(api, profile)
    exchanges = list(sweep(device))
    assert len(exchanges) > 680
    assert [s.operation.key for s in exchanges if s.reply.status >= 400] == []
    validation = Validation(api.schemas, SharedSchemas(api.schemas))
    reads = [o for o in api.operations if o.method == "GET"]
    for key in _faults(device, exchanges):
        operation = next(o for o in api.operations if o.key == key)
        shown = [o.success for o in (operation, *reads) if o.path.startswith(operation.path) and o.success]
        examples = [(r.schema, r.example) for r in shown if r.example is not None and r.schema is not None]
        is_job = response_for(operation, 202) is not None and operation.method == "POST"
        assert is_job or any(validation.fault(s, e, SchemaView.RESPONSE) for s, e in examples), key


@pytest.mark.parametrize("name", SHIPPED)
def test_openapi_core_finds_nothing_wrong_with_any_reply(name: str, shipped: Any, device_for: Any) -> None:
    document = yaml.load((ROOT / "specs" / name / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    device = device_for(*shipped(name))
    base = device.twin.base_path
    document["servers"] = [{"url": "http://localhost" + base}]
    judge = OpenAPI.from_dict(
        document, config=Config(spec_validator_cls=None, response_validator_cls=V31ResponseValidator)
    )
    judged = 0
    for said in sweep(device):
        request = JudgedRequest(said.operation.method.lower(), base + said.path)
        errors = list(judge.iter_response_errors(request, JudgedReply(said.reply)))
        assert errors == [], (said.operation.key, [str(e.__cause__ or e) for e in errors])
        judged += 1
    assert judged == len(device.twin.api.operations)


class JudgedRequest:
    """The twin's request as openapi-core wants to see it."""

    host_url = "http://localhost"
    content_type = "application/json"
    body = None

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        self.parameters = RequestParameters()


class JudgedReply:
    """The twin's reply as openapi-core wants to see it."""

    content_type = "application/json"

    def __init__(self, reply: TwinReply) -> None:
        self.status_code = reply.status
        self.headers = Headers(list(reply.headers))
        self.data = orjson.dumps(reply.body) if reply.body is not None else None
