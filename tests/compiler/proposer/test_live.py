"""A model that is asked now, against real servers that speak Ollama's and OpenAI's interface from a script: what is
sent, what is survived."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from compiler.ir.model import Severity
from compiler.proposer import servers as adapters
from compiler.proposer.live import LiveModel
from compiler.proposer.prompts import messages
from compiler.proposer.question import Question, QuestionKind
from tests.compiler.proposer import model_server as server
from tests.compiler.proposer.model_server import model_server
from tests.ports import free_port
from tests.waiting import PATIENCE_S

QUESTION = Question(QuestionKind.RANK, "a|b", {}, ("Start VM", "Delete VM"))
SENTENCE = Question(QuestionKind.SENTENCE, "a", {"title": "Start VM"})
GOOD = json.dumps({"answer": "Start VM"})


@contextmanager
def asked(
    url: str, kind: str = "ollama", deadline_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
) -> Iterator[LiveModel]:
    model = LiveModel(kind, "tiny", f"{url}/v1" if kind == "openai" else url, deadline_s, clock)
    try:
        yield model
    finally:
        model.close()


def codes(model: LiveModel) -> list[str]:
    return [one.code for one in model.told]


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_a_question_is_asked_twice_with_the_order_turned_round(kind: str) -> None:
    with model_server(server.says(GOOD)) as (url, script), asked(url, kind) as model:
        assert model.answer(QUESTION) == ("Start VM", "Start VM")
        assert model.told == []
    told = [chat["messages"] for chat in script.chats]
    assert told == [messages(QUESTION, turned=False), messages(QUESTION, turned=True)]
    assert [server.told(chat)["answers"] for chat in script.chats] == [
        ["Start VM", "Delete VM"],
        ["Delete VM", "Start VM"],
    ]


def test_the_model_is_named_with_its_digest() -> None:
    with model_server(server.says(GOOD)) as (url, script), asked(url) as model:
        model.answer(QUESTION)
        assert model.identity() == f"tiny@{server.DIGEST}"
    assert script.paths == ["/api/tags", "/api/chat", "/api/chat"]


def test_ollama_is_bound_to_the_schema_with_temperature_zero_and_a_seed() -> None:
    with model_server(server.says(GOOD)) as (url, script), asked(url) as model:
        model.answer(QUESTION)
    chat = script.chats[0]
    assert chat["options"] == {"temperature": 0.0, "seed": 7, "num_ctx": 2048, "num_predict": 128}
    assert chat["format"]["properties"]["answer"]["enum"] == ["Start VM", "Delete VM"]
    assert script.chats[1]["format"]["properties"]["answer"]["enum"] == ["Delete VM", "Start VM"]


@pytest.mark.slow
def test_a_server_of_openais_interface_is_bound_to_the_schema_too() -> None:
    with model_server(server.says(GOOD)) as (url, script), asked(url, "openai") as model:
        model.answer(QUESTION)
    chat = script.chats[0]
    assert script.paths == ["/v1/chat/completions"] * 2
    assert (chat["temperature"], chat["seed"], chat["max_tokens"]) == (0, 7, 128)
    assert chat["response_format"]["type"] == "json_schema"
    schema = chat["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["Start VM", "Delete VM"]


def test_two_compiles_send_the_same_bytes() -> None:
    with model_server(server.says(GOOD)) as (url, script):
        for _ in range(2):
            with asked(url) as model:
                model.answer(QUESTION)
    assert script.chats[:2] == script.chats[2:]


BAD = {
    "no JSON": "I think it is the first",
    "cut JSON": '{"answer": "Start',
    "a member missing": "{}",
    "not offered": '{"answer": "Stop VM"}',
    "a wrong type": '{"answer": 7}',
    "a member too many": '{"answer": "Start VM", "more": 1}',
    "nothing": "",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_answer_off_the_schema_is_asked_for_again_with_the_fault_named(bad: str) -> None:
    with model_server(server.says(bad), server.says(GOOD)) as (url, script), asked(url) as model:
        assert model.answer(QUESTION) == ("Start VM", "Start VM")
        assert model.told == []
    first, second, _ = script.chats
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert "rrors" in second["messages"][-1]["content"]
    assert second["format"] == first["format"]


def test_a_model_that_can_not_do_it_is_asked_no_more_and_told_once() -> None:
    with model_server(server.says("no")) as (url, script), asked(url) as model:
        assert [model.answer(QUESTION) for _ in range(5)] == [None] * 5
        assert codes(model) == ["proposer-answer"]
        assert model.is_over
    assert len(script.chats) == 6


def test_an_answer_that_ran_out_of_room_is_not_used() -> None:
    with model_server(server.says('{"answer": "Sta', reason="length")) as (url, script), asked(url) as model:
        assert model.answer(QUESTION) is None
        assert codes(model) == ["proposer-answer"]
    assert len(script.chats) == 1


FAILING = [
    (server.fails(500, '{"error": "model runner\\u202e has crashed"}'), "proposer-failed", "runner has crashed"),
    (server.fails(503, "busy"), "proposer-failed", "answered 503"),
    (server.fails(404, '{"error": "model not found"}'), "proposer-model", "does not have this model"),
    (server.sends(b'{"error": "out of memory"}\n'), "proposer-failed", "out of memory"),
]


@pytest.mark.parametrize(("move", "code", "said"), FAILING)
def test_a_failing_server_ends_the_asking_with_one_finding(move: server.Move, code: str, said: str) -> None:
    with model_server(move) as (url, script), asked(url) as model:
        assert [model.answer(QUESTION) for _ in range(3)] == [None] * 3
        assert codes(model) == [code]
        assert model.told[0].severity is Severity.WARNING
        assert said in model.told[0].message
        assert "\n" not in model.told[0].message
    assert len(script.chats) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("status", "code"), [(404, "proposer-model"), (500, "proposer-failed")])
def test_a_failing_server_of_openais_interface_is_told_alike(status: int, code: str) -> None:
    with model_server(server.fails(status, '{"error": {"message": "no"}}')) as (url, script), asked(url, "openai") as m:
        assert m.answer(QUESTION) is None
        assert codes(m) == [code]
        assert m.is_over
    assert len(script.chats) == 1


def test_a_model_that_is_not_there_is_told_before_a_question_is_sent_with_the_command_that_gets_it() -> None:
    with model_server(server.says(GOOD), models=("other:latest",)) as (url, script), asked(url) as model:
        assert model.answer(QUESTION) is None
        assert codes(model) == ["proposer-model"]
        assert model.told[0].pointer == "ollama:tiny"
        assert "`ollama pull tiny`" in model.told[0].remedy
    assert script.chats == []


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_without_a_server_there_is_one_line_and_no_error(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    with asked(f"http://127.0.0.1:{free_port()}", kind) as model:
        assert [model.answer(QUESTION) for _ in range(3)] == [None] * 3
        assert codes(model) == ["proposer-absent"]
        assert "went on without a model" in model.told[0].message
        assert "--proposer none" in model.told[0].remedy
    assert capfd.readouterr() == ("", "")


def test_the_library_below_says_nothing_on_its_own() -> None:
    handlers = logging.getLogger("instructor").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


@pytest.mark.slow
@pytest.mark.parametrize("move", [server.is_silent, server.drips], ids=["silent", "drip"])
def test_a_slow_answer_ends_at_the_total_deadline_and_says_how_to_go_on(move: server.Move) -> None:
    with model_server(move) as (url, script), asked(url, deadline_s=4.0) as model:
        began = time.monotonic()
        assert model.answer(QUESTION) is None
        took = time.monotonic() - began
        assert model.answer(QUESTION) is None
        assert codes(model) == ["proposer-timeout"]
        assert "4 s" in model.told[0].message
        assert "--lock" in model.told[0].remedy
        assert "--model-deadline" in model.told[0].remedy
    assert took > 3.9
    assert len(script.chats) == 1


def test_the_deadline_is_one_for_all_questions() -> None:
    now, says = [100.0], server.says(GOOD)

    def takes_long(*each: Any) -> None:
        now[0] += 30
        says(*each)

    with model_server(takes_long) as (url, script), asked(url, "ollama", 110, lambda: now[0]) as model:
        assert model.answer(QUESTION) is not None
        now[0] += 1000  # what the compiler does in between is no time of the model's
        assert model.left_s() == 50
        assert model.answer(QUESTION) is not None
        assert model.answer(QUESTION) is None
        assert codes(model) == ["proposer-timeout"]
    assert len(script.chats) == 4


def test_a_model_that_babbles_is_cut_off() -> None:
    with model_server(server.babbles) as (url, script), asked(url) as model:
        assert model.answer(SENTENCE) is None
        assert script.hung_up.wait(PATIENCE_S)
        assert codes(model) == ["proposer-answer"]


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_redirects_are_not_followed(kind: str) -> None:
    with model_server(server.says(GOOD)) as (elsewhere, other):
        move = server.moves_to(f"{elsewhere}/api/chat")
        with model_server(move) as (url, _), asked(url, kind) as model:
            assert model.answer(QUESTION) is None
            assert codes(model) == ["proposer-failed"]
        assert other.paths == []


@pytest.mark.parametrize("kind", ["ollama", "openai"])
def test_proxies_of_the_environment_are_not_used(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server(server.says(GOOD)) as (elsewhere, other), model_server(server.says(GOOD)) as (url, _):
        monkeypatch.setenv("HTTP_PROXY", elsewhere)
        monkeypatch.setenv("ALL_PROXY", elsewhere)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with asked(url, kind) as model:
            assert model.answer(QUESTION) == ("Start VM", "Start VM")
        assert other.paths == []


def test_a_connection_that_breaks_off_is_told() -> None:
    def hangs_up(handler: Any, _chat: Any, _script: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")

    with model_server(hangs_up) as (url, _script), asked(url) as model:
        assert model.answer(QUESTION) is None
        assert codes(model) == ["proposer-failed"]


def test_braces_in_a_question_are_no_template() -> None:
    """Instructor renders messages with Jinja when it is given a context: it must never be."""
    hostile = "{{ ''.__class__.__mro__ }} {% for x in range(9) %}x{% endfor %}"
    with model_server(server.says('{"answer": "disk"}')) as (url, script), asked(url) as model:
        model.answer(Question(QuestionKind.SENTENCE, "/a", {"title": hostile}))
    assert server.told(script.chats[0]) == {"title": hostile}


def test_a_babbling_model_is_cut_far_above_what_a_sentence_needs() -> None:
    assert 10 * len(json.dumps({"answer": "x" * 100})) < adapters.MAX_ANSWER
