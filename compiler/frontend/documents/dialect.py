"""Which specification a document follows: Swagger 2.0, OpenAPI 3.0, or 3.1 and later.

Here lives the recognition by the document's own words; here never lives reading or rewriting. Asked by `load` for the
description itself, and by `references` for the files that it refers to, which mostly say nothing and then follow it.
"""

from enum import Enum
from typing import Any

from compiler.errors import SpecError
from compiler.frontend.schemas.shapes import mapping, text

_OTHERS = (
    ("asyncapi", "an AsyncAPI document"),
    ("arazzo", "an Arazzo document; import it as a workflow instead"),
    ("overlay", "an overlay; give it with --overlay"),
    ("swaggerVersion", "a Swagger 1.x document; convert it to OpenAPI 3 first"),
    ("raml", "a RAML document; convert it to OpenAPI 3 first"),
)


class Dialect(Enum):
    """MODERN: schemas are JSON Schema 2020-12 already (OpenAPI 3.1 and 3.2)."""

    SWAGGER_2 = "2.0"
    OPENAPI_30 = "3.0"
    MODERN = "3.1"


def dialect_of(data: Any, default: Dialect | None = None) -> Dialect | None:
    """The dialect that `data` names, `default` if it names none; None for a version that is not known."""
    members = mapping(data)
    if "swagger" in members:
        return Dialect.SWAGGER_2 if text(members["swagger"]).strip() in ("2.0", "2") else None
    if "openapi" in members:
        return _by_version(text(members["openapi"]).strip())
    if "json-schema.org/draft/20" in text(members.get("$schema")):
        return Dialect.MODERN
    return default


def _by_version(version: str) -> Dialect | None:
    if version == "3" or version.startswith("3.0"):
        return Dialect.OPENAPI_30
    return Dialect.MODERN if version.startswith(("3.1", "3.2")) else None


def require_dialect(data: Any, source: str) -> Dialect:
    """The dialect of a description. Raises SpecError that says what the document is instead."""
    if not isinstance(data, dict):
        raise SpecError("the document is not a mapping, so not an OpenAPI description", source)
    found = dialect_of(data)
    if found is not None:
        return found
    written = text(data.get("openapi")) or text(data.get("swagger"))
    if written:
        raise SpecError(f"version {written[:20]!r} is not known", source)
    other = next((what for key, what in _OTHERS if key in data), "")
    raise SpecError(f"this is {other}" if other else "neither `openapi` nor `swagger` says what this is", source)
