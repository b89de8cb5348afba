"""A revision as a person reads it: what each step sends, what ends or repeats it, what its proof has shown.

Made out of what `GET /workflows/{ref}` answers: the document, which is what was approved, and the dossier beside it.
Pure; whatever a document of strangers holds is text here. Here never lives a judgement: all of these are statements of
the compiler or of the document. Arazzo 1.1, success and failure actions. Called by the pages.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Any
_OURS = "x-switchgear"
WAITS = "retry"


def workflow_of(told: Json) -> Mapping[str, Json]:
    """The workflow in the revision's document."""
    workflows = told["content"]["document"].get("workflows") or [{}]
    return workflows[0] if isinstance(workflows[0], Mapping) else {}


def steps_shown(told: Json) -> list[dict[str, Json]]:
    """The steps in order, each with what it sends, `guards` (what ends it, and how it is told) and `waits`."""
    written = {str(step.get("stepId")): step for step in workflow_of(told).get("steps", ()) if isinstance(step, dict)}
    return [_step(step, written.get(step["step_id"], {})) for step in told["steps"]]


def _step(step: Mapping[str, Json], written: Mapping[str, Json]) -> dict[str, Json]:
    request = step["request"] if isinstance(step["request"], Mapping) else {}
    sent = [
        {"in": str(each.get("in", "")), "name": str(each.get("name", "")), "value": each.get("value")}
        for each in request.get("parameters") or ()
        if isinstance(each, Mapping)
    ]
    body = request.get("requestBody")
    payload = body.get("payload") if isinstance(body, Mapping) else None
    return {**step, "sent": sent, "body": payload, **_actions(written)}


def _actions(written: Mapping[str, Json]) -> dict[str, Json]:
    """What is done where a step goes otherwise: ends, waits, and turns to another step."""
    found: dict[str, list[Json]] = {"guards": [], "waits": [], "turns": []}
    for name, list_name in (("onSuccess", "success"), ("onFailure", "failure")):
        for action in written.get(name) or ():
            if isinstance(action, Mapping):
                kind, told = _action(action, list_name)
                found[kind].append(told)
    return found


def _action(action: Mapping[str, Json], after: str) -> tuple[str, dict[str, Json]]:
    ours = action.get(_OURS)
    own: Mapping[str, Json] = ours if isinstance(ours, Mapping) else {}
    told = {
        "name": str(action.get("name", "")), "after": after, "code": own.get("code", ""),
        "message": own.get("message", ""), "outcome": own.get("outcome", ""), "when": list(_conditions(action)),
    }  # fmt: skip
    if action.get("type") == WAITS:
        return "waits", {**told, "seconds": action.get("retryAfter", 0), "times": action.get("retryLimit", 1)}
    if action.get("type") == "goto":
        return "turns", {**told, "to": action.get("stepId", action.get("workflowId", ""))}
    return "guards", told


def _conditions(action: Mapping[str, Json]) -> Iterator[str]:
    for each in action.get("criteria") or ():
        if isinstance(each, Mapping):
            yield str(each.get("condition", ""))


def success_of(told: Json) -> list[dict[str, Json]]:
    """What each step must show to have succeeded: the criteria as they are checked."""
    return [
        {"step": str(step.get("stepId", "")), "criteria": list(_conditions({"criteria": step.get("successCriteria")}))}
        for step in workflow_of(told).get("steps", ())
        if isinstance(step, Mapping)
    ]


def inputs_schema(told: Json) -> Mapping[str, Json]:
    """The whole schema of its inputs."""
    schema = workflow_of(told).get("inputs")
    return schema if isinstance(schema, Mapping) else {}


def runs_of_proof(told: Json) -> list[dict[str, Json]]:
    """The cases and behaviours that it was run through, in order; `number` counts them from 1."""
    proof = told["proof"] if isinstance(told["proof"], Mapping) else {}
    runs = [run for run in proof.get("runs") or () if isinstance(run, Mapping)]
    return [{**_run(run), "number": number} for number, run in enumerate(runs, 1)]


def _run(run: Mapping[str, Json]) -> dict[str, Json]:
    transcript = run.get("transcript")
    failure = run.get("failure")
    code = failure.get("code", "") if isinstance(failure, Mapping) else run.get("code", "")
    asked = len(transcript) if isinstance(transcript, list) else run.get("requests", 0)
    return {
        "case": str(run.get("case", "")), "kind": "failure path" if run.get("failure_path") else "case",
        "outcome": str(run.get("outcome", "")), "code": str(code or ""), "requests": asked,
        "told": str(run.get("told", "")), "inputs": run.get("inputs"), "outputs": run.get("outputs"),
        "transcript": transcript if isinstance(transcript, list) else None,
    }  # fmt: skip


def examples_of(told: Json) -> Mapping[str, Json]:
    """Inputs that the twin has taken: those of the first case that has any."""
    found = (run["inputs"] for run in runs_of_proof(told) if isinstance(run["inputs"], Mapping) and run["inputs"])
    return next(found, {})


def sides_of(difference: Json) -> list[dict[str, str]]:
    """The changed request lines, what went beside what came."""
    rows: list[dict[str, str]] = []
    for line in difference.get("requests") or ():
        kind, text = line[:1], line[2:]
        if kind == "+" and rows and rows[-1]["old"] and not rows[-1]["new"]:
            rows[-1]["new"] = text
        elif kind == "+":
            rows.append({"old": "", "new": text})
        elif kind == "-":
            rows.append({"old": text, "new": ""})
        else:
            rows.append({"old": line, "new": line})
    return rows
