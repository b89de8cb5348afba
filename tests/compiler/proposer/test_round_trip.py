"""From a model to the lock file and back: the second compile has the same flows and writes the same bytes, alone."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from compiler.ir.model import Api, Diagnostic
from compiler.passes import proposals as judge
from compiler.passes import questions
from compiler.proposer.ollama import OllamaProposer
from compiler.proposer.proposal import Record, read_record, stale
from compiler.proposer.proposer import Proposer, open_proposer
from tests.compiler.passes.proposal_specs import MACHINES, planned, profile_of, understood
from tests.compiler.proposer import ollama_server as server
from tests.compiler.proposer.ollama_server import ollama

PROFILE = profile_of("machines")


def compiled(api: Api, proposer: Proposer) -> tuple[Api, Record, tuple[Diagnostic, ...]]:
    """What the pipeline does with a proposer: ask, judge, plan, ask, judge."""
    nouns = proposer.propose(questions.about_nouns(api, PROFILE))
    named = judge.judge_nouns(api, PROFILE, nouns.proposals, lambda one: planned(one, PROFILE))
    flows = planned(named.api, PROFILE)
    ranks = proposer.propose(questions.about_ranks(flows, PROFILE))
    ranked = judge.judge_ranks(flows, PROFILE, ranks.proposals)
    texts = proposer.propose(questions.about_texts(ranked.api))
    told = judge.judge_texts(ranked.api, texts.proposals)
    record = Record(api.digest, (*named.entries, *ranked.entries, *told.entries))
    return told.api, record, (*nouns.diagnostics, *ranks.diagnostics, *texts.diagnostics)


def opinion(facts: Mapping[str, Any]) -> Any:
    """A model's answer to any of the three questions: mostly good, here and there not."""
    if "path" in facts:
        return {"machine": "virtual machine", "disk": "your disk"}.get(facts["present"], facts["present"])
    if "nouns" in facts:
        verb = facts["title"].partition(" ")[0]
        return {
            "title": facts["title"],
            "description": f"{verb} the {facts['nouns'][0]} that is named – the model’s words.",
        }
    return 0.5 if facts["class"] == "read" else 1.5


def said(record: Record) -> dict[tuple[str, str], Any]:
    return {(e.proposal.kind, e.proposal.subject): e.proposal.value for e in record.entries}


def api_of(spec: Mapping[str, Any] = MACHINES) -> Api:
    return understood(spec, PROFILE)


def recorded(path: Path) -> tuple[Api, Record]:
    with ollama(server.answers(opinion)) as (url, script):
        api, record, found = compiled(api_of(), OllamaProposer("tiny", url))
    assert found == ()
    assert len(script.chats) == 3
    path.write_text(record.to_text())
    return api, record


def test_a_compile_without_the_model_gives_the_same_flows_and_the_same_lock_file(tmp_path: Path) -> None:
    lock = tmp_path / "proposals.lock"
    api, record = recorded(lock)
    assert {entry.is_accepted for entry in record.entries} == {True, False}
    assert "machines_wipe_disk" in {flow.id for flow in api.flows}
    assert "machines_delete_virtual_machine" in {flow.id for flow in api.flows}
    told = {flow.id: flow.description for flow in api.flows}["machines_find_virtual_machines"]
    assert told == "Find the virtual machine that is named - the model's words. Changes nothing."
    for chosen, given in (("none", lock), (f"recorded:{lock}", None)):
        proposer, old = open_proposer(chosen, given)
        again, now, found = compiled(api_of(), proposer)
        assert again == api
        assert now.to_text() == lock.read_text()
        assert found == ()
        assert old is not None
        assert stale(old, now, str(lock)) == ()


def test_a_changed_description_uses_what_still_fits_and_tells_the_rest(tmp_path: Path) -> None:
    lock = tmp_path / "proposals.lock"
    recorded(lock)
    paths = {path: item for path, item in MACHINES["paths"].items() if "disks" not in path}
    changed = api_of({**MACHINES, "paths": paths})
    proposer, old = open_proposer("none", lock)
    api, now, found = compiled(changed, proposer)
    assert found == ()
    assert old is not None
    assert "machines_delete_virtual_machine" in {flow.id for flow in api.flows}
    (finding,) = stale(old, now, str(lock))
    assert "another version of the description" in finding.message
    assert "disks" in finding.message


def test_a_model_is_asked_only_for_what_is_new(tmp_path: Path) -> None:
    lock = tmp_path / "proposals.lock"
    _, record = recorded(lock)
    kept = tuple(e for e in record.entries if "disk" not in e.proposal.subject)
    lock.write_text(replace(record, entries=kept).to_text())
    with ollama(server.answers(opinion)) as (url, script):
        _, now, _ = compiled(api_of(), open_proposer("ollama:tiny", lock, url)[0])
    asked = [facts for chat in script.chats for facts in server.told(chat).values()]
    assert asked
    assert all("disk" in str(facts) for facts in asked)
    assert said(now) == said(record)
    assert read_record(lock).spec == record.spec


def test_without_ollama_the_flows_are_those_of_a_compile_without_a_proposer() -> None:
    with ollama(server.answers(opinion)) as (url, _):
        pass
    api, record, found = compiled(api_of(), OllamaProposer("tiny", url))
    assert api.flows == planned(api_of(), PROFILE).flows
    assert record.entries == ()
    assert [one.code for one in found] == ["proposer-absent"]
