"""One operation of an API as a workflow of one step: what an expert sends who goes without a workflow (a raw call).

It is approved, planned, recorded and run like any workflow, under a name that no compiled one has: `raw-API-…`, with
eight digits of its operation's hash, so that no two operations share one. Made of what the compiler wrote on the
operation's card (`compiler.knowledge`); what is sent is what the card says, member by member. Pure. Here never lives
who may call it (`governance.approval.policy`, `runtime.raw_calls`). Arazzo 1.1.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.documents.reader import read_document
from workflow.errors import DocumentError
from workflow.json.pointers import escape
from workflow.revision import RAW_PREFIX, RevisionContent
from workflow.tool import free_name, tool_definition

Json = Any
FORMAT = 1
BODY = "body"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_DIGITS = 8
_MOST_NAME = 64 - _DIGITS - 1
OUTPUTS: dict[str, Json] = {
    "type": "object",
    "properties": {"status": {"type": "integer"}, "reply": {"description": "What the device answered."}},
    "required": ["status"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Described:
    """What an API is known by where its operations are: the digests of description and profile."""

    api: str
    spec_digest: str
    profile_digest: str | None


def workflow_of(api: str, operation: str) -> str:
    """The name of the workflow that calls `operation`, `METHOD /path`, alone."""
    method, _, path = operation.partition(" ")
    plain = "-".join(filter(None, _NOT_IN_NAMES.split(f"{api} {method.lower()} {path}")))
    digits = hashlib.sha256(f"{api} {operation}".encode()).hexdigest()[:_DIGITS]
    return f"{(RAW_PREFIX + plain)[:_MOST_NAME]}-{digits}"


def body_input(card: Mapping[str, Json]) -> str:
    """The name of the input that is the body: another one where a parameter is called so."""
    return free_name(BODY, frozenset(card["call"]["parameters"]))


def is_plain_read(card: Mapping[str, Json]) -> bool:
    """Whether an operation is a GET that, as far as is known, only reads."""
    return str(card["operation"]).startswith("GET ") and card["risk"] == "read"


def content_of(about: Described, card: Mapping[str, Json]) -> RevisionContent:
    """The content of the revision. Raises DocumentError, which says why, for what no raw call can send."""
    if "call" not in card:
        raise DocumentError(
            f"{card['operation']} is not called alone: {card.get('not_callable', 'it is not known how')}"
        )
    document = _document(about, card)
    tool = tool_definition(read_document(document, document["workflows"][0]["workflowId"])).to_json()
    return RevisionContent(document, tool, document["x-switchgear"]["operations"], about.profile_digest)


def _document(about: Described, card: Mapping[str, Json]) -> dict[str, Json]:
    operation, call = str(card["operation"]), card["call"]
    ours: dict[str, Json] = {"format": FORMAT, "api": about.api, "spec": about.spec_digest}
    ours |= {"profile": about.profile_digest} if about.profile_digest else {}
    ours |= {"base_path": call["base_path"], "operations": {operation: call["digest"]}}
    document: dict[str, Json] = {
        "arazzo": "1.1.0",
        "info": {"title": operation, "version": "1"},
        "sourceDescriptions": [{"name": _source(about.api), "url": "openapi.yaml", "type": "openapi"}],
        "workflows": [_workflow(about.api, card)],
        "x-switchgear": ours,
    }
    return {**document, "components": {"inputs": dict(call["shared"])}} if "shared" in call else document


def _source(api: str) -> str:
    return api.replace("-", "_")


def _workflow(api: str, card: Mapping[str, Json]) -> dict[str, Json]:
    name, operation = workflow_of(api, card["operation"]), card["operation"]
    title = f"{operation} of {api}, alone"
    said = f" The description says: {card['does']}" if card["does"] else ""
    described = f"Sends {operation} and answers what came back; nothing is looked up, waited for or read back.{said}"
    return {
        "workflowId": name,
        "summary": title,
        "description": described,
        "inputs": _inputs(card),
        "steps": [_step(api, card)],
        "outputs": {each: f"$steps.call.outputs.{each}" for each in OUTPUTS["properties"]},
        "x-switchgear": {
            "intent": "find" if card["risk"] == "read" else "act",
            "risk": card["risk"],
            "resource": card["thing"],
            "tool": {"name": name, "title": title, "description": described, "shown": None},
            "outputs": OUTPUTS,
        },
    }


def _inputs(card: Mapping[str, Json]) -> dict[str, Json]:
    parameters, body = card["call"]["parameters"], card["call"].get("body")
    properties = {name: each["schema"] for name, each in parameters.items()}
    required = [name for name, each in parameters.items() if each.get("required")]
    if body is not None:
        properties[body_input(card)] = body["schema"]
        required += [body_input(card)] if body.get("required") else []
    schema: dict[str, Json] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _step(api: str, card: Mapping[str, Json]) -> dict[str, Json]:
    method, _, path = str(card["operation"]).partition(" ")
    call, is_read = card["call"], card["risk"] == "read"
    ours: dict[str, Json] = {"role": "read" if is_read else "change", "effect": "read" if is_read else call["effect"]}
    ours |= {"idempotent": call["idempotent"], **({"safe": True} if is_read and call["safe"] else {})}
    step: dict[str, Json] = {
        "stepId": "call",
        "description": f"{method} {path}",
        "operationPath": f"{{$sourceDescriptions.{_source(api)}.url}}#/paths/{escape(path)}/{method.lower()}",
    }
    if call["parameters"]:
        step["parameters"] = [_parameter(name, each) for name, each in call["parameters"].items()]
    if call.get("body") is not None:
        step["requestBody"] = {"contentType": call["body"]["media_type"], "payload": _payload(card)}
        ours |= {"parts": parts} if (parts := _written_parts(call["body"])) else {}
    step["outputs"] = {"status": "$statusCode", "reply": "$response.body"}
    return {**step, "x-switchgear": ours}


def _payload(card: Mapping[str, Json]) -> Json:
    """The input as it is; of a multipart body each part by its name, as Arazzo writes such bodies."""
    name, parts = body_input(card), card["call"]["body"].get("parts")
    return f"$inputs.{name}" if parts is None else {each: f"$inputs.{name}#/{escape(each)}" for each in parts}


def _written_parts(body: Mapping[str, Json]) -> dict[str, Json]:
    """How parts are written that are not plain text."""
    return {name: {"contentType": kind} for name, kind in (body.get("parts") or {}).items() if kind}


def _parameter(name: str, told: Mapping[str, Json]) -> dict[str, Json]:
    written: dict[str, Json] = {"name": told["name"], "in": told["in"], "value": f"$inputs.{name}"}
    return {**written, "x-switchgear": told["written"]} if "written" in told else written
