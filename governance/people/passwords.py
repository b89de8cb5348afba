"""Passwords that people choose: how they are kept, checked, and what is taken for one.

Argon2id with the parameters of RFC 9106's second recommendation (64 MiB, three passes), in threads of its own and one
or two at a time, so that a flood of logins takes neither the event loop nor its core nor the memory. A name that nobody
has is checked against a hash that nothing fits: it takes as long as a wrong password. Here never lives who may log in.
"""

import asyncio
import base64
import os
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from governance.errors import InvalidError

SHORTEST = 12
LONGEST = 256
AT_ONCE = 1 if (os.cpu_count() or 1) <= 2 else 2
"""A check takes 64 MiB and half a second of a small machine's core."""


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._nobodys = nobodys_hash()

    async def hash(self, password: str, name: str) -> str:
        """The text to store. Raises InvalidError for what is no password for `name`; it is not repeated."""
        check_password(password, name)
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the one that `stored` was made from. None takes as long, and never fits."""
        async with self._places:
            return await asyncio.to_thread(self._fits, password[: LONGEST + 1], stored or self._nobodys)

    def _fits(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password.encode(errors="surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False


def nobodys_hash() -> str:
    """The form of a stored password with nothing behind it."""
    of = RFC_9106_LOW_MEMORY
    salt, hashed = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (of.salt_len, of.hash_len)
    )
    costs = f"m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
    return f"$argon2id$v={of.version}${costs}${salt}${hashed}"


def check_password(password: str, name: str) -> None:
    """Raises InvalidError for what is no password for `name`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidError("this is no password", f"take {SHORTEST} to {LONGEST} characters: a few words, say")
    if name.lower() in password.lower() and len(password) < len(name) + SHORTEST:
        raise InvalidError("the password is little more than the name", "take a few words that nobody knows")


def read_password(file: Path) -> str:
    """The first line of a file. Raises InvalidError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} cannot be read as a password", "give a text file with one line") from error
    return text.partition("\n")[0].rstrip("\r")
