"""What happens, as log lines: one JSON object an event, for whoever collects logs.

Events are `call`, `run`, `request`, `login`, `decision` and `reload`; each names what it is about (run, workflow,
digest, target, caller, outcome, duration) and, where traces are on, the trace. With `SWITCHGEAR_LOG_FORMAT=json` they
are told at the level info, else only at debug: a person at a terminal does not want them. They hold names, ids and
numbers, and pass the vault like everything that is logged. Here never lives an input, an output or a message.
"""

import logging
from typing import Any

from runtime.observing import traces
from runtime.secrets import MEMBER

log = logging.getLogger("switchgear.event")


def say(event: str, **fields: Any) -> None:
    """Logs one event; fields that are None are left out. Costs next to nothing when nobody listens."""
    if not log.isEnabledFor(logging.INFO):
        return
    told = {"event": event, **{name: value for name, value in fields.items() if value is not None}}
    trace_id = traces.current_id()
    if trace_id:
        told["trace_id"] = trace_id
    log.info(" ".join([event, *(f"{name}={told[name]}" for name in fields if name in told)]), extra={MEMBER: told})


def quiet(*, is_json: bool, level: str) -> None:
    """Called once, when the log is set up: who reads text is told these lines only at debug."""
    log.setLevel(logging.INFO if is_json or level.lower() == "debug" else logging.WARNING)


def ms(seconds: float) -> float:
    """A duration as it is told."""
    return round(seconds * 1000, 3)
