"""The values of every page of the console, whose texts are whatever somebody says: as the API answers, and more so.

Called by the test of hostile texts; each place of a page that holds a text is here once. Nothing is judged here.
"""

from collections.abc import Callable
from typing import Any

from runtime.console import reading
from runtime.console.desk import Cut, Filters
from runtime.console.forms import fields_of
from runtime.console.inside import ApiRefusal
from runtime.console.plots import bars
from runtime.console.results import FORMS, shown
from runtime.console.timeline import shortened, timeline_of
from tests.runtime.console_pages_of_many import pages_of_many

Json = Any
Say = Callable[[], str]


def summary(say: Say) -> dict[str, Json]:
    return {
        "id": say(),
        "api": say(),
        "workflow_id": say(),
        "number": 1,
        "digest": say(),
        "state": say(),
        "intent": say(),
        "risk": say(),
        "resource": say(),
        "is_core": True,
        "rank": 1.0,
        "created_at": say(),
        "created_by": say(),
        "decided_at": say(),
        "decided_by": say(),
        "reason": say(),
        "votes": [say()],
        "expires_at": say(),
        "votes_needed": 2,
        "votes_counted": 1,
        "not_yours": say(),
        "votes_not_of": [say()],
        "how": say(),
        "title": say(),
        "description": say(),
    }


def detail(say: Say, state: str) -> dict[str, Json]:
    step = {
        "step_id": say(),
        "method": say(),
        "path_template": say(),
        "effect": say(),
        "role": say(),
        "risk": say(),
        "description": say(),
        "is_safe": False,
        "is_idempotent": False,
        "why": say(),
        "succeeds_only_if": [say()],
        "request": {
            "parameters": [{"in": say(), "name": say(), "value": say()}],
            "requestBody": {"payload": {say(): [say()]}},
        },
    }
    ours = {"code": say(), "message": say(), "outcome": say()}
    actions = [
        {"name": say(), "type": kind, "stepId": say(), "criteria": [{"condition": say()}], "x-switchgear": ours}
        for kind in ("end", "retry", "goto")
    ]
    written = {"stepId": step["step_id"], "successCriteria": [{"condition": say()}], "onFailure": actions}
    schema = {"properties": {say(): {"type": "string", "enum": [say()], "description": say()}, "b": {"type": "object"}}}
    run = {
        "case": say(),
        "outcome": say(),
        "failure": {"code": say()},
        "told": say(),
        "inputs": {say(): say()},
        "outputs": {say(): [{say(): say()}]},
        "transcript": [
            {
                "method": say(),
                "path": say(),
                "step": say(),
                "at_s": 0.0,
                "attempt": 2,
                "query": [[say(), say()]],
                "sent": say(),
                "status": 200,
                "answered": say(),
            }
        ],
    }
    change = {"at": say(), "what": say(), "before": say(), "after": {say(): say()}}
    return {
        **summary(say),
        "state": state,
        "steps": [step],
        "risk_reasons": [{"risk": say(), "why": say(), "step": say(), "operation": say()}],
        "proposed": [{"model": say(), "kind": say(), "value": say(), "is_accepted": False, "reason": say()}],
        "unproved": say(),
        "origin": say(),
        "approval": {"how": say(), "who": [say()], "why": say(), "at": say(), "until": say()},
        "difference": {
            "since": {"number": 1},
            "risk": [say(), say()],
            "document": [change],
            "tool": [change, say()],
            "requests": [f"- {say()}", f"+ {say()}", f"+ {say()}"],
            "operations": [say()],
            "profile": True,
        },
        "disabled": {"disabled_by": say(), "reason": say()},
        "proof": {"runs": [run]},
        "content": {"document": {"workflows": [{"inputs": schema, "steps": [written]}]}, "tool": {"name": say()}},
    }


