"""THREATS.md C4: 25 canaries, each as a password, a session token and a secret input, in every path that goes wrong.

The device repeats whatever it was told, in the ways that devices do: in bodies, headers, broken replies, member names.
Then everything that anybody could read is searched for what all spellings of them begin with: results, errors, run
records, audit, journals, the databases' files, log lines in both forms, spans, metrics.
"""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.registry.responses import ResponseStore
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.calls.messages import told
from runtime.commands.serving import CHATTY
from runtime.secrets import JsonFormatter, RedactingFormatter, Vault
from runtime.service import ServiceOptions, open_service
from workflow.profiles.profile import Profile
from workflow.requests.events import to_json

ME = Caller("me", "operator")
MARK = "c4nary"
# Each is told apart by its number; what stands around it is what parsers, printers and masks stumble over.
SHAPES = (
    "{}", "{} word", '{}"quoted"', "{}'it", "{}\\back", "{}%41%2f", "{}&a=b", "{};x", "{}<b>", "{}ä", "{}ß€", "{}漢字",
    "{}\U0001f511", "{}{{x}}", "{}$inputs.uuid", "{}.*[a-z]+", "{}/../x", "{}:colon", "{}==", "{}+plus", "{}\ttab",
    "{}\nline", "{}" + "x" * 2_000, "{}{{username}}", "{}[redacted]",
)  # fmt: skip
SESSION = {
    "login": "POST /login",
    "login_body": {"user": "{username}", "word": "{password}"},
    "token": {"within": "header", "at": "X-Token"},
    "send_as": {"within": "header", "at": "X-Token"},
    "expired_statuses": [503],
    "no_session_statuses": [],
}
PROFILE = Profile(api="toy", secrets=["password"], auth={"kinds": ["session"], "session": SESSION})
STRICT = {"200": {"type": "array", "items": {"additionalProperties": False}}, "202": {"additionalProperties": False}}


def words_of(number: int) -> dict[str, str]:
    """The canaries of one target: its password, its session's token, and what the caller gives as a secret."""
    shape = SHAPES[number]
    return {kind: shape.replace("{}", f"{MARK}-{kind}-{number}", 1) for kind in ("word", "input")} | {
        "token": f"{MARK}-token-{number}-!#$%&'*+.^_`|~"
    }


class Parrot:
    """A device that repeats what it was told, in the way `path` says."""

    def __init__(self, tools: Any) -> None:
        self.tools = tools
        self.path = ""
        self.words: dict[str, str] = {}

    async def __call__(self, heard: Any, writer: Any) -> None:
        answer, echo = self.tools.answer, list(self.words.values())
        if heard.target == b"/api/login" and self.path != "login refused":
            writer.write(answer(201, b"{}", x_token=self.words["token"]))
            return
        shown = " ".join(echo).encode("utf-8").decode("latin-1").replace("\n", "%0A")
        body = json.dumps({"error": {"message": " ".join(echo), "seen": echo}, **dict.fromkeys(echo, 1)}).encode()
        match self.path:
            case "login refused" | "refused":
                writer.write(answer(401, body, content_type="application/json", www_authenticate=shown))
            case "failed" | "login failed":
                writer.write(answer(500, body, content_type="application/json", x_seen=shown))
            case "no JSON":
                writer.write(answer(200, body[:-1], content_type="application/json"))
            case "another type":
                writer.write(answer(200, body[:-1], content_type=f"application/{shown}+json"))
            case "compressed otherwise":
                writer.write(answer(200, body, content_encoding=shown))
            case "no status line":
                writer.write(f"HTTP/1.1 {shown}\r\n\r\n".encode("latin-1"))
            case "no header":
                writer.write(f"HTTP/1.1 200 OK\r\n{shown}\r\n\r\n".encode("latin-1"))
            case "a wrong length":
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {shown}\r\n\r\n".encode("latin-1"))
            case "redirected":
                writer.write(answer(302, b"", location=f"http://{shown}/"))
            case "hung up":
                writer.close()
            case "not as described":
                status = 202 if heard.method == "POST" else 200
                said = body if status == 202 else b"[" + body + b"]"
                writer.write(answer(status, said, content_type="application/json"))
            case "job failed":
                is_change = heard.method == "POST"
                said = {"task": "t-1"} if is_change else {"state": "broken", "message": " ".join(echo), "seen": echo}
                writer.write(answer(202 if is_change else 200, json.dumps(said).encode()))
            case "repeated":
                writer.write(answer(200, json.dumps([{"uuid": "u-1", "name": "web-01", "seen": echo}]).encode()))


