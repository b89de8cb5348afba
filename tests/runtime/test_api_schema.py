"""The REST API held against its own OpenAPI document by schemathesis: whatever is sent, the answer is one it names."""

import threading
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis

from runtime.app import bound_socket as bound
from runtime.app import build, http_server
from runtime.secrets import Vault
from runtime.service import open_service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own in a thread: schemathesis asks synchronously."""
    import asyncio

    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('db') / 'switchgear.db'}"
    listener = bound("127.0.0.1", 0)
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with open_service(url, Vault({})) as service:
            server = http_server(build(service))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
            ready.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(20)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    thread.join()


@pytest.fixture(scope="module")
def described(served: str) -> Any:
    return schemathesis.openapi.from_url(f"{served}/openapi.json")


@pytest.mark.slow
def test_every_answer_is_one_that_the_document_names(described: Any) -> None:
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 14
    for operation in operations:

        @hypothesis.settings(max_examples=20, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate()

        ask()
