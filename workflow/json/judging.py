"""A process of its own in which one large value is judged by its schema: `python -m workflow.json.judging`.

Reads `{"schema": …}` as one line of JSON and the value behind it, both on standard input; writes
`{"fault": null}` or `{"fault": {"message", "path"}}`. Validation holds the interpreter from its first to its last
value, so that whoever serves many callers has large values judged here (`runtime/large_values.py`).
Judges exactly as `inputs` and `runtime/engines/conformance.py` do: patterns in linear time, nothing fetched, no value
repeated.
"""

import contextlib
import os
import resource
import sys
from typing import Any, NoReturn

import jsonschema_rs
import orjson

from workflow.json.patterns import LINEAR, enforceable

_NICE = 10  # whoever serves many callers goes first, also where all processors are busy
# Seconds of processor time: a hundred times what an honest description needs for the largest request there may be.
MOST_WORK_S = 20


def validator_of(enforced: Any) -> jsonschema_rs.Draft202012Validator:
    """The judge of what a schema says that can be enforced (`patterns`). Raises ValueError for a schema that is none.

    Formats are left alone: the standard makes them annotations, and devices' dates are many.
    """
    return jsonschema_rs.Draft202012Validator(
        enforced, mask="the value", validate_formats=False, retriever=_nothing, pattern_options=LINEAR
    )


def fault_of(schema: Any, value: Any) -> dict[str, Any] | None:
    """The first thing that does not fit: what, and the way to it. Raises ValueError for a schema that is none."""
    validator = validator_of(enforceable(schema)[0])
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return {"message": error.message, "path": list(error.instance_path)}
    return None


def _nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is outside of the schema")


def main() -> None:
    if hasattr(os, "nice"):
        os.nice(_NICE)
    with contextlib.suppress(ValueError, OSError):  # a machine that sets less; whoever asks has a limit, too
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_WORK_S, MOST_WORK_S + 1))
    schema, _, value = sys.stdin.buffer.read().partition(b"\n")
    fault = fault_of(orjson.loads(schema)["schema"], orjson.loads(value))
    sys.stdout.buffer.write(orjson.dumps({"fault": fault}))


if __name__ == "__main__":
    main()
