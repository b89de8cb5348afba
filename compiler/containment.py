"""Faults of ours, kept to the one item in which they happen: the flow, the operation or the schema is left out.

Whatever is done item by item is done through `Containment`, so that no single item loses a compile; what a pass does
with the whole API at once is `isolating`'s. What is no fault of ours (the author's, a limit, a model's server) goes
on its way. Called by the front end, the passes, `verification` and `submission`. Here never lives a decision about
what can go on without the item: whoever asks says what stands in its place.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from compiler.errors import CompilerError
from compiler.ir.model import Diagnostic, Severity
from workflow.json.canonical import digest

FAULT = "internal-error"
_FRAMES = 6  # enough to tell two faults of one function apart, few enough that callers make no difference
_DIGITS = 12
Made = TypeVar("Made")
Instead = TypeVar("Instead")


class Containment:
    """What went wrong in one part of the compiler, called `within` in the findings."""

    def __init__(self, within: str) -> None:
        self.within = within
        self._found: dict[Diagnostic, None] = {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """A finding for each item that was left out, in the order in which that happened."""
        return tuple(self._found)

    def tried(self, item: str, work: Callable[[], Made], instead: Instead) -> Made | Instead:
        """What `work` gives; where it fails for a reason of ours, `instead`, and a finding about `item`."""
        made, error = attempt(work)
        if error is None:
            return cast(Made, made)
        self.note(item, error)
        return instead

    def note(self, item: str, error: Exception) -> None:
        """Keeps the finding that `item` is left out."""
        self._found[fault(self.within, item, error)] = None


def attempt(work: Callable[[], Made]) -> tuple[Made | None, Exception | None]:
    """What `work` gives, or the error of ours in which it ends. Raises what is no fault of ours."""
    try:
        return work(), None
    except Exception as error:
        if not _is_ours(error):
            raise
        return None, error


def _is_ours(error: Exception) -> bool:
    """False for what others have to see to, and where nothing can go on."""
    if isinstance(error, CompilerError):
        return error.exit_code == CompilerError.exit_code
    return not isinstance(error, MemoryError)


def fault(within: str, item: str, error: Exception) -> Diagnostic:
    """The finding: what, where in the compiler, and the digest under which it is reported."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.name}" for frame in frames]
    known_by = digest({"within": within, "error": type(error).__name__, "places": places}).removeprefix("sha256:")
    at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return Diagnostic(
        FAULT,
        Severity.ERROR,
        item,
        f"an error of ours in {within} ({type(error).__name__}: {str(error)[:200]}, at {at}); it is left out",
        f"report {known_by[:_DIGITS]} together with the description",
    )
