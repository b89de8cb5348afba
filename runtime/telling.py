"""How a run that did not succeed is told in words: to a model, over REST, on the command line, always the same.

What happened and where, what was done, what was not, what to do, where to read more. No protocol here; no HTML.
"""

from runtime.engines.engine import Ended
from workflow.events import Failure


def failure_of(ended: Ended) -> Failure:
    """The failure of a run that did not succeed."""
    return ended.failure or Failure("", ended.outcome, f"the run ended as {ended.outcome}")


def told(ended: Ended) -> str:
    """A few lines for whoever asked."""
    failure = failure_of(ended)
    place = f"Step {failure.step_id}" if failure.step_id else "The run"
    answered = f" (the device answered {failure.status})" if (failure.status or 0) >= 400 else ""
    lines = [f"{place} ended as {ended.outcome}, {failure.code}: {failure.message}{answered}"]
    lines.append(f"Done: {', '.join(failure.done) or 'nothing was changed'}.")
    if failure.not_done:
        lines.append(f"Not done: {', '.join(failure.not_done)}.")
    if failure.remedy:
        lines.append(f"What to do: {failure.remedy}")
    return "\n".join([*lines, f"Run: {ended.run_id}"])