PATHS = (
    "login refused", "refused", "failed", "no JSON", "another type", "compressed otherwise", "no status line",
    "no header", "a wrong length", "redirected", "hung up", "not as described", "job failed", "repeated",
)  # fmt: skip


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, list[logging.Handler]]]:
    """All that is logged, down to debug, as it comes to the handlers."""
    root, handlers = logging.getLogger(), [logging.StreamHandler(io.StringIO()) for _ in range(2)]
    level = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    levels = {name: logging.getLogger(name).level for name in CHATTY}
    for name in CHATTY:  # as the server does
        logging.getLogger(name).setLevel(logging.WARNING)
    yield root, handlers  # type: ignore[misc]
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


async def house_with(tools: Any, service: Any, url: str, device: Any) -> Any:
    plain = PROFILE.model_dump(mode="json")
    await service.apis.put_api("toy", "Toy", "1", "sha256:" + "0" * 64, plain, PROFILE.digest)
    house = tools.House(url, service)
    for name in ("find", "stop", "list"):
        content = replace(tools.toy_content(name), profile_digest=PROFILE.digest)
        about = {"intent": "find", "risk": "change", "resource": "vms", "is_core": True, "rank": 1.0, "proof": None}
        made = (await service.revisions.submit("toy", f"toy-{name}", content, actor="t", **about)).revision
        await service.revisions.decide(made.id, "approve", actor="t", role="admin", reason="", digest=made.digest)
    for number in range(len(SHAPES)):
        await house.target(device.url, f"t-{number}", username_ref="env:USER", password_ref=f"env:WORD_{number}")
    await service.live.reload()
    await ResponseStore(service.database).put({"sha256:0": STRICT})
    return house


async def all_told(service: Any, run: Any, ended: Any) -> str:
    """What whoever asks is told of a run, over REST as well."""
    pieces = [repr(ended), repr(dict(ended.outputs)), told(ended)]
    pieces += [json.dumps(to_json(ended.failure))] if ended.failure else []
    async with httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
        for path in (f"/runs/{ended.run_id}", f"/runs/{ended.run_id}/journal"):
            pieces.append((await client.get(path)).text)
    return "\n".join(pieces)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "numbers", [range(0, 25, 8), pytest.param(range(25), marks=pytest.mark.long)], ids=["some", "all"]
)
async def test_no_canary_is_found_anywhere(
    path: str, numbers: range, tmp_path: Path, recorder: Any, tools: Any, spans: Any, logged: Any
) -> None:
    assert len(SHAPES) == 25
    words = {number: words_of(number) for number in numbers}
    parrot = Parrot(tools)
    device = await recorder(parrot)
    parrot.path = path
    vault = Vault({"USER": "operator", **{f"WORD_{number}": one["word"] for number, one in words.items()}})
    _, (text, lines) = logged
    text.setFormatter(RedactingFormatter(vault, "%(asctime)s %(levelname)s %(name)s: %(message)s"))
    lines.setFormatter(JsonFormatter(vault))
    url, seen = f"sqlite+aiosqlite:///{tmp_path / 'switchgear.db'}", []
    asks_nobody = Confirmation(classes=frozenset())
    async with open_service(url, vault, ServiceOptions(confirmation=asks_nobody)) as service:
        await house_with(tools, service, url, device)
        entries = service.live.now.entries
        async with tools.running(service) as run:
            for number, known in words.items():
                wishes: list[tuple[str, dict[str, str]]] = [("toy_find_vm", {"vm": "web-01"}), ("toy_list_vms", {})]
                wishes.append(("toy_stop_vm", {"uuid": "u-1", "password": known["input"]}))
                for tool, inputs in wishes:
                    # What a caller gives is known to be secret while that run lasts.
                    parrot.words = known if "password" in inputs else {**known, "input": "nothing"}
                    ended = await service.calls.call(entries[tool], inputs, f"t-{number}", ME)
                    await service.engine.settle()
                    seen.append(await all_told(service, run, ended))
            async with httpx.AsyncClient(base_url=run.url, trust_env=False) as client:
                seen += [(await client.get(each)).text for each in ("/audit?limit=1000", "/metrics", "/runs?limit=200")]
    seen += [handler.stream.getvalue() for handler in (text, lines)]
    seen += [each.to_json() for each in spans.get_finished_spans()]
    found = {f"told[{n}]": each.encode("utf-8", "surrogatepass") for n, each in enumerate(seen)}
    found |= files(tmp_path)
    assert MARK.encode() in device.raw, "the device was told"
    assert leaks(found) == []


def files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def leaks(found: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """Where a canary stands, with what is around it."""
    where = ((name, data, data.find(MARK.encode())) for name, data in found.items())
    return [(name, data[max(0, at - 80) : at + 60]) for name, data, at in where if at >= 0]
