"""How a plan, and a run that did not succeed, are told in words: to a model, over REST, on the command line.

What happened and where, what was done, what was not, what to do, where to read more. No protocol here; no HTML.
"""

import json
from dataclasses import replace
from typing import Any

from runtime.calls.under_way import Running
from runtime.engines.engine import Ended
from workflow.requests.events import Failure
from workflow.visible import visible

Json = Any
# A person reads this in a small window before saying yes; the whole stands in the record of the run.
MOST_BODY_SHOWN = 600
MOST_FOUND_SHOWN = 1200
MOST_PLAN_SHOWN = 100_000


def failure_of(ended: Ended) -> Failure:
    """The failure of a run that did not succeed; what a device said in it, without what cannot be seen."""
    failure = ended.failure or Failure("", ended.outcome, f"the run ended as {ended.outcome}")
    said = tuple(visible(sentence) for sentence in failure.said)
    return replace(failure, message=visible(failure.message), remedy=visible(failure.remedy), said=said)


def told(ended: Ended) -> str:
    """A few lines for whoever asked."""
    if ended.outcome == "pending":
        return told_pending(ended)
    failure = failure_of(ended)
    place = f"Step {failure.step_id}" if failure.step_id else "The run"
    answered = f" (the device answered {failure.status})" if (failure.status or 0) >= 400 else ""
    lines = [f"{place} ended as {ended.outcome}, {failure.code}: {failure.message}{answered}"]
    lines += told_words(failure.said)
    lines += _three_words(failure)
    if ended.verified and failure.code not in ("not_taken", "partly_taken"):
        lines.append(verified_line(ended))
    if failure.remedy:
        lines.append(f"What to do: {failure.remedy}")
    return "\n".join([*lines, f"Run: {ended.run_id}"])


def _three_words(failure: Failure) -> list[str]:
    """What was done, what was not, and what may have been; «nothing» only where nothing can have been."""
    lines = [f"Done: {', '.join(failure.done)}."] if failure.done else []
    if failure.may_be_done:
        lines.append(f"May have been done: {', '.join(failure.may_be_done)}.")
        lines += [f"The read that would tell: {failure.doubt.look}"] if failure.doubt and failure.doubt.look else []
    elif not failure.done:
        is_open = failure.code == "not_carried_out"
        lines.append(f"Done: {'nothing that can be seen' if is_open else 'nothing was changed'}.")
    return [*lines, f"Not done: {', '.join(failure.not_done)}."] if failure.not_done else lines


def told_running(running: Running, *, how: str = "call get_run with this run's id (cancel_run ends it)") -> str:
    """That the run goes on, where it is, and `how` its end is waited for."""
    at = running.progress
    percent = f" ({at.percent:g} %)" if at is not None and at.percent is not None else ""
    lines = [f"STILL RUNNING after {running.for_s:.0f} s: it is not done yet, and goes on by itself."]
    if running.outcome == "waiting":
        lines = ["NOT DONE YET: it waits for a person, and goes on by itself when it was let through."]
    lines += [f"Now: {visible(at.message)}{percent}"] if at is not None else []
    lines.append(
        f"What to do: {how}, which waits for the end. The same call again means this run, and begins no other."
    )
    return "\n".join([*lines, f"Run: {running.run_id}"])


def told_pending(ended: Ended) -> str:
    """What was accepted and is not in force yet, and what brings it into force."""
    following = f"What to do: run {ended.next}." if ended.next else "What to do: what the text says, then look again."
    text = visible(ended.note) or "It takes effect later."
    lines = ["Accepted, and not in force yet.", text, following, verified_line(ended)]
    return "\n".join([*(line for line in lines if line), f"Run: {ended.run_id}"])


def verified_line(ended: Ended) -> str:
    """Whether the device shows what was asked for; empty where nothing was to hold."""
    return f"Verified: {ended.verified} ({visible(ended.verified_why)})." if ended.verified else ""


def told_words(said: tuple[str, ...]) -> list[str]:
    """The device's own sentences on one line, each in quotes, so that nobody takes them for ours; none: no line."""
    return [f"The device said: {' '.join(f'“{sentence}”' for sentence in said)}"] if said else []


def told_plan(planned: Ended, *, is_wanted: bool) -> str:
    """The plan in words, and how to carry it out. `is_wanted`: a plan was asked for, and not the change itself."""
    plan = planned.outputs
    lines = [] if is_wanted else ["NOT DONE: this workflow asks before it changes anything."]
    lines.append(f"Plan for {plan['workflow']} on {plan['target']}. Nothing was changed. It would send:")
    for number, change in enumerate(plan["changes"], 1):
        lines += _told_change(number, change)
    lines += [f"   then: {text}" for text in plan["then"]]
    found = json.dumps(plan["found"], ensure_ascii=False)
    lines.append(f"Because of what was read: {_cut(found, MOST_FOUND_SHOWN)}")
    if "in_the_way" in plan:
        told_way = plan["in_the_way"]
        lines.append(f"In the way: {told_way['message']}. What to do first: {told_way['remedy']}.")
    until = f"until {plan['expires_at']}, if what was read is then still so"
    lines.append(f"To carry it out, call again with the same inputs and plan_id {plan['plan_id']} ({until}).")
    return visible("\n".join([*lines, f"Run: {planned.run_id}"]), MOST_PLAN_SHOWN)


def _told_change(number: int, change: Json) -> list[str]:
    lines = [f"{number}. {change['method']} {change['address']} ({change['does']})"]
    if "body" in change:
        lines.append(f"   {_cut(json.dumps(change['body'], ensure_ascii=False), MOST_BODY_SHOWN)}")
    lines += [f"   not yet known: {what}" for what in change.get("not_yet_known", [])]
    lines += [f"   only {change['only']}"] if "only" in change else []
    return lines


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters; the run's record has all)"
