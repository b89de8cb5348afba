"""Templates into pages: every value is escaped, and what cannot be seen is taken out of every text before.

What descriptions, models, devices and callers say stands on these pages; none of it is ever markup, a script, an
address to follow or an invisible character. The templates are files of this room, read from the package; nothing of a
page comes from elsewhere. Here never lives a page. Jinja2.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse

from workflow.visible import visible

Json = Any
# Of one text: a page of 100 kB has a few of them.
MOST_TEXT = 60_000
STATIC = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: with that a browser calls the origin of its own forms `null`, and the gate turns it away.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page that a template makes of the values."""
    return HTMLResponse(environment().get_template(template).render(**values), status, HEADERS)


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("runtime.console"),
        autoescape=True,
        undefined=ChainableUndefined,  # JSON leaves out what it has nothing to say of
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"age": age, "pretty": pretty, "compact": compact, "segment": segment, "query": query, "ms": ms}
    made.globals |= {"static": static_path}
    return made


def shown(value: Any) -> Any:
    """A value as it may stand on a page."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value, MOST_TEXT)
    return value


def age(at: str | None, now: datetime | None = None) -> str:
    """How long ago, or in how long, in one number: `3 h`, `in 2 d`."""
    if not at:
        return ""
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(at)).total_seconds()
    except ValueError:
        return at
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(seconds) >= size), (1, "s"))
    told = f"{int(abs(seconds) // size)} {unit}"
    return told if seconds >= 0 else f"in {told}"


def ms(value: float | None) -> str:
    """A duration for people."""
    if value is None:
        return ""
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def pretty(value: Json) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


def compact(value: Json) -> str:
    """On one line; a text as itself."""
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


def segment(value: str) -> str:
    """As one segment of a path."""
    return quote(str(value), safe="")


def query(given: Mapping[str, Any], **changed: Any) -> str:
    """The parameters of an address, with some changed; empty ones are left out."""
    told = {**given, **changed}
    return urlencode({name: value for name, value in told.items() if value not in (None, "")}, doseq=True)


@cache
def static_file(name: str) -> bytes:
    return (files("runtime.console") / "static" / name).read_bytes()


@cache
def static_path(name: str) -> str:
    """Its address, which is another one when its content is: browsers may keep it for good."""
    return f"/console/static/{hashlib.sha256(static_file(name)).hexdigest()[:16]}/{name}"
