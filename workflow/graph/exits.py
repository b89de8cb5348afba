"""How a step goes on: its actions as exits, in the order in which a run tries them, and conditions in words.

A step that succeeds without an action of its own leads to the next; one that fails so ends the run. Called by `boxes`.
Follows the Arazzo Specification 1.1, "Success Action Object" and "Failure Action Object". Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflow.documents.document import (
    Criterion,
    Document,
    FailureAction,
    Json,
    Reusable,
    SuccessAction,
    Workflow,
    ours,
)
from workflow.documents.document import Step as DocumentStep
from workflow.documents.selectors import kind_of
from workflow.graph.flow import Exit, on_one_line

Action = SuccessAction | FailureAction
_LONGEST = 200
# One place held against several values, and a count that holds or not: shorter, and the same.
_ONE_OF = re.compile(r"(\$\S+) == ([\w']+)(?: \|\| \1 == [\w']+)+")
_COUNTED = re.compile(r"\$\[\?(count\(.*\) [=<>!]+ \d+)\]")


@dataclass(frozen=True, slots=True)
class Exits:
    succeeded: tuple[Exit, ...]
    failed: tuple[Exit, ...]

    @property
    def has_retry(self) -> bool:
        return any(each.kind == "again" for each in self.failed)


def exits_of(document: Document, workflow: Workflow, step: DocumentStep) -> Exits:
    """The step's own actions, then the workflow's that none of its own replaces by name."""
    succeeded = _followed(document, (*step.on_success, *workflow.success_actions))
    failed = _followed(document, (*step.on_failure, *workflow.failure_actions))
    return Exits(
        tuple(_exit(workflow, each, "succeeded") for each in succeeded),
        tuple(_exit(workflow, each, "failed") for each in failed),
    )


def condition(criterion: Criterion) -> str:
    """A criterion on one line."""
    text = on_one_line(_ONE_OF.sub(_listed, criterion.condition), _LONGEST)
    counted = _COUNTED.fullmatch(text)
    match kind_of(criterion.type):
        case "simple":
            return text
        case "jsonpath" if counted:
            return f"{counted[1]} in {criterion.context}"
        case "regex":
            return f"{criterion.context} matches {text}"
        case kind:
            return f"{text} finds something in {criterion.context}" + ("" if kind == "jsonpath" else f" ({kind})")


def _listed(found: re.Match[str]) -> str:
    values = re.findall(r" == ([\w']+)", found[0])
    return f"{found[1]} is one of {', '.join(values)}"


def _followed(document: Document, entries: Sequence[Action | Reusable]) -> Iterator[Action]:
    known: dict[str, Action] = {**document.components.success_actions, **document.components.failure_actions}
    seen = set[str]()
    for entry in entries:
        action = known.get(entry.reference.rpartition(".")[2]) if isinstance(entry, Reusable) else entry
        if action is not None and action.name not in seen:
            seen.add(action.name)
            yield action


def _exit(workflow: Workflow, action: Action, usual: str) -> Exit:
    own = ours(action)
    outcome = str(own.get("outcome") or usual)
    when = " and ".join(condition(each) for each in action.criteria)
    numbers = {step.step_id: number for number, step in enumerate(workflow.steps, 1)}
    if action.type == "end":
        return Exit("ends", _ends(outcome, own), when, outcome=outcome)
    to = numbers.get(action.step_id or "")
    place = f"step {to}, {action.step_id}" if to else f"the workflow {action.workflow_id or action.step_id}"
    if action.type == "goto":
        return Exit("goes_on", on_one_line(f"on to {place}", _LONGEST), when, to)
    first = f" after {place}" if action.step_id or action.workflow_id else ""
    told = f"once more{first}{_tries(action)}"
    then = f"; then {_ends(outcome, own)}" if own.get("code") or own.get("outcome") else ""
    return Exit("again", on_one_line(told + then, 2 * _LONGEST), when)


def _tries(action: Action) -> str:
    if not isinstance(action, FailureAction):
        return ""
    limit = 1 if action.retry_limit is None else action.retry_limit
    wait = f" after {action.retry_after:g} s" if action.retry_after else ""
    return f"{wait}, at most {limit} time{'' if limit == 1 else 's'}"


def _ends(outcome: str, own: Mapping[str, Json]) -> str:
    code = f" ({own['code']})" if own.get("code") else ""
    message = f": {own['message']}" if own.get("message") else ""
    return on_one_line(f"ends as {outcome}{code}{message}", _LONGEST)
