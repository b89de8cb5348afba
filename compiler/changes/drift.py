"""What a newer description of an API changes: operation by operation, and for the workflows that were approved.

What may break a caller is told apart from what does not: whatever was allowed to be sent has to be allowed still, and
whatever is answered has to have been promised before (JSON Schema containment, by jsonschema-rs; what it cannot decide
is told as such and counts as no break). An approved workflow is judged by what it really uses: the static checks of
`workflow.checking.checks`, made once more against the newer description. Called by the command `diff`; stores nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compiler.changes.schema_changes import SchemaChanges
from compiler.facts import operation_index
from compiler.ir.model import EMPTY, Api, ApiParameter, Body, Operation, Response, Schema
from compiler.twin.values.validation import SchemaView
from governance.approval.integrity import Revision
from workflow.checking.checks import CheckSeverity, check
from workflow.documents.reader import read_document


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class DriftVerdict(StrEnum):
    """Of an approved workflow: what it needs is not there; its operations read otherwise; nothing of it changed."""

    BREAKS = "breaks"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing about an operation. `breaks`: None where it cannot be decided."""

    what: str
    breaks: bool | None


@dataclass(frozen=True, slots=True)
class OperationDifference:
    """One operation that is not as it was, with what is different about it."""

    operation: Operation
    kind: ChangeKind
    changes: tuple[Change, ...] = ()

    @property
    def breaks(self) -> bool:
        return self.kind is ChangeKind.REMOVED or any(change.breaks for change in self.changes)


@dataclass(frozen=True, slots=True)
class RevisionStanding:
    """How an approved revision stands to the newer description, and why."""

    workflow: str
    number: int
    verdict: DriftVerdict
    why: tuple[str, ...] = ()


def differences(old: Api, new: Api) -> tuple[OperationDifference, ...]:
    """Every operation that is not the same in both, by path and method."""
    judge = _Judge(old, new)
    before = {each.key: each for each in old.operations}
    after = {each.key: each for each in new.operations}
    found = [OperationDifference(one, ChangeKind.REMOVED) for key, one in before.items() if key not in after]
    for key, one in after.items():
        if key not in before:
            found.append(OperationDifference(one, ChangeKind.ADDED))
        elif one.digest != before[key].digest:
            found.append(OperationDifference(one, ChangeKind.CHANGED, tuple(judge.changes(before[key], one))))
    return tuple(sorted(found, key=lambda each: (each.operation.path, each.operation.method)))


def standings(revisions: Sequence[Revision], new: Api) -> tuple[RevisionStanding, ...]:
    """How each of the revisions stands, those that break first. Raises WorkflowError for a document nobody can read."""
    index = operation_index(new)
    digests = {each.key: each.digest for each in new.operations}
    found = []
    for revision in revisions:
        document = read_document(revision.content.document, f"{revision.workflow_id}@{revision.number}")
        errors = tuple(each.message for each in check(document, index) if each.severity is CheckSeverity.ERROR)
        used = revision.content.operations
        other = tuple(f"{key} reads otherwise" for key, digest in used.items() if digests.get(key) != digest)
        verdict = DriftVerdict.BREAKS if errors else DriftVerdict.CHANGED if other else DriftVerdict.SAME
        found.append(RevisionStanding(revision.workflow_id, revision.number, verdict, errors or other))
    return tuple(sorted(found, key=lambda each: (list(DriftVerdict).index(each.verdict), each.workflow)))


def as_json(
    old: Api, new: Api, found: Sequence[OperationDifference], standing: Sequence[RevisionStanding]
) -> dict[str, Any]:
    return {
        "api": new.name,
        "old": {"title": old.title, "version": old.version, "digest": old.digest, "operations": len(old.operations)},
        "new": {"title": new.title, "version": new.version, "digest": new.digest, "operations": len(new.operations)},
        "operations": [_difference_json(each) for each in found],
        "workflows": [
            {"id": each.workflow, "number": each.number, "verdict": each.verdict.value, "why": list(each.why)}
            for each in standing
        ],
    }


def _difference_json(found: OperationDifference) -> dict[str, Any]:
    return {
        "method": found.operation.method,
        "path": found.operation.path,
        "change": found.kind.value,
        "breaks": found.breaks,
        "what": [{"what": change.what, "breaks": change.breaks} for change in found.changes],
    }


