"""What can be said about a description without proving anything.

The validator's objections, the front end's findings, what was assumed, what is left out and why. Called by the command
`lint`; stores and proves nothing.
"""

from compiler.frontend import load_api
from compiler.frontend.conformance import objections
from compiler.ir.model import Diagnostic, Severity
from compiler.pipeline import Request, find_profile, plan_flows, understand


def lint(request: Request) -> tuple[Diagnostic, ...]:
    """All findings, in the order of the stages. Raises as `load_api` does for what can't be read at all."""
    profile = find_profile(request)
    loaded = load_api(request.spec, root=request.root, profile=profile, overlay=request.overlay)
    understood = understand(loaded.api, profile)
    planned = plan_flows(understood.api, profile)
    left = tuple(
        Diagnostic("left-out", Severity.NOTE, operation.key, operation.left_out)
        for operation in planned.api.operations
        if operation.left_out
    )
    found = (*loaded.diagnostics, *understood.diagnostics, *planned.diagnostics, *left)
    return (*objections(request.spec), *found)
