"""Which of the compiled workflows the demonstration wants: found by what they do, not by their names.

A wish names an intent and the operation that the workflow exists for; a word decides where one operation gave several
workflows, one for each class of risk. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class NoSuchWorkflowError(Exception):
    """The compiler made nothing that fits a wish."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`goal`: `METHOD /path` of one of its steps. `word`: one of those in the tool's title."""

    intent: str
    goal: str
    word: str = ""


def granted(wish: Wish, workflows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The main workflow that fits, the one with the fewest steps. Raises NoSuchWorkflowError.

    `workflows`: as in `switchgear compile --json`.
    """
    fitting = [workflow for workflow in workflows if fits(wish, workflow)]
    if not fitting:
        raise NoSuchWorkflowError(f"no workflow has the intent {wish.intent}, the step {wish.goal} and {wish.word!r}")
    return min(fitting, key=lambda workflow: (not workflow["core"], len(workflow["steps"]), workflow["id"]))


def fits(wish: Wish, workflow: Mapping[str, Any]) -> bool:
    steps = {f"{step['method']} {step['path']}" for step in workflow["steps"]}
    tool = workflow["tool"]
    words = tool["title"].lower().split()
    return workflow["intent"] == wish.intent and wish.goal in steps and (not wish.word or wish.word in words)
