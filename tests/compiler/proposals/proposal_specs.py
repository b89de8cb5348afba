"""Three small descriptions for the tests of proposals, and the passes before and after the nouns.

Data and the way through the passes; no assertions. `planted` writes one text wherever a description has prose, which
is how an author of hostile descriptions would do it.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compiler.frontend import load_api
from compiler.ir.model import Api
from compiler.passes import effects, jobs, links, resources
from compiler.passes.flows import plan
from compiler.passes.outcome import Options
from workflow.profiles.profile import Profile, parse_profile

PROSE = frozenset({"summary", "description"})
OK = {"description": "Fine."}


def body(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def reply(schema: Any) -> dict[str, Any]:
    return {"200": {**OK, **body(schema)}}


def listing(name: str) -> dict[str, Any]:
    return {"type": "array", "items": ref(name)}


def path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": "Which one."}


def operation(summary: str, schema: Any = None, request: str = "", parameters: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {"summary": summary, "description": f"{summary}, in more words."}
    made["responses"] = reply(schema) if schema is not None else {"204": OK}
    if request:
        made["requestBody"] = {"required": True, **body(ref(request))}
    if parameters:
        made["parameters"] = [path(name) for name in parameters]
    return made


def record(**members: Any) -> dict[str, Any]:
    return {"type": "object", "description": "A record.", "properties": members}


def text(description: str = "Some text.", **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def document(title: str, paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    info = {"title": title, "version": "1", "description": "A device."}
    return {"openapi": "3.1.0", "info": info, "paths": dict(paths), "components": {"schemas": dict(schemas)}}


MACHINES = document(
    "Machines",
    {
        "/machines": {
            "get": operation("List machines", listing("Machine")),
            "post": operation("Create a machine", ref("Machine"), "Machine"),
        },
        "/machines/{machineId}": {
            "get": operation("Read a machine", ref("Machine"), parameters=("machineId",)),
            "patch": operation("Change a machine", ref("Machine"), "Machine", ("machineId",)),
            "delete": operation("Delete a machine", parameters=("machineId",)),
        },
        "/machines/{machineId}/reset": {
            "post": operation("Reset a machine by force", request="Reset", parameters=("machineId",))
        },
        "/machines/{machineId}/disks": {
            "get": operation("List disks", listing("Disk"), parameters=("machineId",)),
            "post": operation("Create a disk", ref("Disk"), "Disk", ("machineId",)),
        },
        "/machines/{machineId}/disks/{diskId}": {
            "get": operation("Read a disk", ref("Disk"), parameters=("machineId", "diskId")),
            "delete": operation("Delete a disk", parameters=("machineId", "diskId")),
        },
        "/machines/{machineId}/disks/{diskId}/wipe": {
            "post": operation("Wipe a disk for good", parameters=("machineId", "diskId"))
        },
        "/tasks/{taskId}": {"get": operation("Read a task", ref("Task"), parameters=("taskId",))},
    },
    {
        "Machine": record(id=text(readOnly=True), name=text(), size={"type": "integer", "description": "Size."}),
        "Disk": record(id=text(readOnly=True), name=text(), machineId=text("Of which machine.")),
        "Reset": record(action=text("How.", enum=["ON", "OFF", "FORCE_OFF", "ERASE"])),
        "Task": record(id=text(), state=text("How far.", enum=["QUEUED", "RUNNING", "COMPLETE", "ERROR"])),
    },
)

RACKS = document(
    "Racks",
    {
        "/racks/{server}/nodes": {"get": operation("List nodes", listing("Node"), parameters=("server",))},
        "/racks/{server}/nodes/{nodeId}": {
            "get": operation("Read a node", ref("Node"), parameters=("server", "nodeId")),
            "delete": operation("Remove a node", parameters=("server", "nodeId")),
        },
        "/racks/{server}/nodes/{nodeId}/reboot": {"post": operation("Reboot", parameters=("server", "nodeId"))},
        "/policies": {"get": operation("List policies", listing("Policy"))},
        "/policies/{policyId}": {
            "get": operation("Read a policy", ref("Policy"), parameters=("policyId",)),
            "put": operation("Change a policy", ref("Policy"), "Policy", ("policyId",)),
        },
    },
    {"Node": record(id=text(), name=text()), "Policy": record(id=text(), name=text(), nodeId=text("The node."))},
)

SETTINGS = document(
    "Settings",
    {
        "/system/clock": {
            "get": operation("Read the clock", ref("Clock")),
            "put": operation("Set the clock", ref("Clock"), "Clock"),
        },
        "/system/health": {"get": operation("Read the health of all parts", ref("Health"))},
        "/users": {
            "get": operation("List users", listing("User")),
            "post": operation("Add a user", ref("User"), "User"),
        },
        "/users/{id}": {
            "get": operation("Read a user", ref("User"), parameters=("id",)),
            "delete": operation("Remove a user", parameters=("id",)),
        },
        "/users/{id}/password": {"post": operation("Set a password", request="Password", parameters=("id",))},
        "/backup": {"post": operation("Make a backup of everything")},
    },
    {
        "Clock": record(zone=text(), server=text()),
        "Health": record(state=text()),
        "User": record(id=text(), username=text(), role=text(enum=["admin", "viewer"])),
        "Password": record(password=text()),
    },
)

SPECS: Mapping[str, Mapping[str, Any]] = {"machines": MACHINES, "racks": RACKS, "settings": SETTINGS}
JOBS = [
    {
        "handle": {"within": "header", "at": "location", "transform": "last_path_segment"},
        "poll": "GET /tasks/{taskId}",
        "parameter": "taskId",
        "state": "/state",
        "waiting": ["QUEUED", "RUNNING"],
        "succeeded": ["COMPLETE"],
        "failed": ["ERROR"],
    }
]


def profile_of(name: str, **members: Any) -> Profile:
    own = {"jobs": JOBS} if name == "machines" else {}
    return parse_profile({"api": name, **own, **members}, "profile.yaml")


def planted(value: Any, payload: str) -> Any:
    """`value` with `payload` behind every summary and description in it."""
    if isinstance(value, Mapping):
        return {
            key: f"{part} {payload}" if key in PROSE and isinstance(part, str) else planted(part, payload)
            for key, part in value.items()
        }
    return [planted(part, payload) for part in value] if isinstance(value, list) else value


def understood(spec: Mapping[str, Any], profile: Profile) -> Api:
    """The API with its resources: where nouns are asked for."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "openapi.json"
        file.write_text(json.dumps(spec))
        api = load_api(file, profile=profile).api
    for run in (effects.run, resources.run):
        api = run(api, Options(profile)).api
    return api


def planned(api: Api, profile: Profile) -> Api:
    """The rest of the way: the API with its flows."""
    for run in (jobs.run, links.run, plan.run):
        api = run(api, Options(profile)).api
    return api


@cache
def known(name: str) -> tuple[Api, Profile]:
    """One of the three, with its resources, and its profile."""
    profile = profile_of(name)
    return understood(SPECS[name], profile), profile


@cache
def known_plan(name: str) -> Api:
    return planned(*known(name))


def renamed(api: Api, names: Mapping[str, str]) -> Api:
    """The API with other names, unjudged."""
    return replace(api, resources=tuple(replace(r, name=names.get(r.name, r.name)) for r in api.resources))
