"""The signatures: a DSSE envelope over the manifest, each by an Ed25519 key, as many as there are signers.

DSSE 1.0.2 (secure-systems-lab/dsse): what is signed is PAE(payloadType, payload), so that a signature cannot be read
as one over something else. The key id is a hint in DSSE; ours is computed from the key itself, and which keys count is
decided by `trust`, never by the envelope. Canonical JSON (RFC 8785) alone is accepted: one content has one form.
Here never lives a private key's file (`keys`), nor what the payload means (`manifest`).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.bundles.keys import PublicKey, public_key_of
from governance.errors import BundleError, BundleFormError
from workflow.errors import CanonicalError
from workflow.json.canonical import canonical_bytes

PAYLOAD_TYPE = "application/vnd.switchgear.bundle+json"
MAX_SIGNATURES = 32
"""More people than any rule of m of n asks for; each costs a verification."""
MALFORMED = "do not use it: ask whoever made it for a new export"


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """`signatures` maps a key's id to its signature."""

    payload: bytes
    signatures: Mapping[str, bytes]

    def signed_with(self, key: Ed25519PrivateKey) -> "SignedEnvelope":
        """This envelope and one signature more; the same key again changes nothing, since Ed25519 is deterministic."""
        signature = key.sign(pae(PAYLOAD_TYPE, self.payload))
        return SignedEnvelope(self.payload, {**self.signatures, public_key_of(key).id: signature})

    def to_bytes(self) -> bytes:
        signatures = [{"keyid": key, "sig": _encoded(sig)} for key, sig in sorted(self.signatures.items())]
        return canonical_bytes(
            {"payload": _encoded(self.payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
        )

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether this key signed exactly this payload. Raises BundleError for a signature of it that does not fit."""
        signature = self.signatures.get(key.id)
        if signature is None:
            return False
        try:
            key.verifier.verify(signature, pae(PAYLOAD_TYPE, self.payload))
        except InvalidSignature as error:
            raise BundleError(
                f"the signature of the key {key.id[:16]} does not fit: the bundle was changed after it was signed",
                MALFORMED,
            ) from error
        return True


def read_envelope(data: bytes, *, is_signed: bool = True) -> SignedEnvelope:
    """The envelope in `data`, in its one form. Raises BundleError if nobody signed, BundleFormError if it is none.

    `is_signed`: False for whoever is about to be the first to sign.
    """
    try:
        found = orjson.loads(data)
        signatures = _signatures(found)
        envelope = SignedEnvelope(_decoded(found["payload"]), signatures)
        if found["payloadType"] != PAYLOAD_TYPE:
            raise BundleFormError(f"what is signed is no bundle but {found['payloadType']!r}", MALFORMED)
        is_wanted = bool(signatures) or not is_signed
        if is_wanted and (len(signatures) > MAX_SIGNATURES or envelope.to_bytes() != data):
            raise BundleFormError("its envelope is not in the one form that an envelope has", MALFORMED)
    except (ValueError, KeyError, TypeError, AttributeError, CanonicalError) as error:
        raise BundleFormError(f"its envelope is no DSSE envelope: {error}", MALFORMED) from error
    if not signatures and is_signed:
        raise BundleError("nobody signed it, or its signatures were taken out", "sign it: `switchgear bundle sign`")
    return envelope


def _signatures(found: Any) -> dict[str, bytes]:
    return {entry["keyid"]: _decoded(entry["sig"]) for entry in found.get("signatures") or ()}


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
