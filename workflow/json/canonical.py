"""Canonical JSON (RFC 8785) and the digest over it: the identity of everything that is approved.

Here never lives another serialisation: what is hashed anywhere in the product is hashed through `digest`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785

from workflow.errors import CanonicalError

_LEAST, _MOST = 1e-3, 1e15
"""Numbers that nobody writes with an exponent."""


def canonical_bytes(value: Any) -> bytes:
    """The one RFC 8785 form of `value`. Raises CanonicalError for NaN, integers beyond 2^53 and non-JSON types."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise CanonicalError(f"{error}; use JSON values, and strings for integers beyond 2^53") from error


def digest(value: Any) -> str:
    """`sha256:` and 64 hexadecimal digits over the canonical form of `value`."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def digest_of_row(values: Mapping[str, str | float | bool | None]) -> str:
    """`digest` of one level of texts, numbers, truths and nothing under ASCII names, as fast as `digest_of_texts`.

    Raises CanonicalError as `digest` does.
    """
    plain = {name: _plain(value) if isinstance(value, float) else value for name, value in values.items()}
    return digest_of_texts(plain) if all(map(_is_tame, plain.values())) else digest(values)


def _plain(value: float) -> float | int:
    """RFC 8785 writes a whole number without a point."""
    return int(value) if value.is_integer() else value


def _is_tame(value: str | float | bool | None) -> bool:
    """Whether orjson writes it as RFC 8785 does: of numbers the shortest digits, and no exponent."""
    if isinstance(value, float):
        return _LEAST <= abs(value) <= _MOST
    return not isinstance(value, int) or -_MOST <= value <= _MOST


def digest_of_texts(values: Mapping[str, str | float | bool | None]) -> str:
    """`digest` of one level of texts and small integers under ASCII names, twenty times as fast.

    Of these RFC 8785 is what orjson writes with sorted names, which a property holds. Raises CanonicalError.
    """
    try:
        return "sha256:" + hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError as error:
        raise CanonicalError(f"{error}; use texts and numbers") from error