def as_text(old: Api, new: Api, found: Sequence[OperationDifference], standing: Sequence[RevisionStanding]) -> str:
    """The same for people: what breaks is marked, workflows that stay as they are are counted only."""
    lines = [f"{old.title} {old.version} → {new.title} {new.version}"]
    lines += [line for each in found for line in _difference_lines(each)]
    counts = {kind: sum(each.kind is kind for each in found) for kind in ChangeKind}
    lines.append(", ".join(f"{count} {kind.value}" for kind, count in counts.items()) + " operations")
    for each in standing:
        if each.verdict is not DriftVerdict.SAME:
            lines += [f"{each.verdict.value}: {each.workflow}@{each.number}", *(f"    {why}" for why in each.why)]
    if standing:
        same = sum(each.verdict is DriftVerdict.SAME for each in standing)
        lines.append(f"{len(standing)} approved workflows, {same} of them not concerned")
    return "\n".join(lines)


def _difference_lines(found: OperationDifference) -> Iterator[str]:
    mark = "!" if found.breaks else " "
    yield f"{mark} {found.kind.value:8} {found.operation.key}"
    for change in found.changes:
        yield f"  {'!' if change.breaks else '?' if change.breaks is None else ' '}   {change.what}"


class _Judge:
    """Compares what an operation takes and answers, each side with the schemas of its own description."""

    def __init__(self, old: Api, new: Api) -> None:
        self._schemas = SchemaChanges(old, new)

    def changes(self, old: Operation, new: Operation) -> Iterator[Change]:
        """What is different; where nothing is that a program would notice, that it is text or examples."""
        found = [*self._parameters(old, new), *self._body(old.body, new.body), *self._replies(old, new)]
        yield from found or [Change("text or examples", False)]

    def _parameters(self, old: Operation, new: Operation) -> Iterator[Change]:
        before, after = _by_place(old.parameters), _by_place(new.parameters)
        for place in (place for place in before if place not in after):
            yield Change(f"{_named(place)} is gone", True)
        for place, one in after.items():
            was = before.get(place)
            if was is None:
                yield Change(f"{_named(place)} is new{' and required' * one.is_required}", one.is_required)
            elif one.is_required and not was.is_required:
                yield Change(f"{_named(place)} is required now", True)
            if was is not None:
                yield from self._sent(_named(place), was.schema, one.schema)

    def _body(self, old: Body | None, new: Body | None) -> Iterator[Change]:
        if old is None or new is None:
            if new is not None:
                yield Change(f"a body is new{' and required' * new.is_required}", new.is_required)
            elif old is not None:
                yield Change("the body is gone", True)
            return
        if new.is_required and not old.is_required:
            yield Change("the body is required now", True)
        if new.media_type != old.media_type:
            yield Change(f"the body is {new.media_type}, it was {old.media_type}", True)
        yield from self._sent("the body", old.schema, new.schema)

    def _replies(self, old: Operation, new: Operation) -> Iterator[Change]:
        before, after = _successes(old), _successes(new)
        for status in (status for status in before if status not in after):
            yield Change(f"reply {status} is gone", True)
        for status, reply in after.items():
            if status not in before:
                yield Change(f"reply {status} is new", None)
            else:
                yield from self._answered(status, before[status], reply)

    def _answered(self, status: str, old: Response, new: Response) -> Iterator[Change]:
        if old.media_type != new.media_type:
            yield Change(f"reply {status} is {new.media_type or 'empty'}, it was {old.media_type or 'empty'}", True)
        was, now = (one.schema if one.schema is not None else EMPTY for one in (old, new))
        if not self._schemas.are_same(was, now):
            promises = self._schemas.takes_no_less(was, now, SchemaView.RESPONSE)
            yield _told(f"reply {status}", promises, "promises less", "promises no less")

    def _sent(self, name: str, old: Schema, new: Schema) -> Iterator[Change]:
        if not self._schemas.are_same(old, new):
            yield _told(name, self._schemas.takes_no_less(old, new, SchemaView.REQUEST), "takes less", "takes no less")


def _told(name: str, covers: bool | None, less: str, no_less: str) -> Change:
    if covers is None:
        return Change(f"{name} has another schema; whether it {less} cannot be decided", None)
    return Change(f"{name} {no_less if covers else less} than before", not covers)


def _by_place(parameters: Sequence[ApiParameter]) -> Mapping[tuple[str, str], ApiParameter]:
    return {(each.location, each.name): each for each in parameters}


def _named(place: tuple[str, str]) -> str:
    return f"{place[0]} parameter {place[1]}"


def _successes(operation: Operation) -> Mapping[str, Response]:
    return {each.status: each for each in operation.responses if each.status.startswith("2")}
