"""What can be said about a description without proving anything.

The validator's objections, the front end's findings, what was assumed, what is left out and why. Called by the command
`lint`; stores and proves nothing.
"""

from collections.abc import Iterator, Sequence

from compiler import assumptions
from compiler.frontend import load_api
from compiler.frontend.conformance import objections
from compiler.ir.model import Diagnostic, Severity
from compiler.pipeline import CompileRequest, find_profile, options_for, plan_flows, understand
from compiler.profile_fit import refuse_another

_SHOWN = 8  # of one kind; the JSON has all


def lint(request: CompileRequest) -> tuple[Diagnostic, ...]:
    """All findings, in the order of the stages. Raises as `load_api` does for what can't be read at all."""
    profile = find_profile(request)
    loaded = load_api(request.spec, root=request.root, profile=profile, overlay=request.overlay)
    refuse_another(loaded.api, profile, request)
    understood = understand(loaded.api, profile)
    assumed = assumptions.run(understood.api, options_for(loaded.api, profile))
    planned = plan_flows(understood.api, understood.profile)
    left = tuple(
        Diagnostic("left-out", Severity.NOTE, operation.key, operation.left_out)
        for operation in planned.api.operations
        if operation.left_out
    )
    found = (*loaded.diagnostics, *understood.diagnostics, *assumed.diagnostics, *planned.diagnostics, *left)
    return (*objections(request.spec), *found)


def as_text(found: Sequence[Diagnostic]) -> str:
    """The findings for people: by kind, the gravest first, each kind with what can be done about it."""
    order = list(Severity)
    kinds: dict[tuple[int, str], list[Diagnostic]] = {}
    for one in found:
        kinds.setdefault((order.index(one.severity), one.code), []).append(one)
    lines = (line for key in sorted(kinds, key=lambda key: key[0]) for line in _kind(kinds[key]))
    return "\n".join(lines) or "nothing to say"


def _kind(found: list[Diagnostic]) -> Iterator[str]:
    first = found[0]
    remedies = {one.remedy for one in found}
    remedy = f": {first.remedy}" if len(remedies) == 1 and first.remedy else ""
    yield f"{first.severity.value}: {first.code} ({len(found)}){remedy}"
    for one in found[:_SHOWN]:
        own = f" ({one.remedy})" if one.remedy and not remedy else ""
        yield f"  {one.pointer}: {one.message}{own}"
    if len(found) > _SHOWN:
        yield f"  … and {len(found) - _SHOWN} more; --json shows all"
