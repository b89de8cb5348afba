"""Keys of signers: Ed25519, the private one in a file that only its owner may read, the public one anywhere.

A private key is PEM (PKCS #8), encrypted when there is a passphrase; it never comes near the database, a log or an
error. A public key's id is the SHA-256 of its DER form (SubjectPublicKeyInfo), which
`openssl pkey -pubin -in KEY.pub -outform DER | sha256sum` prints too. Here never lives who is trusted (`trust`).
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from governance.errors import InvalidError, RefusedError

MAX_KEY_BYTES = 10_000
"""A key of ours has less than 500; whatever is longer is another file."""
KIND = "give an Ed25519 key: `switchgear bundle keys generate` makes one"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`pem` is its one text form."""

    pem: str

    @property
    def verifier(self) -> Ed25519PublicKey:
        """Raises InvalidError for whatever is not the PEM of an Ed25519 key."""
        try:
            key = load_pem_public_key(self.pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidError("this is no public key", KIND) from error
        if not isinstance(key, Ed25519PublicKey):
            raise InvalidError("this is a public key of another kind", KIND)
        return key

    @property
    def id(self) -> str:
        """64 hexadecimal digits."""
        der = self.verifier.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()


def public_key_of(key: Ed25519PrivateKey) -> PublicKey:
    return _public(key.public_key())


def read_public_key(path: Path) -> PublicKey:
    """The key in a PEM file, in its one form. Raises InvalidError."""
    text = _text(path)
    if "PRIVATE KEY" in text:
        raise InvalidError(f"{path} is a private key, and what is trusted is its public one", f"give {path}.pub")
    return _public(PublicKey(text).verifier)


def generate(path: Path, passphrase: str) -> PublicKey:
    """Makes a new key: private at `path` (mode 0600), public beside it with `.pub`. Raises InvalidError if it is there.

    Without a passphrase ("") the file's mode is all that protects it.
    """
    key = Ed25519PrivateKey.generate()
    sealed = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    public = public_key_of(key)
    _create(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed), 0o600)
    _create(path.with_name(path.name + ".pub"), public.pem.encode(), 0o644)
    return public


def read_private_key(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """The key at `path`. Raises RefusedError if others may read the file, InvalidError if it cannot be opened."""
    if "PUBLIC KEY" in _text(path):
        raise InvalidError(f"{path} is a public key, which signs nothing", f"give the private one, {_private_of(path)}")
    if path.stat().st_mode & 0o077:
        raise RefusedError(f"others may read the private key {path}", f"chmod 600 {path}; better, make a new key")
    pem = _text(path).encode()
    try:
        key = load_pem_private_key(pem, passphrase.encode() or None)
    except TypeError as error:  # by the library: a passphrase for an open key, or none for an encrypted one
        wanted = "is not encrypted: give no passphrase" if passphrase else "is encrypted: give its passphrase"
        raise InvalidError(f"the private key {path} {wanted}", PASSPHRASE) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidError(f"{path} is no private key, or the passphrase is not its own", PASSPHRASE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidError(f"{path} holds a key of another kind", KIND)
    return key


def _private_of(path: Path) -> str:
    """Where `generate` put the other half."""
    return str(path.with_suffix("")) if path.suffix == ".pub" else "which only you may read"


PASSPHRASE = "--passphrase-file FILE or SWITCHGEAR_BUNDLE_PASSPHRASE"  # noqa: S105  how to give one, not one


def _public(key: Ed25519PublicKey) -> PublicKey:
    return PublicKey(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_KEY_BYTES + 1)
    if len(data) > MAX_KEY_BYTES or not data.isascii():
        raise InvalidError(f"{path} is no key in PEM form", KIND)
    return data.decode()


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise InvalidError(
            f"there is a file {path} already", "take another name: keys are never overwritten"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
