"""The passes in order: from the API as read to its flows.

Here live the order and its reasons; what a pass does lives in `compiler.passes`. The IR is verified before the first
pass and after each; an operation that breaks one is left out (`isolating`). Called by `compiler.verification`, which
makes workflows of the flows, by lint and by the mock.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from compiler.containment import Containment
from compiler.errors import CompilerBug
from compiler.frontend import load_api
from compiler.ir import verifier
from compiler.ir.model import Api, Diagnostic, Operation
from compiler.isolating import isolated, set_aside, with_left_out
from compiler.passes import assumed, effects, jobs, links, orders_told, paging, parts, reserved, resources
from compiler.passes.flows import plan, postconditions
from compiler.passes.flows.ordered_states import OrderedStates, ordered_states
from compiler.passes.outcome import Options, Pass, PassOutcome
from compiler.twin.behaviours.library import LIBRARY
from compiler.twin.behaviours.tables import named
from workflow.profiles.profile import Profile, read_profile

PROFILE_NAME = "profile.yaml"

Passes = tuple[tuple[str, Pass], ...]

UNDERSTANDING: Passes = (
    ("reserved", reserved.run),  # first: what no caller may say is not seen by any pass
    ("parts", parts.run),  # before the rest: bodies are values from here on
    ("orders", orders_told.run),  # needs bodies as values; effects ask what can be ordered
    ("effects", effects.run),  # everything else asks what an operation does
    ("resources", resources.run),  # needs effects to tell a creation from an action
    ("paging", paging.run),  # needs resources: which operations list them
    ("bodies", assumed.run),  # needs resources; links and flows look into bodies
    ("jobs", jobs.run),  # needs effects to know what can start a job
    ("postconditions", postconditions.run),  # needs resources: what actions are done to
    ("links", links.run),  # needs resources and jobs, the makers of values
)
PLANNING: Passes = (("flows", plan.run),)  # backwards along the links
# Without them nobody knows what an operation does to a device, or callers could say what is not theirs to say.
_NEEDED = ("read", "reserved", "orders", "effects")
PASSES = tuple(name for name, _ in (*UNDERSTANDING, *PLANNING))


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """What to compile. `profile`: a file; None looks for `profile.yaml` beside the description.

    `plays_all`: each workflow is proved on every behaviour that applies to it, not on a sample of them.
    """

    spec: Path
    profile: Path | None = None
    overlay: Path | None = None
    root: Path | None = None
    plays_all: bool = False


def find_profile(request: CompileRequest) -> Profile | None:
    """The profile that was named, else the one beside the description, else none.

    Raises ProfileError, UnknownBehaviourError, OSError.
    """
    beside = request.spec.parent / PROFILE_NAME
    path = request.profile or (beside if beside.is_file() else None)
    if path is None:
        return None
    profile = read_profile(path)
    named(LIBRARY, profile.behaviours, str(path), "/behaviours")
    return profile


def run_passes(api: Api, passes: Passes, options: Options, until: str | None = None) -> PassOutcome:
    """The passes in order, up to and with `until`.

    An operation that breaks a pass, or the IR that comes of it, is left out from there on, and is a finding; a pass
    that fails without any operation is left out itself. Raises CompilerBug where that is a pass that nothing can do
    without.
    """
    found: tuple[Diagnostic, ...] = ()
    aside: dict[str, Operation] = {}
    for name, run in (("read", _as_read), *passes):
        contained = Containment(f"the pass {name}")
        outcome = isolated(api, partial(_verified, run, options), contained)
        if outcome is None and name in _NEEDED:
            raise CompilerBug(contained.diagnostics[-1].message, remedy=contained.diagnostics[-1].remedy)
        outcome = outcome or PassOutcome(api)
        aside |= set_aside(api, outcome.api, f"an error of ours in the pass {name}")
        api, found = outcome.api, (*found, *outcome.diagnostics, *contained.diagnostics)
        if name == until:
            break
    return PassOutcome(with_left_out(api, aside), found)


def _as_read(api: Api, _options: Options) -> PassOutcome:
    return PassOutcome(api)


def _verified(run: Pass, options: Options, api: Api) -> PassOutcome:
    outcome = run(api, options)
    verifier.verify(outcome.api, since=None if outcome.api is api else api)
    return outcome


def options_for(api: Api, profile: Profile | None) -> Options:
    return Options(profile or Profile(api=api.name), is_assumed=profile is None)


@dataclass(frozen=True, slots=True)
class Understood:
    """The API with effects, resources, jobs and links: what the twin is made from.

    `profile`: the given one, with the state rules that the description's own words tell.
    """

    api: Api
    diagnostics: tuple[Diagnostic, ...]
    profile: Profile | None


def understand(api: Api, profile: Profile | None) -> Understood:
    """The passes before planning, and what they tell beside the API."""
    options = options_for(api, profile)
    outcome = run_passes(api, UNDERSTANDING, options)
    contained = Containment("the states that orders bring about")
    told = contained.tried("", partial(ordered_states, outcome.api, options.profile), OrderedStates())
    states = (*options.profile.states, *told.rules)
    settled = options.profile.model_copy(update={"states": states}) if told.rules else profile
    return Understood(outcome.api, (*outcome.diagnostics, *told.notes, *contained.diagnostics), settled)


def plan_flows(api: Api, profile: Profile | None) -> PassOutcome:
    """The understood API with its flows."""
    return run_passes(api, PLANNING, options_for(api, profile))


def dump(request: CompileRequest, after: str) -> Api:
    """The IR as it is after the pass `after`."""
    profile = find_profile(request)
    loaded = load_api(request.spec, root=request.root, profile=profile, overlay=request.overlay)
    if after not in dict(PLANNING):
        return run_passes(loaded.api, UNDERSTANDING, options_for(loaded.api, profile), after).api
    understood = understand(loaded.api, profile)
    return plan_flows(understood.api, understood.profile).api
