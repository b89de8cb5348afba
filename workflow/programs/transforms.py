"""Outputs, and their transforms: what Arazzo's expressions cannot do and devices make necessary.

A closed table from the name that stands in `x-switchgear.transforms` to a pure function. Applied by `interpreter`,
element by element where the output is a list; values of other types stay as they are.
"""

from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit

from workflow.documents.document import Json
from workflow.documents.scope import Scope
from workflow.documents.values import Missing
from workflow.json.pointers import NOTHING
from workflow.programs.program import ProgramOutput


def last_path_segment(address: str) -> str:
    """The id at the end of an address: `/Jobs/JID_1`, `https://host/Jobs/JID_1/?x=1` give `JID_1`."""
    path = address.partition("?")[0].partition("#")[0]
    return unquote(path.rstrip("/").rpartition("/")[2])


def is_of_the_list(address: str, scope: Scope) -> bool:
    """Whether the address that answers a creation is the one that it was sent to: it names nothing that is new there.

    Some servers write their list in `Location`, whole or its end alone (`racks`, to `POST /api/racks`).
    """
    sent = scope.sent()
    if sent is None or sent.method.upper() != "POST":
        return False
    here, told = (unquote(urlsplit(each).path).strip("/") for each in (sent.url, address))
    return bool(told) and f"/{here}".endswith(f"/{told}")


TRANSFORMS: Mapping[str, Callable[[str], str]] = {"last_path_segment": last_path_segment}


def transformed(name: str, value: Json) -> Json:
    """`value` after the transform `name`; unchanged for an empty name."""
    if not name:
        return value
    if isinstance(value, list):
        return [transformed(name, item) for item in value]
    return TRANSFORMS[name](value) if isinstance(value, str) else value


def outputs_of(outputs: tuple[ProgramOutput, ...], scope: Scope) -> dict[str, Json]:
    """The outputs that select something, transformed; the others are absent."""
    found: dict[str, Json] = {}
    for output in outputs:
        try:
            value = output.value.evaluate(scope)
        except Missing:
            continue
        if output.transform and isinstance(value, str) and is_of_the_list(value, scope):
            continue
        if value is not NOTHING:
            found[output.name] = transformed(output.transform, value)
    return found
