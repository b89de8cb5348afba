"""What can be said about a description without compiling all of it: the front end's findings, what was assumed, and
what the specification's own validator objects to.

The validator (openapi-spec-validator, which openapi-core stands on) takes seconds on a thousand operations, so only
`lint` asks it, never `compile`.
"""

from itertools import islice
from pathlib import Path

import yaml
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from compiler.frontend import load_api
from compiler.ir.model import Diagnostic, Severity
from compiler.pipeline import Request, find_profile, plan_flows, understand

_MOST_OBJECTIONS = 50  # the same mistake repeated over a large file says nothing new


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


def objections(spec: Path) -> tuple[Diagnostic, ...]:
    """What the validator of the document's own version objects to; references to other files are not its matter."""
    data = yaml.load(spec.read_bytes(), Loader=yaml.CSafeLoader)
    version = str(data.get("openapi", data.get("swagger", "")))
    kinds = {"2.": OpenAPIV2SpecValidator, "3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}
    kind = next((kind for start, kind in kinds.items() if version.startswith(start)), None)
    if kind is None:
        return ()
    errors = islice(kind(data).iter_errors(), _MOST_OBJECTIONS)
    return tuple(_objection(spec.name, error) for error in errors)


def _objection(name: str, error: OpenAPIValidationError) -> Diagnostic:
    path = getattr(error, "absolute_path", ())
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    message = str(getattr(error, "message", error))[:300]
    return Diagnostic("not-valid", Severity.WARNING, f"{name}#{pointer}", message, "correct the description")
