"""The moment before a run's first change: a plan ends there and says what it would do, a confirmed one is held to it.

`Course.stepped`, through which both engines drive the interpreter, asks here what becomes of its command. What is shown
is masked before it is shown, kept or hashed: values of members that the profile calls secret, wherever they turn up in
an address, and values that this process knows. A plan that no longer fits ends the run before anything was sent that
could change something. Pure but for the masking. DESIGN.md, "Plan, then apply".
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

from runtime.driver.wire import wire_request, with_headers
from runtime.engines.engine import Order
from runtime.errors import Refused
from runtime.secrets import MASK, SHORTEST_SEARCHED
from workflow.programs.program import changes
from workflow.programs.state import State
from workflow.requests.events import Command, EndRun, Failure, SendRequest
from workflow.running.preconditions import is_first_change
from workflow.running.preview import PreviewedChange, foreseen

Json = Any
Clean = Callable[[Json], Json]
# A file in a body is told by its size and digest; what people can judge is smaller than this.
MOST_BODY_BYTES = 20_000
CHANGED = "what was read is not what the plan was made on: nothing was changed"
REMEDY = "ask for a new plan, look at it, and confirm that one"


def as_ordered(order: Order, clean: Clean, after: State, command: Command) -> tuple[State, Command]:
    """The state and the command that the interpreter has answered, as the order wants them."""
    if not is_first_change(after, command) or not (order.is_plan or order.confirmed):
        return after, command
    assert isinstance(command, SendRequest)
    shown = shown_plan(order, clean, after, command)
    over = replace(after, waiting="over", frames=())
    if order.is_plan:
        return replace(over, outcome="planned"), EndRun("planned", shown)
    confirmed = order.confirmed
    assert confirmed is not None
    if (shown["basis"], digest_of_changes(shown)) == (confirmed.basis, confirmed.changes):
        return after, command
    failure = Failure(command.step_id, "plan_changed", CHANGED, None, (), changes(order.program), REMEDY)
    return replace(over, outcome="failed"), EndRun("failed", {}, failure)


def shown_plan(order: Order, clean: Clean, state: State, first: SendRequest) -> dict[str, Json]:
    """`changes`: each request as it would be sent; `then`: what follows, in words; `found`: what it rests on.

    `basis` is the digest of all that was looked at.
    """
    view = foreseen(order.program, state, first)
    seen = clean(list(state.seen or ()))
    secrets = tuple(_secrets(order.inputs, frozenset(name.lower() for name in order.secret_names)))
    return {
        "changes": [_shown(order, clean, secrets, change) for change in view.changes],
        "then": [clean(text) for text in view.then],
        "found": [_found(each) for each in seen],
        "basis": digest_of(seen),
    }


def digest_of_changes(shown: Mapping[str, Json]) -> str:
    """The digest of what would be sent and what follows."""
    return digest_of([shown["changes"], shown["then"]])


def digest_of(value: Json) -> str:
    """Over any JSON; devices give numbers that RFC 8785 has no form for."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _found(seen: Json) -> Json:
    """What a person may want to know of what was looked at: the plain values, and which step read them."""
    values = {name.removeprefix("$response.body#/"): value for name, value in seen["values"].items()}
    things = [thing for each in seen["things"] for thing in each]
    told = {"step": seen["step"], **{name: value for name, value in values.items() if not name.startswith("$")}}
    return {**told, **({"things": [each for n, each in enumerate(things) if each not in things[:n]]} if things else {})}


def _shown(order: Order, clean: Clean, secrets: tuple[str, ...], change: PreviewedChange) -> dict[str, Json]:
    told: dict[str, Json] = {"step": change.step_id, "does": clean(change.description), "method": change.method}
    if change.request is None:
        told |= {"address": change.path_template, "not_yet_known": ["most of it: an earlier change has to give it"]}
    else:
        told |= _as_sent(order, clean, change.request)
    told = _in_texts(told, lambda text: _masked(_marked(text, change.unknown), secrets))
    if change.unknown:
        told["not_yet_known"] = list(change.unknown.values())
    return told if change.is_certain else {**told, "only": "if the device's answers make it necessary"}


def _in_texts(value: Json, change: Callable[[str], str]) -> Json:
    """`value` with all its texts changed; names of members stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _in_texts(member, change) for name, member in value.items()}
    return [_in_texts(item, change) for item in value] if isinstance(value, list | tuple) else value


def _marked(text: str, unknown: Mapping[str, str]) -> str:
    for mark, what in unknown.items():
        text = text.replace(mark, f"{{not yet known: {what}}}")
    return text


def _as_sent(order: Order, clean: Clean, request: SendRequest) -> dict[str, Json]:
    """The request byte for byte as far as it is text; credentials are put in by the driver and are not in it."""
    address, media_type = order.endpoint.address, order.endpoint.profile.envelope.media_type
    try:
        whole = with_headers(request, order.endpoint.profile.protocol)
        wire = wire_request(whole, address, (), media_type)
    except Refused as error:
        return {"address": clean(f"{address.origin}{address.prefix}{request.path}"), "refused": clean(error.message)}
    names = [(name.decode(), value.decode("latin-1")) for name, value in wire.headers]
    told: dict[str, Json] = {
        "address": clean(address.origin + wire.target.decode()),
        "headers": {name: clean(value) for name, value in names},
    }
    if request.body is not None:
        is_told = len(wire.body) <= MOST_BODY_BYTES
        told["body"] = clean(request.body) if is_told else _measured(wire.body)
    return told


def _measured(body: bytes) -> Json:
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _secrets(inputs: Json, names: frozenset[str]) -> Iterator[str]:
    """The texts that stand under a secret's name anywhere in the inputs."""
    for name, value in inputs.items() if isinstance(inputs, Mapping) else ():
        if name.lower() in names and isinstance(value, str) and len(value) >= SHORTEST_SEARCHED:
            yield value
        else:
            yield from _secrets(value, names)


def _masked(text: str, secrets: tuple[str, ...]) -> str:
    """`text` without the secrets, however an address spells them."""
    for secret in sorted(secrets, key=len, reverse=True):
        for spelled in (secret, quote(secret, safe=""), quote(secret, safe="$@:/*(),="), quote_plus(secret)):
            text = text.replace(spelled, MASK)
    return text
