"""Settings that wait: written now, in force only after a job, and often a restart (the profile's `pending_settings`).

A write that says when to apply it starts the job itself; one that does not waits until somebody makes a job for it.
A job that waits for a restart is held until the operation that applies it comes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from compiler.twin.blueprint import Behaviour, Blueprint, TwinKind, applies
from compiler.twin.changes import Changes
from compiler.twin.requests.asked import MatchedRequest
from compiler.twin.requests.routes import canonical
from compiler.twin.seeds import SeedPlace, Seeds
from compiler.twin.store import Store
from compiler.twin.values.pointers import MISSING
from workflow.profiles.profile import PendingSettings

Json = Any


@dataclass(frozen=True, slots=True)
class Wait:
    """`effect`: what the job does in the end, None for what the request does anyway.

    `is_held`: not before what applies the settings has come.
    """

    effect: Callable[[], None] | None
    starts_job: bool
    is_held: bool


class Pending:
    """What was written and is not yet in force, by the address of the settings."""

    def __init__(self, blueprint: Blueprint, seeds: Seeds, store: Store, changes: Changes) -> None:
        self._blueprint = blueprint
        self._seeds = seeds
        self._store = store
        self._changes = changes
        self._written: dict[str, Json] = {}

    def wait_of(self, asked: MatchedRequest) -> Wait | None:
        """What a request has to do with waiting settings: it writes some, or makes the job for some; else None."""
        for rule in self._blueprint.profile.pending_settings:
            if rule.apply_member is None and rule.job_operation is None:
                continue  # stored at once; only what it governs waits for the restart, and no reply shows that
            if applies(rule.pattern, asked.operation):
                return _wish(asked, rule) if rule.is_optional else self._write(asked, rule)
            if rule.job_operation == asked.operation.key:
                wait = self._job_for(asked.request.body, rule)
                if wait is not None:
                    return wait
        return None

    def written(self) -> dict[str, Json]:
        """What waits now, for `put_back`."""
        return dict(self._written)

    def put_back(self, written: dict[str, Json]) -> None:
        """Only this waits from here on."""
        self._written = written

    def _write(self, asked: MatchedRequest, rule: PendingSettings) -> Wait:
        body = dict(asked.request.body) if isinstance(asked.request.body, dict) else {}
        when = body.pop(rule.apply_member, MISSING) if rule.apply_member is not None else MISSING
        self._written[asked.path] = {**self._written.get(asked.path, {}), **body}
        if asked.above:
            self._changes.update(asked.behaviour, asked.place, body).effect()  # the settings show what waits
        if when is MISSING:
            return Wait(_nothing, starts_job=False, is_held=False)
        is_held = rule.applied_by is not None and when == rule.apply_body
        return Wait(partial(self._apply, asked.path), starts_job=True, is_held=is_held)

    def _job_for(self, body: Json, rule: PendingSettings) -> Wait | None:
        name = next((name for name, value in rule.job_body.items() if value == "{address}"), "")
        address = body.get(name) if isinstance(body, dict) else None
        path = canonical(address.removeprefix(self._blueprint.base_path)) if isinstance(address, str) else ""
        if path not in self._written:
            return None
        return Wait(partial(self._apply, path), starts_job=True, is_held=rule.applied_by is not None)

    def _apply(self, path: str) -> None:
        """In force: on what they are the settings of, one segment up. The settings are as they were before."""
        body = self._written.pop(path, None)
        for place in self._places(path):
            self._store.put(place, self._seeds.body(place))
        for place in self._places(path.rpartition("/")[0]) if body is not None else ():
            operation = self._blueprint.operations[place.resource.read]
            self._changes.update(Behaviour(operation, TwinKind.UPDATE, place.resource), place, body).effect()

    def _places(self, path: str) -> tuple[SeedPlace, ...]:
        """The item at exactly this path, if one can stand there."""
        match = self._blueprint.routes.match(path)
        places = self._store.places_on(path, match)[-1:] if match is not None else ()
        return tuple(place for place in places if place.address == path and place.resource.read)


def _wish(asked: MatchedRequest, rule: PendingSettings) -> Wait | None:
    """What is done at once unless the request asks to wait."""
    body = asked.request.body if isinstance(asked.request.body, dict) else {}
    waits = rule.apply_member in body and body[rule.apply_member] == rule.apply_body
    return Wait(None, starts_job=True, is_held=True) if waits else None


def _nothing() -> None:
    pass
