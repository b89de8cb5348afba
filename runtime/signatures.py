"""Signatures of messages by Standard Webhooks: HMAC-SHA256 over id, moment and body, compared in constant time.

Our own thirty lines: the reference library reads its own clock, lets foreign errors out of malformed headers, and takes
`1.5` for the moment that was signed as `1`. A test holds the two to one vector. Pure: the moment is given.
Called by `api.webhooks`
and, to sign, by `delivering`. https://www.standardwebhooks.com, "Signature scheme".
"""

import base64
import binascii
import hashlib
import hmac

TOLERANCE_S = 300
"""As the specification's reference: longer than clocks differ, shorter than a stolen message is worth waiting for."""
PREFIX = "whsec_"
SHORTEST_SECRET = 24
MAX_ID = 128


def is_signed(secret: str, message_id: str, timestamp: str, signatures: str, body: bytes, now_s: float) -> bool:
    """Whether one of `signatures`, as they stand in the header, is ours and the message is of now."""
    key = key_of(secret)
    if key is None or not (0 < len(message_id) <= MAX_ID and message_id.isascii() and message_id.isprintable()):
        return False
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    expected = sign(key, message_id, timestamp, body).encode()
    # All are compared, so that the time says nothing about which one fits.
    fitting = [hmac.compare_digest(given.encode("utf-8", "replace"), expected) for given in signatures.split(" ")]
    return any(fitting) and abs(now_s - int(timestamp)) <= TOLERANCE_S


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The signature as it stands in the header."""
    made = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def key_of(secret: str) -> bytes | None:
    """The key in a secret; None for one that is none or too short to be one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) >= SHORTEST_SECRET else None
