"""What an approver reads about a revision: its steps in words and as requests, why it has its class, what would change.

Pure: made from revisions as values, shown alike by `GET /workflows/{id}` and `switchgear workflows show`. The request
of a step is what the approved document says, with expressions where a run puts its values. A difference is to the
revision in use now: the whole document and the tool by place, the requests as the lines that went and came.
Here never lives a database; the proof's facts are the compiler's (`compiler.proofs.approval_facts`).
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from governance.approval.integrity import Revision
from governance.errors import InvalidError
from governance.storage.identifiers import Json
from workflow.documents.document import OURS
from workflow.documents.reader import read_document
from workflow.errors import WorkflowError
from workflow.graph.drawing import Form, draw
from workflow.json.pointers import NOTHING, parse_pointer, resolve
from workflow.programs.program_making import ProgramStep, build_program
from workflow.replies.expectations import Expectation

MOST_CHANGES = 500
"""Of one difference: what changed more than that is read as a new workflow, and is told to be cut."""
BUNDLE, POLICY = "bundle:", "policy"
"""What the names begin with, or are, of deciders that are no people."""
_PLAIN = re.compile(r"[!-~]{1,200}")
"""Names as we give them: agents read them, and a bundle may bring others."""
_REQUEST = ("parameters", "requestBody")


def steps_of(revision: Revision) -> list[dict[str, Json]]:
    """The steps in order: what each is for, what it sends, and why it has its class of risk."""
    try:
        program = build_program(read_document(revision.content.document, f"revision {revision.id}"))
    except WorkflowError:  # it cannot run, approved or not; what it says is shown all the same
        written = [step for workflow in revision.content.document.get("workflows", ()) for step in workflow["steps"]]
        return [_as_written(step) for step in written]
    proof = revision.proof if isinstance(revision.proof, dict) else {}
    reasons = {each["step"]: each for each in proof.get("risk", ())}
    return [_step(revision.content.document, step, reasons.get(step.step_id, {})) for step in program.steps]


def in_short(revision: Revision) -> dict[str, list[str]]:
    """What it sends, operation by operation, and why it has its class: enough to choose among many by."""
    written = [step for workflow in revision.content.document.get("workflows", ())[:1] for step in workflow["steps"]]
    sent = [f"{each['method']} {each['path_template']}".strip() for each in map(_as_written, written)]
    return {"requests": sent, "reasons": list(dict.fromkeys(each["why"] for each in risk_reasons_of(revision)))}


def _step(document: Json, step: ProgramStep, reason: Mapping[str, Json]) -> dict[str, Json]:
    named = ("step_id", "method", "path_template", "effect", "role", "description", "is_safe", "is_idempotent")
    told = {name: getattr(step, name) for name in named}
    written = resolve(document, parse_pointer(step.pointer)) if step.pointer else {}
    sent = {name: written[name] for name in _REQUEST if name in written} if isinstance(written, dict) else {}
    more = {"risk": reason.get("risk", ""), "why": reason.get("why", ""), "succeeds_only_if": list(_conditions(step))}
    return {**told, "request": sent, **more}


def _conditions(step: ProgramStep) -> Iterator[str]:
    """What the step has to show of the changes before it, in words; and what cannot be seen, with the reason."""
    if step.allows is not None:
        yield "the thing allows what is going to be sent"
    for each in step.expects:
        place = each.place.lstrip("/")
        if each.before is not None:
            yield f"it is new: not so if {each.text}"
        elif each.asked is None:
            yield each.text if each.is_shown else f"not to be seen: {each.text}"
        elif each.found is None:
            yield f"not to be seen: {place or 'the change'} ({each.text})"
        elif each.among:
            yield f"{place} {'has' if each.among == 'in' else 'no longer has'} what was asked for" + _how(each)
        else:
            yield f"{place or 'what is read'} is as asked for" + _how(each)


def _how(each: Expectation) -> str:
    notes = [each.compare, "the names agree, nobody promised it" if each.is_assumed else ""]
    return f" ({'; '.join(note for note in notes if note)})" if any(notes) else ""


def _as_written(step: Json) -> dict[str, Json]:
    pointer = str(step.get("operationPath") or "").partition("#/paths/")[2]
    path, _, method = pointer.replace("~1", "/").replace("~0", "~").rpartition("/")
    named = path or str(step.get("operationId") or step.get("workflowId") or "")
    told: dict[str, Json] = dict.fromkeys(("effect", "role", "risk", "why"), "")
    told |= {"is_safe": False, "is_idempotent": False, "succeeds_only_if": []}
    words = {"step_id": str(step.get("stepId", "")), "description": str(step.get("description", ""))}
    sent = {name: step[name] for name in _REQUEST if name in step}
    return {**told, **words, "method": method.upper(), "path_template": named, "request": sent}


def risk_reasons_of(revision: Revision) -> list[dict[str, Json]]:
    """Why it has its class: the reasons of the steps that have it too."""
    proof = revision.proof if isinstance(revision.proof, dict) else {}
    return [each for each in proof.get("risk", ()) if each["risk"] == revision.risk]


def proposed_of(revision: Revision) -> list[dict[str, Json]]:
    """What a model said of it, with the compiler's verdict; empty where none was asked."""
    return list(revision.proof.get("proposed", ())) if isinstance(revision.proof, dict) else []


