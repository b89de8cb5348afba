"""What may come into the library: bounded bytes that are JSON or YAML and look like what they are called.

A look, not a reading: size, nesting and number of parts are bounded before anything is built, and the top says
`openapi`, `swagger` or is a profile. What a description means is the compiler's to say, which never trusts this look.
Here never lives a file or a database.
"""

from collections.abc import Iterator
from typing import Any, Literal

import orjson
import yaml

from governance.errors import InvalidError
from workflow.errors import WorkflowError
from workflow.profiles.profile import parse_profile

Kind = Literal["specs", "profiles"]
MAX_BYTES = 32 * 1024 * 1024
"""As much as the compiler takes of one file."""
MAX_PROFILE_BYTES = 512 * 1024
"""A profile is pages of text; the longest at hand has 20 kB."""
MAX_NODES = 600_000
"""Mappings, lists and scalars of YAML: what the compiler takes, and about a second's work."""
MAX_JSON_NODES = 3_000_000
"""Of JSON, where commas in texts count too; within it what is parsed stays below 300 MB."""
MAX_DEPTH = 100


def check_document(kind: Kind, name: str, data: bytes) -> None:
    """Raises InvalidError for what cannot be a description or a profile."""
    most = MAX_BYTES if kind == "specs" else MAX_PROFILE_BYTES
    if len(data) > most:
        raise InvalidError(f"{name} has more than {most} bytes", "leave out what is not needed")
    top = _json_top(data) if name.endswith(".json") else _yaml_top(data)
    if kind == "profiles":
        _check_profile(name, data)
    elif not top & {"openapi", "swagger"}:
        raise InvalidError(f"{name} says neither openapi nor swagger at its top", "give an OpenAPI document")


def _json_top(data: bytes) -> set[str]:
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_JSON_NODES:
        raise InvalidError("it has too many parts", "leave out what is not needed")
    try:
        top = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidError(f"it is not JSON: {error}", "correct it, or name it .yaml") from error
    return _names(top)


def _yaml_top(data: bytes) -> set[str]:
    """The names at the top, by events alone: nothing is built, so that nothing is multiplied."""
    top: set[str] = set()
    depth, is_name = 0, True
    for event in _events(data):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InvalidError(f"it is nested more than {MAX_DEPTH} levels deep", "leave out what is not needed")
        if depth == 1 and isinstance(event, yaml.ScalarEvent | yaml.AliasEvent | yaml.CollectionEndEvent):
            if is_name and isinstance(event, yaml.ScalarEvent):
                top.add(event.value)
            is_name = not is_name
    return top


def _events(data: bytes) -> Iterator[yaml.Event]:
    try:
        for number, event in enumerate(yaml.parse(data, Loader=yaml.CSafeLoader)):
            if number > MAX_NODES:
                raise InvalidError(f"it has more than {MAX_NODES} parts", "leave out what is not needed")
            yield event
    except (yaml.YAMLError, UnicodeError) as error:
        raise InvalidError(f"it is not YAML: {error}", "correct it") from error


def _check_profile(name: str, data: bytes) -> None:
    """Raises InvalidError for what is no profile, or would be endless with its aliases written out."""
    try:
        if _size(yaml.compose(data, Loader=yaml.CSafeLoader), {}) > MAX_NODES:
            raise InvalidError(f"{name} has more than {MAX_NODES} parts with its aliases written out", "write less")
        parse_profile(yaml.load(data, Loader=yaml.CSafeLoader), name)
    except WorkflowError as error:
        raise InvalidError(str(error), "see docs/PROFILE.md") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidError(f"it is no profile: {error}", "see docs/PROFILE.md") from error


def _names(top: Any) -> set[str]:
    return set(top) if isinstance(top, dict) else set()


def _size(node: yaml.Node | None, known: dict[int, int]) -> int:
    """How many parts `node` has with its aliases written out; what holds itself has too many."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]
