"""Proposals of a local model: what is asked, who answers, what is kept. The model proposes, the compiler judges.

Here live questions, answers, the lock file, and the connection to Ollama, which is loaded only where a model is asked
(`ollama`). Here never lives a verdict: that is `compiler.passes.proposals`, pure, which treats every answer as hostile.
"""

from compiler.proposer.proposal import Entry, Item, Kind, Proposal, Question, Record, Reply, read_record, stale
from compiler.proposer.proposer import NoProposer, Proposer, RecordedProposer, open_proposer

__all__ = [
    "Entry",
    "Item",
    "Kind",
    "NoProposer",
    "Proposal",
    "Proposer",
    "Question",
    "Record",
    "RecordedProposer",
    "Reply",
    "open_proposer",
    "read_record",
    "stale",
]