def asked_as_of(revision: Revision) -> list[str]:
    """The sentences by which operators ask for it, as its document has them."""
    said = _own(revision).get("asked_as")
    return [str(each) for each in said] if isinstance(said, list) else []


def proposed_by_of(revision: Revision) -> dict[str, str] | None:
    """`by` which model, and from which `sentence` of an operator, it was put together, and what of that was `left` to
    the steps' own checks; None where people did that."""
    told = _own(revision).get("proposed")
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else None


def _own(revision: Revision) -> Mapping[str, Json]:
    document = revision.content.document
    workflows = document.get("workflows") if isinstance(document, dict) else None
    own = workflows[0].get(OURS) if workflows and isinstance(workflows[0], dict) else None
    return own if isinstance(own, dict) else {}


def unproved_of(revision: Revision) -> str:
    """Why the compiler could not run it on the twin; empty where it did, and for what was never to be run there."""
    proof = revision.proof if isinstance(revision.proof, dict) else {}
    return str(proof.get("reason", "")) if proof.get("verified") is False else ""


def approval_of(revision: Revision) -> dict[str, Json] | None:
    """Who or what approved it, until when: `how` is `people`, `policy` or `bundle`; None while it is not approved.

    `who`: the people whose approvals counted, here and, where the policy counts them, where a bundle was made. `why`:
    what the policy, the bundle or the last of them said.
    """
    if revision.state != "approved":
        return None
    how = "policy" if revision.decided_by == POLICY else "bundle" if is_of_bundle(revision.decided_by) else "people"
    who = list(revision.votes) or ([str(revision.decided_by)] if how == "people" else [])
    until = {"at": revision.decided_at, "until": revision.expires_at}
    return {"how": how, "who": who, "why": revision.reason or "", **until}


def approval_text(revision: Revision) -> str:
    """The same as one sentence, for whoever calls it."""
    told = approval_of(revision)
    if told is None:
        return ""
    day = str(told["at"])[:10]
    people = " and ".join(each if _PLAIN.fullmatch(each) else "somebody" for each in told["who"])
    if told["how"] == "policy":
        return f"by a policy, without a person, on {day}"
    if told["how"] == "bundle":
        return f"by the bundle {str(revision.decided_by).partition(':')[2]}, brought here on {day}" + (
            f", approved by {people}" if people else ""
        )
    return f"by {people} on {day}"


