"""The REST API held against its own OpenAPI document by schemathesis: whatever is sent, the answer is one it names."""

import contextlib
import importlib
import inspect
import pkgutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.checks import CHECKS, load_all_checks

from governance.settings import in_use
from governance.transitions import ROLES, Role, may
from runtime import api
from runtime.api.parts.part import check_query
from runtime.app import bound_socket as bound
from runtime.app import build, http_server
from runtime.auth.access import rule_for
from runtime.secrets import Vault
from runtime.service import open_service
from tests.waiting import PATIENCE_S

load_all_checks()
# What no document can say: which members exclude each other (`q` and `after`). And a device or a server that a walk
# made up cannot be reached, which is told as 502: `status_code_conformance` asks that the document names it.
LEFT_OUT = [CHECKS.get_one("positive_data_acceptance"), CHECKS.get_one("not_a_server_error")]
# The server is a thread of this process: when it draws a random number, hypothesis takes that for one of a strategy.
IGNORES_RANDOM = pytest.mark.filterwarnings(
    "ignore:Do not use the .random. module:hypothesis.errors.HypothesisDeprecationWarning"
)


@dataclass(frozen=True)
class Served:
    url: str
    secrets: dict[str, str]


@pytest.fixture
def served(tmp_path: Path, tools: Any) -> Iterator[Served]:
    """A server of its own in a thread, with a token of each role: schemathesis asks synchronously."""
    import asyncio

    url = f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}"
    listener = bound("127.0.0.1", 0)
    ready, stop = threading.Event(), threading.Event()
    secrets: dict[str, str] = {}

    async def serve() -> None:
        async with open_service(url, Vault({})) as service:
            for role in ROLES:
                _, secrets[role] = await service.principals.create_token(f"the-{role}-that-asks", role)
            house = await tools.furnished(url, service)
            for number in range(6):
                await house.submit("find", number)
            await house.approve("stop")
            server = http_server(build(service, settings=in_use({}, {}), folder=str(tmp_path / "library")))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
            ready.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(PATIENCE_S)
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", secrets)
    stop.set()
    thread.join()


@IGNORES_RANDOM
@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_every_answer_is_one_that_the_document_names(served: Served, role: Role) -> None:
    headers = {"Authorization": f"Bearer {served.secrets[role]}"}
    described = schemathesis.openapi.from_url(f"{served.url}/admin/openapi.json", headers=headers)
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 20
    succeeded, examples = False, 4 if role == "admin" else 2
    for operation in operations:
        statuses: set[int] = set()

        @hypothesis.settings(max_examples=examples, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            reply = case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT)
            assert reply.status_code != 500, reply.text
            statuses.add(reply.status_code)  # noqa: B023  asked within the round

        ask()
        needed = rule_for(operation.method.upper(), operation.path).role
        assert needed is None or may(role, needed) or statuses == {403}, (operation.path, statuses)
        succeeded |= 200 in statuses
    assert succeeded


def states(served: Served, role: Role, examples: int, statuses: dict[str, set[int]]) -> None:
    """Walks along the document's links as `role`; notes which statuses each operation gave."""
    headers = {"Authorization": f"Bearer {served.secrets[role]}"}
    described = schemathesis.openapi.from_url(f"{served.url}/admin/openapi.json", headers=headers)

    class Walk(described.as_state_machine()):  # type: ignore[misc]  made anew for each document
        def before_call(self, case: Any) -> None:
            # A target is of an API that there is, which no document can say.
            if case.operation.path.startswith("/targets") and isinstance(case.body, dict) and "api" in case.body:
                case.body["api"] = "toy"

        def get_call_kwargs(self, _case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **_more: Any) -> None:
            told = statuses.setdefault(f"{case.operation.method.upper()} {case.operation.path}", set())
            told.add(response.status_code)
            case.validate_response(response, excluded_checks=LEFT_OUT, headers=headers)
            assert response.status_code != 500, response.text

    few = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    Walk.run(settings=few)


def rights_exceeded(statuses: dict[str, set[int]], role: Role) -> dict[str, set[int]]:
    """Operations that this role may not do, and that were answered otherwise than with a refusal."""
    found = {}
    for operation, told in statuses.items():
        needed = rule_for(*operation.split(" ", 1)).role
        if needed is not None and not may(role, needed) and told - {401, 403, 429}:
            found[operation] = told
    return found


def walked(served: Served, role: Role, *examples: int) -> dict[str, set[int]]:
    """Where the walker's own data turns out otherwise on its way, which it says, it begins anew: with fewer steps.

    It draws from what the server answered before, ids and moments among it, which are others each time. What was seen
    on a way that was broken off counts as well.
    """
    statuses: dict[str, set[int]] = {}
    for number, each in enumerate(examples):
        with contextlib.suppress(*(FlakyStrategyDefinition,) * (number < len(examples) - 1)):
            states(served, role, each, statuses)
            break
    return statuses


@IGNORES_RANDOM
@pytest.mark.slow
@pytest.mark.parametrize("role", ["admin", "viewer"])  # all with `--long`, and deeper
def test_along_the_links_too_every_answer_is_named_and_no_right_exceeded(served: Served, role: Role) -> None:
    statuses = walked(served, role, 12, 8, 4)
    assert len(statuses) >= 10
    assert rights_exceeded(statuses, role) == {}


@IGNORES_RANDOM
@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_along_the_links_deep_every_answer_is_named_and_no_right_exceeded(served: Served, role: Role) -> None:
    statuses = walked(served, role, 400, 200, 100, 50)
    assert rights_exceeded(statuses, role) == {}
    if role == "admin":  # the walk came as far as to what takes an answer before it
        for operation in ("PUT /policy", "PUT /targets/{name}", "DELETE /targets/{name}", "DELETE /tokens/{ref}"):
            assert statuses[operation] & {200, 204}, (operation, statuses[operation])


def test_what_routes_depend_on_is_run_without_another_thread() -> None:
    """FastAPI hands over to one whatever is not `async`, and waits for it, at each call."""

    def all_of(dependant: Dependant) -> Iterator[Dependant]:
        yield dependant
        for each in dependant.dependencies:
            yield from all_of(each)

    modules = [importlib.import_module(f"runtime.api.{each.name}") for each in pkgutil.iter_modules(api.__path__)]
    routers = [module.router for module in modules if hasattr(module, "router")]
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    found = {check_query} | {each.call for route in routes for each in all_of(route.dependant) if each.call}
    assert len(found) > len(routes), "with what they depend on"
    assert {str(each) for each in found if not inspect.iscoroutinefunction(each)} == set()