def run(say: Say) -> dict[str, Json]:
    doubt = {"request": say(), "may": say(), "look": say()}
    failure = {
        "step_id": say(),
        "code": say(),
        "message": say(),
        "said": [say()],
        "done": [say()],
        "not_done": [say()],
        "remedy": say(),
        "doubt": doubt,
    }
    differences = [{"place": say(), "asked": say(), "found": {say(): say()}}]
    verdict = {"verified": say(), "verified_why": say(), "note": say(), "next": say(), "differences": differences}
    record = {
        "seq": 1,
        "step_id": say(),
        "method": say(),
        "path": say(),
        "status": 400,
        "duration_ms": 1.0,
        "at": say(),
    }
    return {
        "id": say(),
        "workflow_id": say(),
        "number": 1,
        "revision_id": say(),
        "digest": say(),
        "target": say(),
        "caller": say(),
        "inputs": {say(): say()},
        "started_at": say(),
        "finished_at": say(),
        "outcome": "unknown",
        "outputs": {say(): [{say(): say()}]},
        "failure": failure,
        "verdict": verdict,
        "cancel_by": say(),
        "resolution": None,
        "steps": [
            {**record, "phase": "sending", "detail": None},
            {**record, "phase": "failed", "detail": {"reason": say()}},
        ],
    }


