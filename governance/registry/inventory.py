"""The inventory as a file: targets in YAML, for people to keep in a repository, and back.

`switchgear targets apply` makes the database hold what the file says; `targets export` writes the file. Credentials
are references here as well; a value that is none is refused and not repeated. Here never lives a rule about a target
(`governance.registry.targets`) nor a statement.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from governance.errors import InvalidError
from governance.registry.responses import Policy
from governance.registry.targets import Mode, Target, TargetLimits
from governance.storage.identifiers import Json


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Auth(_Part):
    username: str | None = None
    password: str | None = None
    token: str | None = None


class _Limits(_Part):
    connections: int | None = Field(None, ge=1)
    requests_per_s: float | None = Field(None, gt=0)
    total_timeout_s: float | None = Field(None, gt=0)
    max_body_bytes: int | None = Field(None, ge=1024)


class _Target(_Part):
    name: str
    api: str
    address: str
    mode: Mode = "live"
    auth: _Auth = _Auth()
    tls: str = "verify"
    labels: dict[str, str] = {}
    limits: _Limits = _Limits()
    responses: Policy | Literal[""] = ""
    default: bool = False


class _File(_Part):
    targets: list[_Target]


def read_inventory(path: Path) -> tuple[Target, ...]:
    """The targets of the file. Raises InvalidError naming the place of the first fault, and OSError for the file."""
    try:
        file = _File.model_validate(yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise InvalidError(f"{path} is not YAML: {error}", "correct the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f"/{part}" for part in first["loc"])
        # What was given is not repeated: it may be a secret.
        raise InvalidError(f"{path}, {place or 'at the top'}: {first['msg']}", "see docs/TARGETS.md") from None
    names = [each.name for each in file.targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidError(f"{path} has {', '.join(twice)} more than once", "give each target a name of its own")
    return tuple(map(_target, file.targets))


def written(targets: Iterable[Target]) -> str:
    """The file that `read_inventory` reads back. MCP servers have files of their own (`server_files`)."""
    return yaml.safe_dump(
        {"targets": [_told(each) for each in targets if each.server is None]}, sort_keys=False, allow_unicode=True
    )


def _target(given: _Target) -> Target:
    auth = given.auth
    return Target(
        name=given.name,
        api=given.api,
        base_url=given.address,
        mode=given.mode,
        username_ref=auth.username,
        password_ref=auth.password,
        token_ref=auth.token,
        tls=given.tls,
        is_default=given.default,
        labels=tuple(sorted(given.labels.items())),
        limits=TargetLimits(**given.limits.model_dump()),
        responses=given.responses,
    )


def _told(target: Target) -> dict[str, Json]:
    auth = {"username": target.username_ref, "password": target.password_ref, "token": target.token_ref}
    told: dict[str, Json] = {
        "name": target.name,
        "api": target.api,
        "address": target.base_url,
        "mode": target.mode,
        "auth": {name: value for name, value in auth.items() if value is not None},
        "tls": target.tls,
        "labels": dict(target.labels),
        "limits": target.limits.to_json(),
        "responses": target.responses,
        "default": target.is_default,
    }
    return {name: value for name, value in told.items() if value not in ({}, False, "")}
