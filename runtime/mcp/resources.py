"""What MCP clients read by an address instead of having it in every list: whole input schemas, whole results.

A workflow's schema is read by whoever may call it, and only while it is approved and whole at that moment. A run is
seen as over REST (`visibility`), and its end waited for as a call waits. A run's outputs are read by the caller who ran
it, for a limited time; they are what the run's record holds, redacted there. Whatever else is asked for does not exist,
whoever asks. MCP 2026-07-28, resources. Called by `app`.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson
from fastmcp import FastMCP
from fastmcp.exceptions import ResourceError

from governance.errors import GovernanceError
from governance.runs.runs import Run
from governance.storage.identifiers import moment, utc_now
from runtime.caller import Caller
from runtime.calls.under_way import progress_json, recorded_progress
from runtime.errors import ServingError
from runtime.problems import message_of
from runtime.service import Service
from runtime.visibility import run_of, run_seen
from workflow.errors import WorkflowError
from workflow.visible import visible

log = logging.getLogger("switchgear.tools")
JSON_TYPE = "application/json"
SCHEMA_TYPE = "application/schema+json"
SCHEMA_URI = "switchgear://workflows/{name}/schema"
APIS_URI = "switchgear://apis"
RUN_URI = "switchgear://runs/{run_id}"
OUTPUTS_URI = "switchgear://runs/{run_id}/outputs"
# As long as one piece of work with the result goes on; later it is looked up in the records (`GET /runs/{id}`).
READABLE = timedelta(hours=1)


def schema_uri(name: str) -> str:
    """Where the whole input schema of the tool called `name` is read."""
    return SCHEMA_URI.format(name=quote(name, safe=""))


def outputs_uri(run_id: str) -> str:
    """Where the outputs of a run are read."""
    return OUTPUTS_URI.format(run_id=run_id)


def add_resources(mcp: FastMCP[Any], service: Service, asking: Callable[[], Caller]) -> None:
    """`asking`: who sent the request that is being served."""

    @mcp.resource(
        SCHEMA_URI,
        name="workflow schema",
        description="All inputs of an approved workflow, also those that its tool does not show.",
        mime_type=SCHEMA_TYPE,
    )
    async def workflow_schema(name: str) -> str:
        return await _schema(service, name, asking())

    @mcp.resource(
        APIS_URI,
        name="APIs",
        description="The APIs of which you may call something: how many workflows, on which things, on which targets.",
        mime_type=JSON_TYPE,
    )
    async def apis() -> str:
        return orjson.dumps(_apis(service, asking())).decode()

    @mcp.resource(
        RUN_URI,
        name="run",
        description="One run with its requests; where it goes on, its end is waited for as long as a call waits.",
        mime_type=JSON_TYPE,
    )
    async def run(run_id: str) -> str:
        return await _run(service, run_id, asking())

    @mcp.resource(
        OUTPUTS_URI,
        name="run outputs",
        description="The whole outputs of a run that was shown cut, for an hour, to whoever ran it.",
        mime_type=JSON_TYPE,
    )
    async def run_outputs(run_id: str) -> str:
        return await _outputs(service, run_id, asking())


def _refused(message: str) -> ResourceError:
    """As a client is told it. FastMCP would log each with its traceback: one line, at most so many (`summing`)."""
    log.warning("a resource was not read: %s", visible(message))
    return ResourceError(message, log_level=logging.DEBUG)


def _apis(service: Service, caller: Caller) -> list[dict[str, Any]]:
    told = []
    for api, entries in sorted(service.live.seen_by(caller.scope).by_api.items()):
        first = next(iter(entries.values()))
        things = {entry.profile.vocabulary.get(entry.resource, entry.resource) for entry in entries.values()}
        targets = [target.name for target in first.targets]
        told.append({"api": api, "workflows": len(entries), "things": sorted(things), "targets": targets})
    return told


async def _schema(service: Service, name: str, caller: Caller) -> str:
    entry = service.live.seen_by(caller.scope).get(name)
    if entry is None:
        raise _refused(f"no approved workflow has a tool called {name}; list the tools again")
    try:
        await service.revisions.confirm(entry.revision_id, entry.digest)
        schema = entry.with_more(entry.prepared.whole_input_schema(), in_full=True)
    except (GovernanceError, ServingError, WorkflowError) as error:
        raise _refused(f"{name} is not served: {error}") from error
    return orjson.dumps(schema).decode()


async def _run(service: Service, run_id: str, caller: Caller) -> str:
    try:
        await service.under_way.look(run_id, caller, await run_seen(service, caller, run_id))
        await service.engine.settle()
        run = await run_of(service, caller, run_id)
    except (GovernanceError, ServingError) as error:
        raise _refused(message_of(error)) from error
    at = None if run.outcome is not None else service.under_way.progress_of(run_id) or recorded_progress(run)
    told = {**run.to_json(), "outcome": run.outcome or "running", "progress": at and progress_json(at)}
    return orjson.dumps(told).decode()


async def _outputs(service: Service, run_id: str, caller: Caller) -> str:
    await service.engine.settle()
    try:
        run = await service.runs.get(run_id)
    except GovernanceError as error:
        raise _no_run(run_id) from error
    if run.caller != caller.name or run.outcome not in ("succeeded", "pending") or not _is_fresh(run):
        raise _no_run(run_id)
    return orjson.dumps(run.outputs).decode()


def _no_run(run_id: str) -> ResourceError:
    """The same for all, so that nobody learns of other people's runs."""
    return _refused(
        f"there are no outputs of a run {run_id} of yours, or no longer; run the workflow again, "
        "or ask somebody who may look at the records"
    )


def _is_fresh(run: Run) -> bool:
    return (run.finished_at or "") >= moment(utc_now() - READABLE)
