"""A site's workflow as the content of a revision here: one step, which has the site run it. And what a site tells.

The names, the texts and both schemas are the site's own; so is the class of risk, which an approver here sees and may
raise or lower (`servers classify`). What is pinned is all that the site tells, with the digest of the revision that was
approved there: a workflow that changes at the site, be it in a step that nobody sees from here, is another one here.
It is called `site_NAME_WORKFLOW`. What holds for tools of MCP servers (`remotes.contents`) holds for it. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from governance.approval.revisions import NewRevision
from governance.registry.servers import api_of
from runtime.catalog.entries import Entry
from runtime.driver.remote.definitions import Definition, UnfitDefinition, definition_of
from runtime.remotes.contents import SECRETS, Class, address_in, document_of, named
from workflow.documents.reader import read_document
from workflow.documents.schemas import as_json
from workflow.errors import WorkflowError
from workflow.json.canonical import digest
from workflow.json.pointers import escape
from workflow.profiles.profile import Profile
from workflow.programs.program_making import build_program
from workflow.revision import RevisionContent
from workflow.risks import RiskName
from workflow.tool import free_name, tool_definition

Json = Any
RemoteOutcome = Literal["partial", "pending", "cancelled", "failed"]
# What a site's workflow may take: a firmware update lasts. A site that is gone is noticed long before (`hub`).
DEADLINE_S = 4 * 3600.0
LIMITS = {"connections": 32, "total_timeout_s": DEADLINE_S, "max_body_bytes": 4 * 1024 * 1024}
_TOLD = ("name", "title", "description", "inputSchema", "outputSchema", "annotations", "risk", "digest", "shown")
_TARGET = {"type": "string", "maxLength": 64, "description": "The device of the site to act on, where it has several."}
# How a run here ends where the site says how its own ended, other than well (`driver.site_connections`), in words.
_ENDS: tuple[tuple[RemoteOutcome, str], ...] = (
    ("partial", "a part of it was done"),
    ("cancelled", "it was cancelled"),
    ("failed", "it did not succeed"),
)
_UNPROVED = "it is another installation's workflow: how it was proved, stands there"


@dataclass(frozen=True, slots=True)
class SiteDefinition(Definition):
    """`outputs`: the site's schema of them; `risk`: the class there; `shown`: inputs that its own tool shows."""

    outputs: Mapping[str, Json] = field(default_factory=dict)
    risk: RiskName = "destroy"
    shown: tuple[str, ...] | None = None


def told_of(entry: Entry) -> dict[str, Json]:
    """What a site tells of an approved workflow: all that is pinned at the hub."""
    schema = entry.prepared.whole_input_schema()
    shown = list(entry.tool["inputSchema"].get("properties", {}))
    if entry.target_argument:
        name = free_name("target", entry.prepared.input_names)
        schema = {**schema, "properties": {**schema.get("properties", {}), name: _TARGET}}
        shown.append(name)
    told = {name: entry.tool[name] for name in ("name", "title", "description", "annotations")}
    outputs = entry.tool.get("outputSchema") or {"type": "object"}
    more = {"inputSchema": schema, "outputSchema": outputs, "risk": entry.risk, "digest": entry.digest, "shown": shown}
    return {**told, **more}


def pin_of_site(sent: Mapping[str, Json]) -> str:
    """The digest of what a site tells of a workflow. Raises UnfitDefinition for what has no canonical form."""
    try:
        return digest({name: sent[name] for name in _TOLD if name in sent})
    except WorkflowError as error:
        raise UnfitDefinition("it is no JSON that has one form") from error


def site_definition_of(sent: Mapping[str, Json]) -> SiteDefinition:
    """What is taken of it. Raises UnfitDefinition."""
    plain, outputs = definition_of(sent), sent.get("outputSchema")
    if (
        not isinstance(outputs, Mapping)
        or outputs.get("type") != "object"
        or sent.get("risk") not in get_args(RiskName)
    ):
        raise UnfitDefinition("it says neither what comes out of it nor how grave it is")
    shown = sent.get("shown")
    names = tuple(each for each in shown if each in plain.inputs["properties"]) if isinstance(shown, list) else None
    return SiteDefinition(
        plain.name, pin_of_site(sent), plain.title, plain.description, plain.inputs, plain.shared, plain.said,
        outputs, sent["risk"], names,
    )  # fmt: skip


