"""What replicas of a hub leave for each other in rows, closed by the hub's own key: nobody else reads or makes it.

A row that somebody wrote by hand must not become a dispatch that the hub signs, nor an answer that a caller believes;
and inputs may hold secrets. So what is on its way is encrypted and authenticated (AES-SIV, RFC 5297) with a key that
follows from the hub's private one, together with what it is and whose: moved to another row it does not open. The same
value closes alike, by which a row is seen to be as it was. Here never lives a row (`governance.site_exchange`).
"""

import base64
import binascii
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from governance.errors import TamperedError

Json = Any
KEY_BYTES = 64


class Seals:
    """`key`: of 64 bytes, which all replicas have."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESSIV(key)

    def close(self, value: Json, *about: str) -> str:
        """`value` for a row; `about`: what it is and whose, which opening it has to name."""
        return base64.b64encode(self._cipher.encrypt(orjson.dumps(value), _named(about))).decode()

    def open(self, text: str, *about: str) -> Json:
        """Raises TamperedError for what was not closed so by this hub."""
        try:
            return orjson.loads(self._cipher.decrypt(base64.b64decode(text, validate=True), _named(about)))
        except (InvalidTag, binascii.Error, ValueError) as error:
            told = f"what a row says of {' '.join(about)} is not what the hub wrote"
            raise TamperedError(told, "see who writes in the database") from error


def _named(about: tuple[str, ...]) -> list[bytes]:
    return [each.encode() for each in about]
