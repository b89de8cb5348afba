"""The Ollama proposer against a real server that speaks Ollama's API from a script: what is sent, what is survived."""

import json
import logging
import socket
import time
from typing import Any

import pytest

from compiler.errors import ProposerError
from compiler.ir.model import Severity
from compiler.proposer import ollama as adapter
from compiler.proposer.ollama import OllamaProposer
from compiler.proposer.prompts import INSTRUCTIONS, asked, batches
from compiler.proposer.proposal import Item, Kind, Question, Reply
from tests.compiler.proposer import ollama_server as server
from tests.compiler.proposer.ollama_server import ollama
from tests.waiting import PATIENCE_S

NOUNS = Question(Kind.NOUNS, (Item("/Disk/{id}", {"path": "/Disk/{id}"}), Item("/Nic/{id}", {"path": "/Nic/{id}"})))
GOOD = json.dumps({"a1": "disk", "a2": "network card"})


def many(count: int) -> Question:
    return Question(Kind.RANKS, tuple(Item(f"flow_{n}", {"title": f"Flow {n}"}) for n in range(count)))


def values(reply: Reply) -> dict[str, Any]:
    return {one.subject: one.value for one in reply.proposals}


def codes(reply: Reply) -> list[str]:
    return [one.code for one in reply.diagnostics]


def test_a_good_answer_becomes_proposals_with_model_and_digests() -> None:
    with ollama(server.says(GOOD)) as (url, _script):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
    assert values(reply) == {"/Disk/{id}": "disk", "/Nic/{id}": "network card"}
    assert reply.diagnostics == ()
    assert {one.model for one in reply.proposals} == {f"tiny@{server.DIGEST}"}
    assert {one.prompt for one in reply.proposals} == {next(batches(NOUNS)).digest}
    assert [one.asked for one in reply.proposals] == [asked(Kind.NOUNS, item) for item in NOUNS.items]


def test_the_request_is_bound_to_the_schema_with_temperature_zero_seed_and_context() -> None:
    with ollama(server.says(GOOD)) as (url, script):
        OllamaProposer("tiny", url, num_ctx=4096, seed=11).propose(NOUNS)
    (chat,) = script.chats
    assert script.paths == ["/api/tags", "/api/chat"]
    assert chat["model"] == "tiny"
    assert chat["options"] == {"temperature": 0.0, "seed": 11, "num_ctx": 4096, "num_predict": 2048}
    schema = chat["format"]
    assert schema["type"] == "object"
    assert schema["required"] == ["a1", "a2"]
    assert schema["additionalProperties"] is False
    assert {member["type"] for member in schema["properties"].values()} == {"string"}
    assert [message["role"] for message in chat["messages"]] == ["system", "user"]
    assert chat["messages"][0]["content"] == INSTRUCTIONS[Kind.NOUNS]


def test_the_schema_of_texts_asks_for_title_and_description() -> None:
    question = Question(Kind.TEXTS, (Item("start_vm", {"title": "Start VM"}),))
    answer = {"a1": {"title": "Start VM", "description": "Starts a VM."}}
    with ollama(server.says(json.dumps(answer))) as (url, script):
        reply = OllamaProposer("tiny", url).propose(question)
    assert values(reply) == {"start_vm": answer["a1"]}
    assert sorted(script.chats[0]["format"]["$defs"]["TextAnswer"]["required"]) == ["description", "title"]


def test_two_compiles_send_the_same_bytes() -> None:
    with ollama(server.says(GOOD)) as (url, script):
        for _ in range(2):
            OllamaProposer("tiny", url).propose(NOUNS)
    assert script.chats[0] == script.chats[1]


