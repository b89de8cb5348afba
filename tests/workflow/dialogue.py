"""Runs of a plan as dialogues: an event in, a command out, the state through JSON each time."""

from typing import Any

from workflow.programs.program import Program
from workflow.programs.state import State
from workflow.requests.events import EndRun, Event, ResponseArrived, RunStarted, SendRequest
from workflow.running.interpreter import advance


class Dialogue:
    """A run of a plan: `say` an event, get the one command that follows. The state goes through JSON each time."""

    def __init__(self, program: Program, **inputs: Any) -> None:
        self.program = program
        self.state = State.initial()
        self.first = self.say(RunStarted(inputs))

    def say(self, event: Event) -> Any:
        self.state, commands = advance(self.program, self.state, event)
        self.state = State.from_json(self.state.to_json())
        assert len(commands) <= 1
        return commands[0] if commands else None

    def answer(self, key: str, status: int = 200, body: Any = None, **headers: str) -> Any:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.say(ResponseArrived(key, status, names, body))


def sent(command: Any, key: str, attempt: int = 1) -> SendRequest:
    assert isinstance(command, SendRequest), command
    assert (command.step_id, command.attempt) == (key, attempt)
    return command


def ended(command: Any, outcome: str, code: str = "") -> EndRun:
    assert isinstance(command, EndRun), command
    assert command.outcome == outcome, command
    assert (command.failure.code if command.failure else "") == code, command
    return command


def ok(condition: str = "$statusCode == 200") -> list[dict[str, str]]:
    return [{"condition": condition}]


def retry(limit: int, after: float, *conditions: str, **members: Any) -> dict[str, Any]:
    criteria = [{"condition": each} for each in conditions]
    return {"name": "again", "type": "retry", "retryLimit": limit, "retryAfter": after, "criteria": criteria, **members}


def end(name: str, condition: str, **ours: Any) -> dict[str, Any]:
    return {"name": name, "type": "end", "criteria": [{"condition": condition}], "x-switchgear": ours}
