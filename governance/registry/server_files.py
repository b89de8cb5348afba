"""Lists of MCP servers as clients keep them, read and written: Claude, VS Code, Cursor, and a form of our own.

Claude and Cursor have `mcpServers` by name, VS Code `servers` by name with `inputs`; ours is a list, which says all
that we know. No secret is read into the database: a reference of theirs (`${env:NAME}`, `${NAME}`, `${input:id}`)
becomes one of ours, and a literal value becomes a reference to a variable that somebody has to set, with a note that
says so and does not repeat it. What is written holds references alone. Called by `servers import|export`; here never
lives a table.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from governance.errors import InvalidError
from governance.registry.servers import Server, address_of_server, api_of, pairs, reference_in
from governance.registry.targets import Target, TargetLimits

Json = Any
Form = Literal["switchgear", "claude", "vscode", "cursor"]
FORMS: tuple[Form, ...] = get_args(Form)
MOST_SERVERS, MOST_BYTES = 200, 1024 * 1024
# `${env:NAME}` of VS Code and Cursor, `${NAME}` and `${NAME:-other}` of Claude Code, `${input:id}` of VS Code.
_THEIRS = re.compile(r"(?P<before>(?:[A-Za-z][\w-]* )?)\$\{(?:env:|input:)?(?P<name>[\w-]+)(?::-[^}]*)?\}")
_WORD = re.compile(r"(?P<before>(?:Bearer|Basic|Token|token|bearer|basic) )?\S")
_WORDS_OF_HTTP = {"http", "streamable-http", "streamableHttp", "streamable_http"}
_UNKNOWN = ("cwd", "envFile", "oauth", "auth", "dev", "sandbox")


@dataclass(slots=True)
class Reading:
    """`notes`: what was not taken as it stood, and what has to be done about it."""

    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def server_target(name: str, server: Server, *, tls: str = "verify", limits: TargetLimits | None = None) -> Target:
    """The target that an MCP server, or a site, is."""
    api, address = api_of(name, server.transport), address_of_server(name)
    limits = limits or TargetLimits()
    return Target(name, api, address, "live", tls=tls, is_default=True, limits=limits, server=server)


def read_servers(text: str) -> Reading:
    """The servers of a file in any of the forms. Raises InvalidError, naming the place, for what is none of them."""
    if len(text) > MOST_BYTES:
        raise InvalidError(f"the file is longer than {MOST_BYTES} bytes", "import it in parts")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"the file is not JSON: {type(error).__name__}", "take the comments out of it") from None
    return servers_of(told)


def servers_of(told: Json) -> Reading:
    """The same of what was read already."""
    entries = _entries(told)
    if len(entries) > MOST_SERVERS:
        raise InvalidError(f"the file has more than {MOST_SERVERS} servers", "import it in parts")
    reading = Reading()
    for name, entry in entries:
        if not isinstance(name, str) or not isinstance(entry, Mapping):
            raise InvalidError("an entry of the file is no server", "see docs/REMOTES.md")
        _take(reading, name, entry)
    names = [target.name for target in reading.targets]
    if len(set(names)) < len(names):
        raise InvalidError("two servers of the file have one name", "rename one of them")
    return reading


def _entries(told: Json) -> list[tuple[Json, Json]]:
    found = told.get("mcpServers", told.get("servers")) if isinstance(told, Mapping) else None
    if isinstance(found, Mapping):
        return list(found.items())
    if isinstance(found, list):
        return [(each.get("name") if isinstance(each, Mapping) else None, each) for each in found]
    raise InvalidError("the file has neither mcpServers nor servers", "see docs/REMOTES.md for the forms")


def _take(reading: Reading, given: str, entry: Mapping[str, Json]) -> None:
    name = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:24].strip("-")
    if name != given:
        reading.notes.append(f"{given} is called {name} here")
    try:
        server = _server(reading, name, entry)
        limits = TargetLimits(**_limits(entry))
    except (AttributeError, TypeError, KeyError):
        raise InvalidError(f"the server {name} is not written as servers are", "see docs/REMOTES.md") from None
    reading.notes += [f"{name}: {each} is not taken over" for each in _UNKNOWN if each in entry]
    reading.targets.append(server_target(name, server, tls=entry.get("tls", "verify"), limits=limits))


def _server(reading: Reading, name: str, entry: Mapping[str, Json]) -> Server:
    is_enabled = not entry.get("disabled", False) and entry.get("enabled", entry.get("is_enabled", True)) is True
    kind = entry.get("transport", entry.get("type", "stdio" if "command" in entry else "http"))
    if kind == "stdio":
        arguments = tuple(map(str, entry.get("arguments", entry.get("args", ()))))
        if any("${" in each for each in (str(entry["command"]), *arguments)):
            remedy = "write them out, and give secrets to the server as variables"
            raise InvalidError(f"the command of {name} has places to fill in", remedy)
        env = _references(reading, name, entry.get("env", {}))
        return Server("stdio", str(entry["command"]), arguments, env, is_enabled=is_enabled)
    transport: Any = "http" if kind in _WORDS_OF_HTTP else kind  # what it cannot be is refused with the rest
    if transport == "site":
        raise InvalidError(f"{name} is a site, which comes by an invitation", "see `switchgear site invite`")
    headers = _references(reading, name, entry.get("headers", {}))
    return Server(transport, url=str(entry["url"]), headers=headers, is_enabled=is_enabled)


def _limits(entry: Mapping[str, Json]) -> dict[str, Json]:
    limits = dict(entry.get("limits", {}))
    if isinstance(entry.get("timeout"), int | float):  # Claude Code and others: milliseconds
        limits.setdefault("total_timeout_s", entry["timeout"] / 1000)
    return limits


def _references(reading: Reading, server: str, given: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    return pairs({name: _reference(reading, server, name, str(value)) for name, value in given.items()})


def _reference(reading: Reading, server: str, name: str, value: str) -> str:
    """Our reference for a value of theirs; a literal is not kept."""
    try:
        reference_in(value)
    except ValueError:
        pass
    else:
        return value
    if found := _THEIRS.fullmatch(value):
        variable = _variable(found["name"])
        reading.notes.append(f"{server}: {name} is taken from the variable {variable}, which has to be set")
        return f"{found['before']}env:{variable}"
    variable = _variable(f"{server}_{name}".upper())
    reading.notes.append(
        f"{server}: the value of {name} is not kept; put it into the variable {variable}, and take it out of the file"
    )
    word = _WORD.match(value)
    return f"{(word['before'] if word else None) or ''}env:{variable}"


def _variable(text: str) -> str:
    name = re.sub(r"\W+", "_", text, flags=re.ASCII)
    plain = name if re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) or name == text else name.upper()
    return plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"


def written_servers(targets: Iterable[Target], form: Form) -> dict[str, Json]:
    """The file in this form; where theirs cannot say a reference of ours, a variable stands for it."""
    found = [target for target in targets if target.server is not None and not target.server.is_site]
    if form == "switchgear":
        return {"servers": [_ours(target) for target in found]}
    entries = {target.name: _theirs(target, form) for target in found}
    if form != "vscode":
        return {"mcpServers": entries}
    inputs = {_input(value): value for target in found for value in _values(target)}
    asked = [{"id": name, "type": "promptString", "description": name, "password": True} for name in sorted(inputs)]
    return {"inputs": asked, "servers": entries}


def _ours(target: Target) -> dict[str, Json]:
    assert target.server is not None
    told = {"name": target.name, **target.server.to_json(), "tls": target.tls, "limits": target.limits.to_json()}
    return {name: value for name, value in told.items() if value not in ({}, [])}


def _theirs(target: Target, form: Form) -> dict[str, Json]:
    server = target.server
    assert server is not None
    if server.transport == "stdio":
        env = {name: _placed(value, form) for name, value in server.env}
        told: dict[str, Json] = {"command": server.command, "args": list(server.arguments), "env": env}
    else:
        told = {"url": server.url, "headers": {name: _placed(value, form) for name, value in server.headers}}
    if form != "cursor":  # which tells by what is there
        told = {"type": server.transport, **told}
    return {name: value for name, value in told.items() if value != {}}


def _values(target: Target) -> Iterable[str]:
    server = target.server
    assert server is not None
    return (value for _, value in (*server.env, *server.headers))


def _placed(value: str, form: Form) -> str:
    before, reference = reference_in(value)
    name = _named(reference)
    return before + {"claude": f"${{{name}}}", "cursor": f"${{env:{name}}}"}.get(form, f"${{input:{_input(value)}}}")


def _named(reference: str) -> str:
    """The variable that stands for a reference elsewhere."""
    kind, _, place = reference.partition(":")
    return place if kind == "env" else _variable(place.strip("/"))


def _input(value: str) -> str:
    return _named(reference_in(value)[1])