def pages(say: Say) -> dict[str, dict[str, Json]]:
    """Each template with its values: all of their texts are what `say` says."""
    told, one = detail(say, "pending"), run(say)
    turns = [
        {
            "event": {},
            "command": {
                "type": "SendRequest",
                "step_id": one["steps"][0]["step_id"],
                "method": one["steps"][0]["method"],
                "query": [[say(), say()]],
                "body": {say(): say()},
            },
        },
        {"event": {"type": "ResponseArrived", "body": say()}, "command": {"type": "StartTimer", "seconds": 1}},
    ]
    counts = {"state": {say(): 1}, "api": {say(): 1}, "risk": {say(): 1}, "created_by": {say(): 1}, "how": {say(): 1}}
    asked = Filters(
        {name: say() for name in ("api", "risk", "by", "q", "state", "workflow", "target", "caller", "actor")}
    )
    rows = {"rows": [summary(say)], "total": 1, "counts": counts, "asked": asked, "number": 2, "pages": 3, "limit": 50}
    rows["ages"] = {say(): (say(), 1)}
    target = {
        "name": say(),
        "api": say(),
        "base_url": say(),
        "mode": say(),
        "tls": say(),
        "is_default": True,
        "labels": {say(): say()},
        "has_credentials": True,
        "limits": {"a": 1},
        "references": {"password_ref": say()},
    }
    state = {"inside": 0, "waiting": 0, "is_resting": True, "target": target["name"], "device": say()}
    state |= {"sessions": 1, "is_full": True, "rests_s": 1.0, "failures": 5, "why": say()}
    choices = {"modes": [target["mode"], say()], "responses": ["", say()], "limits": ["a"], "references": [say()]}
    tool = {
        "name": say(),
        "workflow_id": say(),
        "number": 1,
        "title": say(),
        "description": say(),
        "api": say(),
        "risk": say(),
        "tokens": 1,
    }
    catalog = {
        "seen_by": say(),
        "role": say(),
        "tools": [{**tool, "is_listed": True}, {**tool, "is_listed": False}],
        "listed": 1,
        "tokens": 1,
        "tokens_of_all": 2,
        "hides_some": True,
        "searched": say(),
        "workflows": 3,
        "may_call": False,
        "operations": 3,
        "tokens_of_operations": 3,
        "tokens_found": 3,
        "found": {
            "workflows": [{"name": say(), "risk": say(), "does": say()}],
            "more": 1,
            "nothing_approved_does": [{"operation": say(), "does": say(), "none_because": say()}],
        },
    }
    figures = {"runs": 1, "outcomes": {say(): 1}, "p50_ms": 1.0, "p95_ms": 1.0}
    stats = {"all": figures, "by_target": {say(): figures}, "by_caller": {say(): figures}}
    plan = {
        "plan_id": say(),
        "expires_at": say(),
        "target": say(),
        "in_the_way": say(),
        "then": [say()],
        "found": [{say(): say()}],
        "changes": [
            {
                "method": say(),
                "address": say(),
                "step": say(),
                "does": say(),
                "only": say(),
                "not_yet_known": [say()],
                "headers": {say(): say()},
                "body": {say(): say()},
            }
        ],
    }
    refusal = ApiRefusal(409, say(), say(), say())
    inputs = fields_of(reading.inputs_schema(told), {name: say() for name in ("b",)})
    rule = {
        "people": 1,
        "minutes": 5,
        "classes": [say()],
        "workflows": [say()],
        "targets": [say()],
        "labels": {say(): say()},
    }
    policy = {"ask": [rule], "classes": {say(): {"approvals": 1, "approval_days": 2, "windows": [{"from": say()}]}}}
    foreseen = {"id": say(), "workflow_id": say(), "number": 1, "risk": say(), "would": "suffice"}
    token = {
        "id": say(),
        "name": say(),
        "role": say(),
        "scope": {say(): [say()]},
        "created_at": say(),
        "revoked_at": None,
        "expires_at": say(),
    }
    user = {"name": say(), "role": say(), "also": [say()], "scope": {say(): say()}, "disabled_at": None}
    schedule = {
        "name": say(),
        "workflow_id": say(),
        "target": say(),
        "labels": {say(): say()},
        "cron": say(),
        "zone": say(),
        "is_paused": False,
        "next_at": say(),
        "last": {"outcome": say(), "why": say()},
        "created_by": say(),
    }
    endpoint = {
        "name": say(),
        "url": say(),
        "kinds": [say()],
        "apis": [say()],
        "disabled_at": say(),
        "disabled_why": say(),
    }
    dead = {"id": say(), "endpoint": say(), "kind": say(), "made_at": say(), "tries": 1, "error": say()}
    row = {"seq": 1, "at": say(), "actor": say(), "action": say(), "subject": say(), "detail": {say(): say()}}
    ask = {
        "id": say(),
        "run_id": say(),
        "revision_id": say(),
        "workflow_id": say(),
        "number": 1,
        "risk": say(),
        "target": say(),
        "caller": say(),
        "people": 2,
        "votes": [say()],
        "by": say(),
        "reason": say(),
        "state": "waiting",
        "expires_at": say(),
    }
    return {
        "queue.html": {**rows, "asks": [ask]},
        "asks.html": {"cut": Cut([ask], 2, 3, 100), "asked": asked},
        "ask.html": {"told": ask, "plan": plan},
        "workflows.html": rows,
        "decide.html": {
            "shown": [{"told": told, "steps": reading.steps_shown(told)}],
            "lost": [{"ref": say(), "why": say()}],
        },
        "decide_many.html": {
            "rows": [{**summary(say), "requests": [say()] * 13, "reasons": [say()]}],
            "more": 2,
            "gone": [say()],
        },
        "decided.html": {
            "ends": [{"ref": say(), "name": say(), "is_done": False, "told": say(), "remedy": say()}],
            "action": say(),
            "reason": say(),
        },
        "workflow.html": {
            "told": told,
            "steps": reading.steps_shown(told),
            "success": reading.success_of(told),
            "inputs": inputs,
            "proof": reading.runs_of_proof(told),
            "drawn": say(),
            "sides": reading.sides_of(told["difference"]),
            "runs": [one],
            "runs_total": 2,
            "others": [summary(say)],
            "history": [row | {"detail": {"reason": say()}}],
        },
        "transcript.html": {"told": told, "run": reading.runs_of_proof(told)[0]},
        "document.html": {"told": told},
        "try.html": {
            "told": told,
            "fields": inputs,
            "targets": [target],
            "target": say(),
            "refusal": refusal,
            "plan": plan,
            "run_id": say(),
            "given": say(),
            "asks": True,
            "waiting": say(),
            "labels": [say(), say()],
            "is_masked": True,
            "chosen_labels": say(),
        },
        "runs.html": {"rows": [one], "total": 1, "asked": asked, "number": 2, "pages": 3, "outcomes": [say()]},
        "run.html": {
            "run": one,
            "timeline": shortened(timeline_of(one["steps"], turns)),
            "has_journal": True,
            "given": one["inputs"],
            "result": shown(one["outputs"], "table"),
            "forms": FORMS,
            "refusal": refusal,
        },
        "run.html as a tree": {
            "run": one,
            "timeline": [],
            "has_journal": True,
            "given": one["inputs"],
            "result": shown(one["outputs"], "tree"),
            "forms": FORMS,
        },
        "run.html as JSON": {
            "run": one,
            "timeline": [],
            "has_journal": True,
            "given": one["inputs"],
            "result": shown(one["outputs"], "json"),
            "forms": FORMS,
        },
        "targets.html": {
            "cut": Cut([target], 2, 3, 200),
            "states": {target["name"]: state},
            "asked": asked,
            "apis": [say()],
            "labels": [say()],
            "known": {say(): 1},
            **choices,
        },
        "target.html": {
            "seen": say(),
            **choices,
            "told": target,
            "state": state,
            "runs": [one],
            "total": 2,
            "tested": {
                "is_good": False,
                "at": say(),
                "by": say(),
                "findings": [{"step": say(), "outcome": say(), "message": say(), "remedy": say()}],
            },
        },
        "catalog.html": {
            "catalog": catalog,
            "asked": {name: say() for name in ("as", "role", "api", "q")},
            "risks": [say()],
            "names": [say()],
            "apis": {say(): 1},
        },
        "library.html": {
            "files": {
                kind: [{"name": say(), "size_bytes": 1, "digest": say(), "changed_at": say()}]
                for kind in ("specs", "profiles")
            },
            "builds": [
                {
                    **{name: say() for name in ("spec", "profile", "outcome", "by", "begun_at")},
                    "check": True,
                    "log": [say()],
                    "report": dict.fromkeys(("operations", "workflows", "findings"), 1),
                }
            ],
            "kind": "specs",
            "name": say(),
            "text": say(),
        },
        "schedules.html": {"cut": Cut([schedule], 1, 2, 100), "workflow": say()},
        "statistics.html": {
            "stats": stats,
            "catalog": catalog,
            "span": "day",
            "spans": {"day": 1},
            "outcomes": bars([(say(), 1)]),
            "calls": bars([(say(), 1)]),
            "latency": bars([(say(), 1)]),
            "tokens": bars([(say(), 1)]),
        },
        "audit.html": {
            "rows": [row, row | {"subject": f"run:{say()}"}, row | {"subject": f"revision:{say()}"}],
            "asked": asked,
            "after": 0,
            "per_page": 3,
            "newest": False,
            "outcomes": [say()],
            "verified": {"ok": False, "rows": 1, "first_bad": 1, "reason": say(), "altered": [say()]},
        },
        "policy.html": {
            "told": {"number": 1, "applied_by": say(), "applied_at": say(), "digest": say(), "policy": policy},
            "written": say(),
            "preview": [foreseen],
            "seen": say(),
        },
        "access.html": {
            "tokens": Cut([token], 2, 3, 100),
            "users": Cut([user], 2, 3, 100),
            "faults": [say()],
            "made": {"principal": {"name": say()}, "token": say()},
        },
        "events.html": {
            "endpoints": [endpoint],
            "dead": [dead],
            "faults": [say()],
            "senders": [
                {"name": say(), "secret_ref": say(), "scope": {say(): say()}, "created_by": say(), "created_at": say()}
            ],
        },
        **pages_of_many(say, plan, one, summary(say)),
        "start.html": {
            "counts": counts,
            "targets": [target],
            "runs": [one],
            "runs_total": 1,
            "unknown": [one],
            "unknown_total": 1,
            "asks": [ask],
            "open_runs": [one],
            "open_total": 1,
            "ready": {"status": say(), "trouble": say(), "refused": 1},
            "steps": [
                {"text": say(), "is_done": False, "command": say(), "page": "", "besides": say()},
                {"text": say(), "is_done": False, "command": "", "page": "/console/queue", "besides": ""},
            ],
            "database": say(),
        },
        "refused.html": {"refusal": refusal, "back": "/console"},
    }
