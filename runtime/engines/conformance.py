"""Replies held against what the description promises: which places do not fit, and what is to be done about it.

Devices lie: they add members, send null for what is absent, leave out what is required. So by default a finding is
reported and the run goes on; `refuse` ends it before the value is used. Findings name places and rules, never values.
Validators are made when an operation is first answered, and kept; large replies are judged elsewhere. Called by
`engines.course`. Here never lives a request, nor an opinion on replies that are no success. JSON Schema 2020-12,
through jsonschema-rs.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import jsonschema_rs

from governance.errors import GovernanceError
from governance.registry.responses import Policy, ResponseStore
from governance.settings import Settings
from runtime.driver import DeviceEndpoint
from runtime.large_values import Unjudged, first_fault, written_if_large
from workflow.documents.schemas import as_json
from workflow.json.judging import validator_of
from workflow.json.patterns import enforceable
from workflow.json.pointers import escape
from workflow.requests.events import ResponseArrived

log = logging.getLogger("switchgear.replies")
Json = Any
# A person reads them: a list of a thousand things that all lack one member is one finding.
MOST_FINDINGS = 10
# Of a reply with more values than this, only the first things of each list are looked through for all faults.
MOST_VALUES, ITEMS_LOOKED_AT = 500, 3
OF_WHOLE_LISTS = ("minItems", "contains")
MOST_TEXT = 160
NO_CONTENT = 204
# Far more operations than approved workflows use; what is dropped is made again.
MOST_KEPT = 1000
# Of what has no schemas, so long until somebody looks again: a bundle or a compile may have brought some.
UNKNOWN_FOR_S = 30.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What one reply has to be: the schema as JSON, and made ready."""

    schema: bytes
    validator: jsonschema_rs.Draft202012Validator


Promises = Mapping[str, Promise]


