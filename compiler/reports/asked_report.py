"""What became of an operator's sentence, for people and for programs: `compile --ask`.

What was understood, clause by clause; the workflow, new and pending or there already; else what is missing, and what
comes nearest. Called by `compiler.commands.compiling`; here never lives a judgement.
"""

from typing import Any

from compiler.proposals.asked import AskOutcome, Piece
from compiler.reports.report import diagnostic_json, diagnostics_text
from workflow.visible import visible


def as_json(outcome: AskOutcome) -> dict[str, Any]:
    """`outcome` is `proposed`, `exists` or `refused`; `workflow` is the id of the first two."""
    return {
        "sentence": visible(outcome.sentence),
        "outcome": _name(outcome),
        "workflow": _id(outcome),
        "api": outcome.compiled.api.name if outcome.compiled else None,
        "understood": [_piece(piece) for piece in outcome.pieces],
        "refusal": outcome.refusal,
        "could_be": outcome.could_be,
        "notes": list(outcome.notes),
        "diagnostics": [diagnostic_json(one) for one in outcome.diagnostics],
    }


def _name(outcome: AskOutcome) -> str:
    return "proposed" if outcome.workflow is not None else "exists" if outcome.exists else "refused"


def _id(outcome: AskOutcome) -> str | None:
    return outcome.workflow.flow.id if outcome.workflow is not None else outcome.exists or None


def _piece(piece: Piece) -> dict[str, Any]:
    return {
        "says": visible(piece.clause.said),
        "workflow": piece.chosen.id if piece.chosen else None,
        "why": piece.why,
        "nearest": [flow.id for flow in piece.offered],
    }


def as_text(outcome: AskOutcome) -> str:
    """The same as lines."""
    lines = [_line(piece) for piece in outcome.pieces]
    if outcome.workflow is not None:
        flow = outcome.workflow.flow
        lines.append(f"new and pending: {flow.id} ({flow.risk}): {flow.title}")
        lines += [f"  {step.id}: {step.operation}" for step in flow.steps]
    elif outcome.exists:
        lines.append(f"there is one already: {outcome.exists}")
    else:
        lines.append(f"no workflow: {visible(outcome.refusal)}")
        lines += [f"could be one: {outcome.could_be}"] if outcome.could_be else []
    return "\n".join([*lines, *outcome.notes, *diagnostics_text(outcome.diagnostics)])


def _line(piece: Piece) -> str:
    near = f"; nearest: {', '.join(flow.id for flow in piece.offered)}" if piece.offered else ""
    return f"“{visible(piece.clause.said)}”: {piece.chosen.id if piece.chosen else visible(piece.why) + near}"
