"""What every pass takes and gives: `run(api, options) -> Outcome`.

A pass is pure: no I/O, clock, randomness, logging or globals, and no iteration over a set where order could reach
the output. Valid IR in, valid IR out (`compiler.ir.verifier` looks between any two).
"""

from collections.abc import Callable
from dataclasses import dataclass

from compiler.ir.model import Api, Diagnostic
from workflow.profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class Options:
    """The vendor's profile; `is_assumed` when none was given and an empty one stands in."""

    profile: Profile
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class PassOutcome:
    api: Api
    diagnostics: tuple[Diagnostic, ...] = ()


Pass = Callable[[Api, Options], PassOutcome]
