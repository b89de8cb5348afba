"""A server that speaks Ollama's HTTP API, and OpenAI's, from a script: real sockets, no model.

`/api/version`, `/api/tags` and `/api/chat` (streamed, one JSON object a line, as Ollama does), `/v1/chat/completions`
(one object). What a chat is answered is a list of moves, one a request; the last one is repeated. Every request is
kept, so that a test can look at what was really sent. Free port, closed and joined on leaving.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from compiler.proposer.prompts import INSTRUCTIONS
from compiler.proposer.question import QuestionKind

DIGEST = "ab" * 32
Chat = Mapping[str, Any]


@dataclass
class Script:
    """What is answered, and what was asked. `leave`: set when the test is over, so that no handler stays behind."""

    moves: Sequence["Move"]
    models: Sequence[str] = ("tiny:latest",)
    chats: list[Chat] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    leave: threading.Event = field(default_factory=threading.Event)


Move = Callable[[BaseHTTPRequestHandler, Chat, Script], None]


def start(handler: BaseHTTPRequestHandler, status: int = 200, kind: str = "application/x-ndjson") -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.end_headers()


def line(text: str, reason: str | None = None) -> bytes:
    end = {"done": True, "done_reason": reason} if reason else {"done": False}
    return json.dumps({"model": "tiny", "message": {"role": "assistant", "content": text}, **end}).encode() + b"\n"


def completion(text: str, reason: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    told = {"id": "c", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}
    return json.dumps(told).encode()


def says(text: str, reason: str = "stop") -> Move:
    """Streams `text` in three parts; by OpenAI's interface, all at once."""

    def move(handler: BaseHTTPRequestHandler, _chat: Chat, _script: Script) -> None:
        if handler.path.endswith("/completions"):
            start(handler, 200, "application/json")
            handler.wfile.write(completion(text, reason))
            return
        start(handler)
        third = len(text) // 3 + 1
        for part in (text[:third], text[third : 2 * third], text[2 * third :]):
            handler.wfile.write(line(part))
        handler.wfile.write(line("", reason))

    return move


def told(chat: Chat) -> Mapping[str, Any]:
    """The data of the question's fence: the facts, and the answers that are offered."""
    text = chat["messages"][-1]["content"]
    if chat["messages"][-1]["role"] != "user" or not text.startswith("```json"):  # asked again, with the fault named
        text = [m["content"] for m in chat["messages"] if m["content"].startswith("```json")][-1]
    return json.loads(text.removeprefix("```json\n").removesuffix("\n```"))


def kind_of(chat: Chat) -> QuestionKind:
    return next(kind for kind, text in INSTRUCTIONS.items() if text == chat["messages"][0]["content"])


def answers(value: Callable[[QuestionKind, Mapping[str, Any]], Any]) -> Move:
    """Answers each question with `value` of its kind and its facts."""

    def move(handler: BaseHTTPRequestHandler, chat: Chat, script: Script) -> None:
        says(json.dumps({"answer": value(kind_of(chat), told(chat))}))(handler, chat, script)

    return move


def fails(status: int, body: str) -> Move:
    def move(handler: BaseHTTPRequestHandler, _chat: Chat, _script: Script) -> None:
        start(handler, status, "application/json")
        handler.wfile.write(body.encode())

    return move


def sends(raw: bytes) -> Move:
    def move(handler: BaseHTTPRequestHandler, _chat: Chat, _script: Script) -> None:
        start(handler)
        handler.wfile.write(raw)

    return move


def moves_to(address: str) -> Move:
    def move(handler: BaseHTTPRequestHandler, _chat: Chat, _script: Script) -> None:
        handler.send_response(307)
        handler.send_header("Location", address)
        handler.end_headers()

    return move


def is_silent(handler: BaseHTTPRequestHandler, _chat: Chat, script: Script) -> None:
    script.leave.wait()


def drips(handler: BaseHTTPRequestHandler, _chat: Chat, script: Script) -> None:
    """One byte of a line that never ends, again and again: every single read of the client succeeds."""
    start(handler)
    handler.wfile.write(line("x").rstrip(b'"}\n'))
    while not script.leave.is_set():
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def babbles(handler: BaseHTTPRequestHandler, _chat: Chat, script: Script) -> None:
    """Whole lines without an end, as fast as they are taken."""
    start(handler)
    while not script.leave.is_set():
        handler.wfile.write(line("a" * 4096))


@contextmanager
def model_server(*moves: Move, models: Sequence[str] = ("tiny:latest",)) -> Iterator[tuple[str, Script]]:
    """The server's address and its script."""
    script = Script(moves, models)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
    server.daemon_threads = False  # joined on closing: nothing is left running
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", script
    finally:
        script.leave.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.paths.append(self.path)
            listed = [{"model": name, "name": name, "digest": DIGEST} for name in script.models]
            data = {"/api/version": {"version": "0.9.9"}, "/api/tags": {"models": listed}}.get(self.path)
            start(self, 200 if data else 404, "application/json")
            self.wfile.write(json.dumps(data).encode())

        def do_POST(self) -> None:
            script.paths.append(self.path)
            script.headers.append(dict(self.headers.items()))
            chat = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.chats.append(chat)
            move = script.moves[min(len(script.chats), len(script.moves)) - 1]
            try:
                move(self, chat, script)
            except (BrokenPipeError, ConnectionResetError):
                script.hung_up.set()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