@dataclass(frozen=True, slots=True)
class Misfit:
    """`at`: JSON pointer into the reply, to the first place of its kind; `what`: the rule, without the value."""

    operation: str
    at: str
    what: str

    def to_json(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


def policy_of(settings: Settings) -> Policy:
    """What the settings say is to be done."""
    return cast(Policy, settings.responses)  # one of its choices


class ResponseConformance:
    def __init__(self, store: ResponseStore, policy: Policy = "report") -> None:
        self._store = store
        self._policy = policy
        self._known: dict[str, Promises] = {}
        self._unknown_until: dict[str, float] = {}

    def policy_for(self, endpoint: DeviceEndpoint) -> Policy:
        """What is to be done about replies from there."""
        return endpoint.responses or self._policy

    async def misfits(self, operation: str, digest: str | None, reply: ResponseArrived) -> tuple[Misfit, ...]:
        """What about a successful reply does not fit; nothing where no schema is known. `operation`: its key."""
        if digest is None or not 200 <= reply.status < 300 or reply.status == NO_CONTENT:
            return ()
        try:
            promises = self._known[digest] if digest in self._known else await self._loaded(operation, digest)
        except GovernanceError as error:
            return (Misfit(operation, "", f"not checked, the schema cannot be read: {error.message}"[:MOST_TEXT]),)
        promise = promises.get(str(reply.status)) or promises.get(f"{reply.status // 100}XX")
        if promise is None:
            return ()
        written = written_if_large(promise.schema, reply.body)
        if written is None:
            return _misfits(operation, promise.validator, reply.body)
        return await _misfits_of_large(operation, promise, written, reply.body)

    async def _loaded(self, operation: str, digest: str) -> Promises:
        now = asyncio.get_running_loop().time()
        if self._unknown_until.get(digest, now) > now:
            return {}
        schemas = await self._store.get(digest)
        for kept in (self._known, self._unknown_until):
            if len(kept) >= MOST_KEPT:
                kept.pop(next(iter(kept)))
        if not schemas:
            self._unknown_until[digest] = now + UNKNOWN_FOR_S
            return {}
        made = {status: _promise(operation, schema) for status, schema in schemas.items()}
        self._known[digest] = {status: each for status, each in made.items() if each is not None}
        return self._known[digest]


def _promise(operation: str, schema: Json) -> Promise | None:
    """The device chooses the text that a pattern runs on: what no engine does in linear time is left out."""
    enforced, _ = enforceable(schema)
    try:
        validator = validator_of(enforced)
    except ValueError as error:
        log.warning("replies of %s are not checked, their schema cannot be used: %s", operation, str(error)[:MOST_TEXT])
        return None
    return Promise(as_json(enforced), validator)


def _misfits(operation: str, validator: jsonschema_rs.Draft202012Validator, body: Json) -> tuple[Misfit, ...]:
    try:
        if validator.is_valid(body):
            return ()
        sample = _sample(body)
        errors = () if sample is None else _errors(validator, sample, is_cut=sample is not body)
        return _named(operation, errors or (_first_error(validator, body),))
    except (ValueError, RecursionError) as error:  # nested deeper than can be followed
        return (Misfit(operation, "", _printable(f"not checked: {error}")),)


async def _misfits_of_large(operation: str, promise: Promise, written: bytes, body: Json) -> tuple[Misfit, ...]:
    """Judged where nobody waits for it; what its first things lack is looked for here, since they are few."""
    try:
        fault = await first_fault(promise.schema, written)
        sample = None if fault is None else _sample(body)
        if fault is None:
            return ()
        is_little = sample is not None and written_if_large(promise.schema, sample) is None
        errors = _errors(promise.validator, sample, is_cut=sample is not body) if is_little else ()
        return _named(operation, errors) or (Misfit(operation, _printable(fault.at), _printable(fault.what)),)
    except (Unjudged, ValueError, RecursionError) as error:
        return (Misfit(operation, "", _printable(f"not checked: {error}")),)


def _first_error(validator: jsonschema_rs.Draft202012Validator, body: Json) -> jsonschema_rs.ValidationError:
    try:
        validator.validate(body)
    except jsonschema_rs.ValidationError as error:
        return error
    raise ValueError("one look found a fault, the next one none")


def _errors(
    validator: jsonschema_rs.Draft202012Validator, sample: Json, *, is_cut: bool
) -> tuple[jsonschema_rs.ValidationError, ...]:
    """All that is wrong with `sample`, but for what only cutting made wrong."""
    found = validator.iter_errors(sample)
    return tuple(error for error in found if not (is_cut and error.kind.name in OF_WHOLE_LISTS))


def _sample(body: Json) -> Json | None:
    """`body` as it is where it is small, else with its lists cut; None where that is not small either.

    Each fault is looked for at once and costs 3 kB: of a list of 100,000 things they would take gigabytes.
    """
    if _values(body) <= MOST_VALUES:
        return body
    cut = _cut(body)
    return cut if _values(cut) <= MOST_VALUES else None


def _values(body: Json) -> int:
    """How many values `body` holds; a number above MOST_VALUES as soon as they are more."""
    count, waiting = 0, [body]
    while waiting and count <= MOST_VALUES:
        each = waiting.pop()
        held = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        count += len(held)
        waiting += held if len(held) <= MOST_VALUES else ()
    return count


def _cut(body: Json) -> Json:
    if isinstance(body, dict):
        return {name: _cut(member) for name, member in itertools.islice(body.items(), MOST_VALUES + 1)}
    return [_cut(item) for item in body[:ITEMS_LOOKED_AT]] if isinstance(body, list) else body


def _named(operation: str, errors: Iterable[jsonschema_rs.ValidationError]) -> tuple[Misfit, ...]:
    found: dict[tuple[str, ...], Misfit] = {}
    for error in errors:
        rule = (*(str(part) for part in error.schema_path), error.message)
        if rule not in found:
            pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
            found[rule] = Misfit(operation, _printable(pointer), _printable(error.message))
        if len(found) == MOST_FINDINGS:
            break
    return tuple(found.values())


def _printable(text: str) -> str:
    """Names of members are the device's words, and end up in front of people."""
    return "".join(each if each.isprintable() else " " for each in text[:MOST_TEXT])
