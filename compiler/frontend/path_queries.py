"""Keys of `paths` with a query or a fragment: which of them can be kept, and what they say of the parameters.

What the query fixes is no parameter any more; what has a placeholder there is a query parameter, under whichever
place it was declared; what a fragment names (`#X-Action=Start`) and the operation declares has that one value. Called
by `operations`. What such keys mean otherwise stands in `workflow.documents.path_queries`.
"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import ApiParameter
from workflow.documents.path_queries import asked_query, fixed_query, fragment_pairs, parted
from workflow.requests.reserved import why_reserved

_UNREADABLE = re.compile(r"[\x00-\x20\x7f\\%\"<>^`|]")
_VALUE = re.compile(r"[^{}]*|\{[^{}]+\}")


@dataclass(frozen=True, slots=True)
class GivenParameters:
    """The parameters that are left; `differing`: those whose description does not allow what the path says."""

    parameters: tuple[ApiParameter, ...]
    differing: tuple[str, ...] = ()


def fault_of(path: str) -> str:
    """Why the query or the fragment of a path cannot be kept, "" where it can, or where there is none."""
    _, rest = parted(path)
    query, mark, fragment = rest.removeprefix("?").partition("#") if rest else ("", "", "")
    if not rest:
        return ""
    pairs = [piece.partition("=") for piece in query.split("&")] if rest.startswith("?") else []
    names = [name for name, _, _ in pairs]
    is_odd = any(not name or set("{}") & set(name) or not _VALUE.fullmatch(value) for name, _, value in pairs)
    if is_odd or _UNREADABLE.search(rest) or "?" in query or len({*names}) < len(names) or (mark and not fragment):
        return "has a query or a fragment that cannot be read"
    if set("{}#") & set(fragment):
        return "has a fragment that cannot be read"
    reserved = next((why for name in names if (why := why_reserved("query", name))), "")
    return f"has a query that nobody may send: {reserved}" if reserved else ""


def identity_of(path: str) -> Hashable:
    """Equal for paths that are one: the order of what is asked in a query changes nothing."""
    address, rest = parted(path)
    asked = [(name,) for name, _ in asked_query(path)]
    return (address, frozenset((*fixed_query(path), *asked)), rest.partition("#")[2]) if rest else path


def with_query(path: str, parameters: tuple[ApiParameter, ...]) -> GivenParameters:
    """What of the declared parameters a caller still says."""
    if not parted(path)[1]:
        return GivenParameters(parameters)
    fixed, told = dict(fixed_query(path)), {name.lower(): value for name, value in fragment_pairs(path) if value}
    kept = [p for p in parameters if (p.location, p.name) not in {("query", name) for name in fixed}]
    known = {(p.location, p.name): p for p in kept}
    for name, placeholder in asked_query(path):
        declared = known.get(("query", name)) or known.pop(("path", placeholder), None)
        made = declared or ApiParameter(name, "query", True, {"type": "string"})
        is_own = declared is not None and declared.location == "query"
        style, explode = (made.style, made.explode) if is_own else ("form", True)
        known["query", name] = replace(
            made, name=name, location="query", is_required=True, style=style, explode=explode
        )
    given = tuple(_of_fragment(p, told) for p in known.values())
    differing = [p.name for p in parameters if p.location == "query" and _is_other(p.schema, fixed.get(p.name))]
    return GivenParameters(given, tuple(differing))


def _of_fragment(parameter: ApiParameter, told: Mapping[str, str]) -> ApiParameter:
    value = told.get(parameter.name.lower()) if parameter.location in ("query", "header") else None
    if value is None:
        return parameter
    return replace(parameter, is_required=True, schema={"type": "string", "enum": [value]})


def _is_other(schema: Mapping[str, Any], value: str | None) -> bool:
    """Whether a value is none of those that a plain schema lists."""
    listed = schema.get("enum", [schema["const"]] if "const" in schema else ())
    return value is not None and bool(listed) and value not in [_as_text(each) for each in listed]


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
