"""A model's part in a compile, in its two places: names before flows are planned, the rest when all is proved.

In order of worth: names of things, since ids come of them; sentences, by which workflows are found; ranks near the end
of the default catalog; then tasks. Each is asked, judged and put in place here; the judges are in `compiler.proposals`.
All answers, accepted and refused, are the record that `--lock` keeps, so that a compile without the model gives the
same bytes. Where nobody answers, nothing is changed. Called by `verification`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Api, Diagnostic, Severity
from compiler.pipeline import options_for, plan_flows
from compiler.proofs.approval_facts import proposed as proposed_about
from compiler.proofs.verifying import rewritten, with_catalog
from compiler.proposals import nouns, ranks, sentences, tasks
from compiler.proposals.asked import Apis, AskOutcome, understand_sentence
from compiler.proposer import Asker, Record, RecordedAnswer
from workflow.profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class NamedFlows:
    """The API with its flows, under the names that were accepted."""

    api: Api
    entries: tuple[RecordedAnswer, ...]
    diagnostics: tuple[Diagnostic, ...]


def named(api: Api, profile: Profile | None, asker: Asker) -> NamedFlows:
    """Plans the understood API, with better names for things where a model gave some."""
    settled = options_for(api, profile).profile
    answers = [] if asker.is_idle else nouns.asked(api, settled, asker)
    judged = nouns.judge(api, settled, answers, lambda one: plan_flows(one, profile).api)
    planned = plan_flows(judged.api, profile)
    return NamedFlows(planned.api, judged.entries, planned.diagnostics)


def improved(compiled: Compiled, asker: Asker, entries: tuple[RecordedAnswer, ...]) -> tuple[Compiled, Record]:
    """The compile with what a model made better, and the record; as it is where nobody is asked."""
    if asker.is_idle:
        return compiled, Record(compiled.api.digest)
    for part in (_with_sentences, _ranked, _with_tasks, _with_asked):
        compiled, said = part(compiled, asker)
        entries = (*entries, *said)
    record = Record(compiled.api.digest, _once(entries), asker.sentences)
    compiled = replace(compiled, diagnostics=(*compiled.diagnostics, *asker.diagnostics(record), *_told(record)))
    return _with_proposals(compiled, record), record


def _once(entries: Iterable[RecordedAnswer]) -> tuple[RecordedAnswer, ...]:
    """One entry a question: what two sentences ask alike is asked once."""
    return tuple({(one.answer.kind, one.answer.subject): one for one in entries}.values())


def recorded_in(lock: Record | None, before: Record, outcome: AskOutcome) -> Record:
    """The record with what was asked about a sentence; the sentence itself, where a workflow came of it.

    What the lock has of other sentences stays in it.
    """
    said = before.sentences if outcome.workflow is None else (*before.sentences, outcome.sentence)
    old = lock.entries if lock is not None else ()
    return Record(before.spec, _once((*old, *before.entries, *outcome.entries)), tuple(dict.fromkeys(said)))


def _ranked(compiled: Compiled, asker: Asker) -> tuple[Compiled, tuple[RecordedAnswer, ...]]:
    pins = compiled.profile.overrides.pin if compiled.profile else ()
    found = ranks.ranked([one.flow for one in compiled.workflows if one.is_verified], pins, asker)
    if not found.ranks:
        return compiled, found.entries
    moved = [
        replace(one, flow=replace(one.flow, rank=found.ranks.get(one.flow.id, one.flow.rank)))
        for one in compiled.workflows
    ]
    return holding(compiled, moved), found.entries


def _with_tasks(compiled: Compiled, asker: Asker) -> tuple[Compiled, tuple[RecordedAnswer, ...]]:
    found = tasks.proposed(compiled, asker)
    return holding(compiled, (*compiled.workflows, *found.workflows)), found.entries


def _with_asked(compiled: Compiled, asker: Asker) -> tuple[Compiled, tuple[RecordedAnswer, ...]]:
    """With what operators asked for before, by the answers that were given then."""
    entries: tuple[RecordedAnswer, ...] = ()
    for sentence in asker.sentences:
        outcome = understand_sentence(sentence, Apis([compiled]), asker)
        entries = (*entries, *outcome.entries)
        if outcome.workflow is not None:
            compiled = holding(compiled, (*compiled.workflows, outcome.workflow))
        elif not outcome.exists:
            compiled = replace(compiled, diagnostics=(*compiled.diagnostics, _no_longer(sentence, outcome)))
    return compiled, entries


def _no_longer(sentence: str, outcome: AskOutcome) -> Diagnostic:
    message = f"no workflow comes of “{sentence}” any more: {outcome.refusal}"
    return Diagnostic("proposal-gone", Severity.WARNING, "lock#/sentences", message, "ask again with --ask")


def _with_sentences(compiled: Compiled, asker: Asker) -> tuple[Compiled, tuple[RecordedAnswer, ...]]:
    answers = asker.ask(sentences.about(compiled))
    found = sentences.judge(compiled, answers)
    told = [
        rewritten(compiled, replace(one.flow, asked_as=found.sentences[one.flow.id]), one)
        if one.flow.id in found.sentences
        else one
        for one in compiled.workflows
    ]
    return (holding(compiled, told) if found.sentences else compiled), found.entries


def holding(compiled: Compiled, workflows: Iterable[CompiledWorkflow]) -> Compiled:
    """The compile with these workflows, by their ids, and the default catalog that comes of them."""
    ordered = with_catalog(sorted(workflows, key=lambda one: one.flow.id), compiled.profile)
    api = replace(compiled.api, flows=tuple(one.flow for one in ordered))
    return replace(compiled, api=api, workflows=tuple(ordered))


def _told(record: Record) -> tuple[Diagnostic, ...]:
    """What came of it, in one line."""
    if not record.entries:
        return ()
    refused: dict[str, int] = {}
    for one in record.entries:
        if one.reason:
            refused[one.reason] = refused.get(one.reason, 0) + 1
    common = sorted(refused.items(), key=lambda each: (-each[1], each[0]))[:3]
    why = "; ".join(f"{count} × {reason}" for reason, count in common)
    taken = sum(one.is_accepted for one in record.entries)
    message = f"{taken} of {len(record.entries)} answers of a model were taken{f' (refused: {why})' if why else ''}"
    return (Diagnostic("proposals", Severity.NOTE, "proposer", message, "--lock keeps each with its verdict"),)


def _with_proposals(compiled: Compiled, record: Record) -> Compiled:
    """Each proof with what a model said of its workflow; as it is where nobody answered."""
    if not record.entries:
        return compiled
    told = [
        replace(one, proof={**one.proof, "proposed": proposed_about(one.flow, compiled.api, record)})
        for one in compiled.workflows
    ]
    return replace(compiled, workflows=tuple(told))
