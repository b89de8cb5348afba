"""OpenAPI Overlay 1.0: a document of changes, applied to a description before it is read.

Here lives the application of its actions, in order, on a copy. Called by `load` alone.
Overlay Specification 1.0.0; targets are RFC 9535 JSONPath, read strictly. An action whose target selects nothing
changes nothing and is reported, since mostly the vendor has moved something.
"""

import copy
from itertools import islice
from pathlib import Path
from typing import Any

from jsonpath import JSONPathEnvironment
from jsonpath.exceptions import JSONPathError

from compiler.errors import LimitError, OverlayError
from compiler.frontend.documents.files import read_given
from compiler.frontend.documents.limits import ReadLimits
from compiler.frontend.documents.parse import parse_document
from compiler.frontend.findings import Findings
from compiler.frontend.schemas.shapes import mapping, text

Json = Any
_MOST_MATCHES = 100_000  # `$..*..*` selects the same places over and over


def apply_overlay(data: Json, path: Path, findings: Findings, limits: ReadLimits) -> Json:
    """`data` with the overlay at `path` applied. Raises OverlayError, SpecError for a file that is not a document."""
    overlay = parse_document(read_given(path, limits.json_bytes), path.name, limits).data
    actions = _actions(overlay, path.name)
    # Aliases of YAML share values; an action changes one place, so that the copy must not share.
    result = _unshared(data)
    for number, action in enumerate(actions):
        result = _apply(result, action, f"{path.name}#/actions/{number}", findings)
    return result


def _actions(overlay: Json, source: str) -> list[Json]:
    if not text(mapping(overlay).get("overlay")).startswith("1."):
        raise OverlayError("`overlay: 1.0.0` is missing", source)
    actions = overlay.get("actions")
    if not isinstance(actions, list):
        raise OverlayError("`actions` is not a list", source, "/actions")
    return actions


def _apply(data: Json, action: Json, pointer: str, findings: Findings) -> Json:
    members = mapping(action)
    target = text(members.get("target"))
    source, _, place = pointer.partition("#")
    if "copy" in members:
        raise OverlayError("`copy` is of Overlay 1.1, which is not read", source, place)
    try:
        matches = list(islice(JSONPathEnvironment(strict=True).finditer(target, data), _MOST_MATCHES + 1))
    except (JSONPathError, RecursionError) as error:
        # Not str(error): the library looks for the place in the text and fails where the text is empty.
        reason = error.args[0] if error.args else "nested too deep"
        raise OverlayError(f"{target[:80]!r} is not a JSONPath: {reason}", source, place) from error
    if len(matches) > _MOST_MATCHES:
        raise LimitError(f"{target[:80]!r} selects more than {_MOST_MATCHES} places", source, place)
    if not matches:
        findings.warning("overlay-idle", pointer, f"{target[:80]!r} selects nothing", "compare it with the description")
        return data
    places = [tuple(match.parts) for match in matches]
    if members.get("remove") is True:
        return _remove(data, places, source, place)
    if "update" in members:
        for parts in places:
            data = _update(data, parts, members["update"], source, place)
    return data


def _remove(data: Json, places: list[tuple[Any, ...]], source: str, place: str) -> Json:
    if () in places:
        raise OverlayError("the whole description cannot be removed", source, place)
    # From the end, so that the numbers of list members still hold.
    for parts in sorted(places, key=lambda parts: [(isinstance(p, str), p) for p in parts], reverse=True):
        parent = _at(data, parts[:-1])
        if isinstance(parent, list) or (isinstance(parent, dict) and parts[-1] in parent):
            del parent[parts[-1]]
    return data


def _update(data: Json, parts: tuple[Any, ...], change: Json, source: str, place: str) -> Json:
    found = _at(data, parts)
    if isinstance(found, dict) and isinstance(change, dict):
        _merge(found, change)
    elif isinstance(found, list):
        found.append(_unshared(change))
    else:
        raise OverlayError("the target of an update is neither a mapping nor a list", source, place)
    return data


def _merge(target: dict[str, Json], change: dict[str, Json]) -> None:
    for key, value in change.items():
        own = target.get(key)
        if isinstance(own, dict) and isinstance(value, dict):
            _merge(own, value)
        elif isinstance(own, list) and isinstance(value, list):
            own.extend(_unshared(value))
        else:
            target[key] = _unshared(value)


def _at(data: Json, parts: tuple[Any, ...]) -> Json:
    for part in parts:
        data = data[part]
    return data


def _unshared(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _unshared(one) for key, one in value.items()}
    return [_unshared(one) for one in value] if isinstance(value, list) else copy.copy(value)