def test_at_most_thirty_items_stand_in_a_request() -> None:
    with ollama(server.answers(lambda _facts: 0.5)) as (url, script):
        reply = OllamaProposer("tiny", url).propose(many(70))
    assert [len(server.told(chat)) for chat in script.chats] == [30, 30, 10]
    assert len(reply.proposals) == 70
    assert script.paths.count("/api/tags") == 1


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("I think it is a disk", id="no JSON"),
        pytest.param('{"a1": "disk"', id="cut JSON"),
        pytest.param('{"a1": "disk"}', id="a member missing"),
        pytest.param('{"a1": "disk", "a2": 7}', id="a wrong type"),
        pytest.param('{"a1": "disk", "a2": "nic", "a3": "more"}', id="a member too many"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_answer_off_the_schema_is_asked_for_again_with_the_fault_named(bad: str) -> None:
    with ollama(server.says(bad), server.says(GOOD)) as (url, script):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
    assert values(reply)["/Nic/{id}"] == "network card"
    assert reply.diagnostics == ()
    first, second = script.chats
    assert second["messages"][:2] == first["messages"]
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "rrors" in second["messages"][-1]["content"]
    assert second["format"] == first["format"]
    assert second["options"] == first["options"]


def test_a_batch_that_stays_bad_costs_three_requests_and_is_left_out() -> None:
    with ollama(*[server.says("no")] * 3, server.answers(lambda _facts: 0.25)) as (url, script):
        reply = OllamaProposer("tiny", url).propose(many(40))
    assert len(script.chats) == 4
    assert codes(reply) == ["proposer-answer"]
    assert set(values(reply)) == {f"flow_{n}" for n in range(30, 40)}


def test_a_model_that_can_not_do_it_is_asked_no_more_after_two_batches() -> None:
    with ollama(server.says("no")) as (url, script):
        proposer = OllamaProposer("tiny", url)
        reply = proposer.propose(many(120))
        later = proposer.propose(NOUNS)
    assert len(script.chats) == 6
    assert codes(reply) == ["proposer-answer"] * 2
    assert later == Reply()


def test_an_answer_that_ran_out_of_room_is_not_used() -> None:
    with ollama(server.says('{"a1": "di', reason="length")) as (url, script):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
    assert (len(script.chats), reply.proposals, codes(reply)) == (1, (), ["proposer-answer"])


@pytest.mark.parametrize(
    ("move", "code", "said"),
    [
        (
            server.fails(500, '{"error": "model runner\\u202e has crashed"}'),
            "proposer-failed",
            "model runner has crashed",
        ),
        (server.fails(503, "busy"), "proposer-failed", "answered 503"),
        (server.fails(404, '{"error": "model not found"}'), "proposer-model", "does not have this model"),
        (server.sends(b'{"error": "out of memory"}\n'), "proposer-failed", "out of memory"),
    ],
)
def test_a_failing_server_ends_the_asking_with_one_finding(move: server.Move, code: str, said: str) -> None:
    with ollama(move) as (url, script):
        proposer = OllamaProposer("tiny", url)
        reply = proposer.propose(many(90))
        assert proposer.propose(NOUNS) == Reply()
    assert len(script.chats) == 1
    assert codes(reply) == [code]
    assert reply.diagnostics[0].severity is Severity.WARNING
    assert said in reply.diagnostics[0].message
    assert "\n" not in reply.diagnostics[0].message


def test_lines_that_are_no_json_are_survived() -> None:
    with ollama(server.sends(b"<html>proxy error</html>\n"), server.says(GOOD)) as (url, script):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
    assert (len(script.chats), len(reply.proposals)) == (2, 2)


def test_a_model_that_is_not_there_is_told_before_a_prompt_is_sent() -> None:
    with ollama(server.says(GOOD), models=("other:latest",)) as (url, script):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
    assert script.chats == []
    assert codes(reply) == ["proposer-model"]
    assert reply.diagnostics[0].pointer == "ollama:tiny"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_without_ollama_there_is_one_line_and_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    proposer = OllamaProposer("tiny", f"http://127.0.0.1:{free_port()}")
    replies = [proposer.propose(question) for question in (NOUNS, many(90), NOUNS)]
    told = [one for reply in replies for one in reply.diagnostics]
    assert [one.code for one in told] == ["proposer-absent"]
    assert "went on without a model" in told[0].message
    assert "--proposer none" in told[0].remedy
    assert [reply.proposals for reply in replies] == [(), (), ()]
    assert capfd.readouterr() == ("", "")


def test_the_library_below_says_nothing_on_its_own() -> None:
    handlers = logging.getLogger("instructor").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


@pytest.mark.parametrize("move", [server.is_silent, server.drips], ids=["silent", "drip"])
def test_a_slow_answer_ends_at_the_total_deadline(move: server.Move) -> None:
    with ollama(move) as (url, script):
        proposer = OllamaProposer("tiny", url, timeout_s=1.5)
        began = time.monotonic()
        reply = proposer.propose(many(90))
        took = time.monotonic() - began
        assert proposer.propose(NOUNS) == Reply()
    assert took > 1.4
    assert codes(reply) == ["proposer-timeout"]
    assert "1.5 s" in reply.diagnostics[0].message
    assert len(script.chats) == 1


def test_what_was_answered_before_the_deadline_is_kept() -> None:
    now, answers = [0.0], server.answers(lambda _facts: 0.5)

    def late(*asked: Any) -> None:
        now[0] += PATIENCE_S - 0.5
        answers(*asked)

    with ollama(late, server.is_silent) as (url, _script):
        reply = OllamaProposer("tiny", url, timeout_s=PATIENCE_S, clock=lambda: now[0]).propose(many(60))
    assert len(reply.proposals) == 30
    assert codes(reply) == ["proposer-timeout"]


def test_the_deadline_is_one_for_all_questions() -> None:
    now = [100.0]
    with ollama(server.says(GOOD)) as (url, script):
        proposer = OllamaProposer("tiny", url, timeout_s=50, clock=lambda: now[0])
        assert len(proposer.propose(NOUNS).proposals) == 2
        now[0] += 51
        assert codes(proposer.propose(NOUNS)) == ["proposer-timeout"]
    assert len(script.chats) == 1


def test_a_model_that_babbles_is_cut_off() -> None:
    with ollama(server.babbles) as (url, script):
        reply = OllamaProposer("tiny", url, timeout_s=PATIENCE_S).propose(NOUNS)
        assert script.hung_up.wait(PATIENCE_S)
    assert codes(reply) == ["proposer-answer"]


def test_redirects_are_not_followed() -> None:
    with ollama(server.says(GOOD)) as (elsewhere, other), ollama(server.moves_to(f"{elsewhere}/api/chat")) as (url, _):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
        assert other.paths == []
    assert codes(reply) == ["proposer-failed"]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ollama(server.says(GOOD)) as (elsewhere, other), ollama(server.says(GOOD)) as (url, _):
        monkeypatch.setenv("HTTP_PROXY", elsewhere)
        monkeypatch.setenv("ALL_PROXY", elsewhere)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        reply = OllamaProposer("tiny", url).propose(NOUNS)
        assert other.paths == []
    assert len(reply.proposals) == 2


def test_a_connection_that_breaks_off_is_told() -> None:
    def hangs_up(handler: Any, _chat: Any, _script: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")

    with ollama(hangs_up) as (url, _script):
        reply = OllamaProposer("tiny", url).propose(NOUNS)
    assert codes(reply) == ["proposer-failed"]


@pytest.mark.parametrize(
    "url", ["", "localhost:11434", "http://", "http://host:notaport", "file:///etc/passwd", "http://[::1"]
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ProposerError):
        OllamaProposer("tiny", url)


def test_an_empty_question_sends_nothing() -> None:
    with ollama(server.says(GOOD)) as (url, script):
        assert OllamaProposer("tiny", url).propose(Question(Kind.NOUNS, ())) == Reply()
    assert script.paths == []


def test_braces_in_a_prompt_are_no_template() -> None:
    """Instructor renders messages with Jinja when it is given a context: it must never be."""
    hostile = "{{ ''.__class__.__mro__ }} {% for x in range(9) %}x{% endfor %}"
    question = Question(Kind.NOUNS, (Item("/a", {"path": hostile}),))
    with ollama(server.says('{"a1": "disk"}')) as (url, script):
        OllamaProposer("tiny", url).propose(question)
    assert server.told(script.chats[0]) == {"a1": {"path": hostile}}


def test_a_babbling_model_is_cut_far_above_what_thirty_descriptions_need() -> None:
    longest = {f"a{n}": {"title": "x" * 60, "description": "y" * 480} for n in range(30)}
    assert 10 * len(json.dumps(longest)) < adapter.MAX_ANSWER