def site_workflow_of(site: str, workflow: str) -> str:
    return named("site", site, workflow)


def site_profile_of(site: str) -> Profile:
    told = {"api": api_of(site, "site"), "secrets": SECRETS, "limits": LIMITS}
    return Profile.model_validate({**told, "envelope": {"error_messages": ["/message"]}})


def site_revision_of(site: str, definition: Definition, chosen: Class | None) -> NewRevision:
    """What is submitted for it; `chosen` None: of the class that the site tells. Raises UnfitDefinition."""
    assert isinstance(definition, SiteDefinition), "a site tells no other"
    name, risk = site_workflow_of(site, definition.name), chosen.risk if chosen else definition.risk
    is_idempotent = bool(chosen and chosen.is_idempotent)
    workflow = _workflow(site, definition, risk, is_idempotent=is_idempotent)
    remote = {"site": site, "workflow": definition.name, "idempotent": is_idempotent}
    document = document_of(definition, site_profile_of(site), "site", workflow, remote)
    try:
        read = read_document(document, name)
        build_program(read)
        tool = tool_definition(read).to_json()
        as_json(tool)
    except (WorkflowError, ValueError) as error:
        raise UnfitDefinition(f"no workflow can be made of it: {str(error)[:300]}") from error
    content = RevisionContent(
        document, tool, document["x-switchgear"]["operations"], site_profile_of(site).digest
    )  # fmt: skip
    who = f"{chosen.by} says so here" if chosen else "its approver there says so"
    why = {"step": "call", "risk": risk, "why": f"{who}; the site tells {definition.risk}"}
    return NewRevision(
        workflow_id=name,
        content=content,
        intent="find" if risk == "read" else "act",
        risk=risk,
        resource=site,
        is_core=False,
        rank=0.0,
        proof={"verified": False, "reason": _UNPROVED, "risk": [why]},
    )


def _workflow(site: str, definition: SiteDefinition, risk: str, *, is_idempotent: bool) -> dict[str, Json]:
    name = site_workflow_of(site, definition.name)
    title, described = f"{site}: {definition.title}", f"At the site {site}: {definition.description}"
    shown = None if definition.shown is None else list(definition.shown)
    made = definition.outputs.get("properties") or {}
    return {
        "workflowId": name,
        "summary": title,
        "description": described,
        "inputs": dict(definition.inputs),
        "steps": [_step(site, definition, risk, is_idempotent=is_idempotent)],
        "outputs": {each: f"$steps.call.outputs.{each}" for each in made},
        "x-switchgear": {
            "intent": "find" if risk == "read" else "act",
            "risk": risk,
            "resource": site,
            "deadline_s": DEADLINE_S,
            "tool": {"name": name, "title": title, "description": described, "shown": shown},
            "outputs": dict(definition.outputs),
        },
    }


def _end(site: str, outcome: RemoteOutcome, text: str) -> dict[str, Json]:
    """How the run here ends where the site says `outcome`."""
    said = "note" if outcome == "pending" else "message"  # a message in a good answer would be a refusal
    told = f"At the site {site} {text}: “{{$response.body#/{said}}}”"
    return {
        "name": f"{outcome}_there",
        "type": "end",
        "criteria": [{"condition": f"$response.body#/ended == '{outcome}'"}],
        "x-switchgear": {"outcome": outcome, "code": f"{outcome}_there", "message": told},
    }


def _step(site: str, definition: SiteDefinition, risk: str, *, is_idempotent: bool) -> dict[str, Json]:
    is_read = risk == "read"
    ours = {"role": "read" if is_read else "change", "effect": "read" if is_read else "act"}
    made = definition.outputs.get("properties") or {}
    return {
        "stepId": "call",
        "description": f"Have the site {site} run its workflow {definition.name}.",
        "operationPath": address_in(api_of(site, "site"), definition),
        "requestBody": {
            "contentType": "application/json",
            "payload": {each: f"$inputs.{each}" for each in definition.inputs["properties"]},
        },
        "successCriteria": [{"condition": "$statusCode == 200"}],
        "onSuccess": [_end(site, "pending", "it was accepted, and is not in force yet")],
        "onFailure": [_end(site, outcome, text) for outcome, text in _ENDS],
        "outputs": {each: f"$response.body#/outputs/{escape(each)}" for each in made},
        "x-switchgear": {**ours, "idempotent": is_read or is_idempotent, **({"safe": True} if is_read else {})},
    }
