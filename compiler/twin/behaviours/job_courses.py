"""What becomes of a job that was just started, where a behaviour says so; each answers whether it could be made so.

Used by `acting` alone.
"""

from collections.abc import Callable, Mapping

from compiler.twin.jobs import JobRun

_SLOW = 20  # polls more than usual


def nothing() -> None:
    """The effect of what is not carried out."""


def _slow(run: JobRun) -> bool:
    run.polls, run.started = -_SLOW, run.started + 10 * _SLOW
    return True


def _critical(run: JobRun) -> bool:
    signs = [(at, values[0]) for at, values in run.job.failed_if]
    run.shows = dict(signs[:1])
    run.effect = nothing
    return bool(signs)


def _done(run: JobRun) -> bool:
    run.is_told_failed = True
    return bool(run.job.failed)


def _stuck(run: JobRun) -> bool:
    run.is_held = True
    return True


def _pending(run: JobRun) -> bool:
    if not run.job.pending:
        return False
    run.is_held, run.state = True, run.job.pending[0]
    return True


COURSES: Mapping[str, Callable[[JobRun], bool]] = {
    "slow": _slow, "critical": _critical, "done": _done, "stuck": _stuck, "pending": _pending,
}  # fmt: skip