def origin_of(revision: Revision) -> str:
    """The bundle that it was brought here by, as `NAME@VERSION`; empty for what was compiled here."""
    return revision.created_by.partition(":")[2] if is_of_bundle(revision.created_by) else ""


def is_of_bundle(actor: str | None) -> bool:
    return (actor or "").startswith(BUNDLE)


def dossier(revision: Revision, in_use: Revision | None) -> dict[str, Json]:
    """All of it as one value: what `GET /workflows/{id}` shows besides content and proof."""
    return {
        "steps": steps_of(revision),
        "risk_reasons": risk_reasons_of(revision),
        "proposed": proposed_of(revision),
        "asked_as": asked_as_of(revision),
        "proposed_by": proposed_by_of(revision),
        "unproved": unproved_of(revision),
        "origin": origin_of(revision),
        "approval": approval_of(revision),
        "difference": difference(revision, in_use),
    }


def picture(revision: Revision, form: Form) -> str:
    """Its steps as a picture, with their classes and what each has to show. Raises InvalidError where what is stored is
    no document; `steps_of` shows that one all the same.
    """
    steps = steps_of(revision)
    risks = {each["step_id"]: each["risk"] for each in steps}
    conditions = {each["step_id"]: each["succeeds_only_if"] for each in steps}
    try:
        return draw(revision.content.document, form, risks=risks, conditions=conditions)
    except WorkflowError as error:
        raise InvalidError(f"{revision.workflow_id} cannot be drawn: {error}", "look at its steps instead") from error


def difference(revision: Revision, in_use: Revision | None) -> dict[str, Json] | None:
    """What approving `revision` would change; None where nothing is in use, or it is itself."""
    if in_use is None or in_use.id == revision.id:
        return None
    new, old = revision.content, in_use.content
    operations = {*new.operations, *old.operations}
    return {
        "since": {"id": in_use.id, "number": in_use.number, "digest": in_use.digest},
        "risk": [in_use.risk, revision.risk],
        "document": _cut(_changes(old.document, new.document, "")),
        "tool": _cut(_changes(old.tool, new.tool, "")),
        "requests": _cut(_line_changes(request_lines(in_use), request_lines(revision))),
        "operations": sorted(name for name in operations if new.operations.get(name) != old.operations.get(name)),
        "profile": new.profile_digest != old.profile_digest,
    }


def request_lines(revision: Revision) -> list[str]:
    """The requests as lines: one for the operation, one for each thing that is sent."""
    lines: list[str] = []
    for step in steps_of(revision):
        lines.append(f"{step['step_id']}: {step['method']} {step['path_template']}")
        parameters = step["request"].get("parameters", ())
        lines += [f"  {each.get('in', '')} {each.get('name', '')} = {_text(each.get('value'))}" for each in parameters]
        body = step["request"].get("requestBody")
        lines += [f"  body {line}" for line in _pretty(body).splitlines()] if body is not None else []
    return lines


def _line_changes(old: list[str], new: list[str]) -> Iterator[Json]:
    return (line for line in difflib.ndiff(old, new) if line[0] in "+-")


def _changes(old: Json, new: Json, at: str) -> Iterator[Json]:
    """Each place at which the two differ, with what stands there before and after; absent is null and said so."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
            yield from _changes(old.get(name, NOTHING), new.get(name, NOTHING), place)
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes(before, after, f"{at}/{number}")
        return
    if old == new and type(old) is type(new):
        return
    kind = "added" if old is NOTHING else "removed" if new is NOTHING else "changed"
    sides = {"before": old, "after": new}
    yield {"at": at, "what": kind, **{name: side for name, side in sides.items() if side is not NOTHING}}


def _cut(changes: Iterator[Json]) -> list[Json]:
    found: list[Json] = []
    for change in changes:
        if len(found) == MOST_CHANGES:
            return [*found, f"and more than {MOST_CHANGES} others: read it as a new workflow"]
        found.append(change)
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
