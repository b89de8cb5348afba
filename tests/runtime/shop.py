"""A device that loses answers, and workflows that make, change, delete and stop its machines, each saying of which.

What it hears is carried out or not (`carries_out`); `loses` makes it hang up at the next change, and stay away for
reads, too, until `comes_back`. Used by the tests of what is in doubt.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

JSON = {"content_type": "application/json"}
OK = [{"condition": "$statusCode == 200"}]
MACHINES = "$response.body"


@dataclass
class Shop:
    """`names` by id. `changes`: what was carried out, in order."""

    answer: Any
    names: dict[str, str] = field(default_factory=lambda: {"u-1": "web-01", "u-2": "db-01"})
    changes: list[str] = field(default_factory=list)
    loses: bool = False
    carries_out: bool = True
    is_away: bool = False
    waits: asyncio.Event | None = None

    def comes_back(self) -> None:
        self.is_away = self.loses = False
        self.carries_out = True

    async def __call__(self, heard: Any, writer: asyncio.StreamWriter) -> None:
        path = heard.target.decode().removeprefix("/api/vms").strip("/")
        if self.is_away:
            writer.close()
        elif heard.method == "GET":
            status, body = self._seen(path)
            writer.write(self.answer(status, json.dumps(body).encode(), **JSON))
        else:
            await self._change(heard, path, writer)

    def _seen(self, path: str) -> tuple[int, Any]:
        if not path:
            return 200, [{"uuid": uuid, "name": name} for uuid, name in self.names.items()]
        return (200, {"uuid": path, "name": self.names[path]}) if path in self.names else (404, {})

    async def _change(self, heard: Any, path: str, writer: asyncio.StreamWriter) -> None:
        if self.waits is not None:
            await self.waits.wait()
        if self.carries_out:
            self._carry_out(heard, path)
        if self.loses:
            self.is_away = True
            writer.close()
        else:
            writer.write(self.answer(200, b"{}", **JSON))

    def _carry_out(self, heard: Any, path: str) -> None:
        self.changes.append(f"{heard.method} {path}")
        if heard.method == "POST" and not path:
            self.names[f"n-{len(self.changes)}"] = json.loads(heard.body)["name"]
        elif heard.method == "PATCH":
            self.names[json.loads(heard.body)["id"]] = self.names.pop(path)
        elif heard.method == "DELETE":
            self.names.pop(path, None)


def step(step_id: str, key: str, role: str, effect: str, **more: Any) -> dict[str, Any]:
    method, path = key.split(" ")
    place = path.replace("/", "~1")
    return {
        "stepId": step_id,
        "operationPath": f"{{$sourceDescriptions.toy.url}}#/paths/{place}/{method.lower()}",
        "x-switchgear": {"role": role, "effect": effect, "idempotent": False},
        **more,
    }


def path_id(value: str) -> dict[str, Any]:
    return {"parameters": [{"name": "id", "in": "path", "value": value}]}


def queried(condition: str) -> dict[str, Any]:
    return {"context": MACHINES, "type": "jsonpath", "condition": condition}


def find() -> dict[str, Any]:
    wanted = "@.name == '{$inputs.vm}' || @.uuid == '{$inputs.vm}'"
    output = {"context": MACHINES, "selector": f"$[?{wanted}].uuid", "type": "jsonpath"}
    only_one = queried(f"$[?count($[?{wanted}]) == 1]")
    return step("find", "GET /vms", "lookup", "read", successCriteria=[*OK, only_one], outputs={"id": output})


def body(**members: str) -> dict[str, Any]:
    return {"requestBody": {"contentType": "application/json", "payload": members}}


FOUND = path_id("$steps.find.outputs.id")
THERE = queried("$[?@.name == '{$inputs.name}']")
MISSING = queried("$[?count($[?@.name == '{$inputs.name}']) == 0]")
MADE = step("read_back", "GET /vms", "read_back", "read", successCriteria=[*OK, THERE])
MAKE = step("make", "POST /vms", "change", "create", **body(name="$inputs.name", size="$inputs.size"))
GONE = step("gone", "GET /vms/{id}", "gone", "read", **FOUND, successCriteria=[{"condition": "$statusCode == 404"}])
# Lists at least one machine that is not the one, so that the empty list of a query means something.
NOT_THERE = step("look", "GET /vms", "check", "read", successCriteria=[*OK, MISSING])
# Its id is what it is called by: behind the change it stands at another address.
CALLED = {"place": "/id", "asked": "$inputs.size", "found": "$response.body#/uuid"}
BACK = step("back", "GET /vms/{id}", "read_back", "read", **FOUND, successCriteria=OK)
BACK["x-switchgear"] |= {"expects": [CALLED], "decides": True}
STEPS: dict[str, list[Any]] = {
    "move": [find(), step("move", "PATCH /vms/{id}", "change", "update", **FOUND, **body(id="$inputs.size")), BACK],
    "make": [MAKE, MADE],
    "make-once": [NOT_THERE, MAKE, MADE],
    "set": [find(), step("set", "PUT /vms/{id}", "change", "update", **FOUND, **body(size="$inputs.size"))],
    "drop": [find(), step("drop", "DELETE /vms/{id}", "change", "delete", **FOUND), GONE],
    "stop": [find(), step("stop", "POST /vms/{id}/stop", "change", "act", **FOUND)],
}
BY_NAME, BY_THING = {"name": ""}, {"vm": "$steps.find.outputs.id"}
# What the second call may vary, and what makes it about another thing.
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "make": ({"name": "new"}, {"name": " NEW", "size": "2"}, {"name": "other"}),
    "set": ({"vm": "web-01", "size": "1"}, {"vm": "web-01", "size": "2"}, {"vm": "db-01"}),
    "drop": ({"vm": "web-01"}, {"vm": "Web-01"}, {"vm": "db-01"}),
    "stop": ({"vm": "web-01"}, {"vm": "web-01"}, {"vm": "db-01"}),
}


def document(name: str) -> dict[str, Any]:
    is_made = name.startswith("make")
    needed = "name" if is_made else "vm"
    used = {each["operationPath"].partition("#/paths/")[2] for each in STEPS[name]}
    keys = {f"{place.rpartition('/')[2].upper()} {place.rpartition('/')[0].replace('~1', '/')}" for place in used}
    operations = dict.fromkeys(sorted(keys), "s")
    tool = {"name": f"toy_{name.replace('-', '_')}_vm", "title": name, "description": name, "shown": [needed]}
    return {
        "arazzo": "1.1.0",
        "info": {"title": name, "version": "1"},
        "sourceDescriptions": [{"name": "toy", "url": "./toy.yaml", "type": "openapi"}],
        "x-switchgear": {"format": 1, "api": "toy", "base_path": "/api", "operations": operations},
        "workflows": [
            {
                "workflowId": f"toy-{name}-vm",
                "summary": name,
                "x-switchgear": {
                    "intent": name, "risk": "change", "resource": "vms", "deadline_s": 30, "tool": tool,
                    "outputs": {"type": "object"}, "identifies": BY_NAME if is_made else BY_THING,
                },
                "inputs": {
                    "type": "object",
                    "properties": {needed: {"type": "string"}, "size": {"type": "string"}},
                    "required": [needed],
                    "additionalProperties": False,
                },
                "steps": STEPS[name],
            }
        ],
    }  # fmt: skip
