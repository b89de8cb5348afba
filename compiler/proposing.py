"""Proposals between the passes: ask, let the compiler judge, plan, ask again, judge again.

A proposer names nouns before flows are planned, ranks and describes flows afterwards; it never changes steps, values,
risks or operations. All answers, accepted and refused, are the record that `--lock` keeps, so that a compile without
the model gives the same bytes. Called by `verification`; the only I/O is the proposer's own.
"""

from dataclasses import dataclass
from pathlib import Path

from compiler.ir.model import Api, Diagnostic
from compiler.passes import proposals as judge
from compiler.passes import questions
from compiler.pipeline import options_for, plan_flows
from compiler.proposer import Record, open_proposer, stale
from compiler.proposer.proposer import DEFAULT_TIMEOUT_S, DEFAULT_URL
from workflow.profile import Profile


@dataclass(frozen=True, slots=True)
class Proposing:
    """Who is asked: `none`, `ollama:MODEL` or `recorded:FILE`; `lock` is read where it is there."""

    chosen: str = "none"
    lock: Path | None = None
    url: str = DEFAULT_URL
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Proposed:
    """The API with its flows, and the record of what was proposed; `record` is empty where nobody was asked."""

    api: Api
    record: Record
    diagnostics: tuple[Diagnostic, ...]


def propose_and_plan(api: Api, profile: Profile | None, proposing: Proposing) -> Proposed:
    """Plans the understood API with the proposer's words. Raises LockError, ProposerError for a name that is none."""
    proposer, recorded = open_proposer(proposing.chosen, proposing.lock, proposing.url, proposing.timeout_s)
    settled = options_for(api, profile).profile
    nouns = proposer.propose(questions.about_nouns(api, settled))
    named = judge.judge_nouns(api, settled, nouns.proposals, lambda one: plan_flows(one, profile).api)
    planned = plan_flows(named.api, profile)
    ranks = proposer.propose(questions.about_ranks(planned.api, settled))
    ranked = judge.judge_ranks(planned.api, settled, ranks.proposals)
    texts = proposer.propose(questions.about_texts(ranked.api))
    told = judge.judge_texts(ranked.api, texts.proposals)
    record = Record(api.digest, (*named.entries, *ranked.entries, *told.entries))
    found = (*planned.diagnostics, *nouns.diagnostics, *ranks.diagnostics, *texts.diagnostics)
    old = stale(recorded, record, str(proposing.lock or proposing.chosen)) if recorded is not None else ()
    return Proposed(told.api, record, (*found, *old))
