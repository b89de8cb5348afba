"""Canonical JSON (RFC 8785) and the digest over it: the identity of everything that is approved.

Here never lives another serialisation: what is hashed anywhere in the product is hashed through `digest`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785

from workflow.errors import CanonicalError


def canonical_bytes(value: Any) -> bytes:
    """The one RFC 8785 form of `value`. Raises CanonicalError for NaN, integers beyond 2^53 and non-JSON types."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise CanonicalError(f"{error}; use JSON values, and strings for integers beyond 2^53") from error


def digest(value: Any) -> str:
    """`sha256:` and 64 hexadecimal digits over the canonical form of `value`."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def digest_of_texts(values: Mapping[str, str | int]) -> str:
    """`digest` of one level of texts and small integers under ASCII names, twenty times as fast.

    Of these RFC 8785 is what orjson writes with sorted names, which a property holds. Raises CanonicalError.
    """
    try:
        return "sha256:" + hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError as error:
        raise CanonicalError(f"{error}; use texts and numbers") from error
