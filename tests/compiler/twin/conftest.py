"""Devices to talk to: twins of the shipped descriptions and of a small one made for the tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compiler.commands.mock import understood
from compiler.ir.model import Api
from compiler.proofs.proof import VirtualClock
from compiler.twin import Tempo, Twin, TwinReply, TwinRequest
from workflow.profiles.profile import Profile, parse_profile

ROOT = Path(__file__).parents[3]
Json = Any


class Device:
    """A twin with a clock and open credentials. Every request is one line in a test."""

    def __init__(self, twin: Twin, clock: VirtualClock) -> None:
        self.twin = twin
        self.clock = clock
        self.headers = twin.authorization()

    def ask(
        self, method: str, path: str, body: Json = None, query: dict[str, str] | None = None, **headers: str
    ) -> TwinReply:
        own = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        pairs = tuple((query or {}).items())
        return self.twin.handle(TwinRequest(method, path, pairs, (*own, *self.headers), body, body is not None))

    def get(self, path: str, **query: str) -> TwinReply:
        return self.ask("GET", path, query={name.replace("_", "$", 1): value for name, value in query.items()})

    def post(self, path: str, body: Json = None, **headers: str) -> TwinReply:
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: Json, **headers: str) -> TwinReply:
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str) -> TwinReply:
        return self.ask("DELETE", path)

    def wait(self, seconds: float = 60.0) -> None:
        self.clock.advance(seconds)


def device_of(api: Api, profile: Profile, **options: Any) -> Device:
    clock = VirtualClock()
    return Device(Twin(api, profile, now=clock, **options), clock)


@pytest.fixture(scope="session")
def device_for() -> Callable[..., Device]:
    return device_of


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], tuple[Api, Profile]]:
    """The understood API and profile of `specs/<name>`."""
    known: dict[str, tuple[Api, Profile]] = {}

    def read(name: str) -> tuple[Api, Profile]:
        path = ROOT / "specs" / name / "openapi.yaml"
        if name not in known:
            known[name] = understood(path, None, None)
        return known[name]

    return read


@pytest.fixture
def hypercore(shipped: Callable[[str], tuple[Api, Profile]]) -> Device:
    return device_of(*shipped("hypercore"))


@pytest.fixture
def idrac(shipped: Callable[[str], tuple[Api, Profile]]) -> Device:
    return device_of(*shipped("idrac"))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Device]:
    """A device of a description given as a value, with a profile given as a value or none."""

    def make(document: Json, profile: Json = None, **options: Any) -> Device:
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(document))
        given = None
        if profile is not None:
            given = tmp_path / "profile.yaml"
            given.write_text(json.dumps(profile))
            parse_profile(profile, str(given))
        api, vendor = understood(path, given, None)
        return device_of(api, vendor, **options)

    return make


@pytest.fixture
def fast() -> Tempo:
    """Jobs and states that follow at once."""
    return Tempo(job_s=0.0, settle_s=0.0)
