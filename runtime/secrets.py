"""Secrets are references; here they become values, at the last moment, and here values are taken out of what we write.

`env:NAME` is a variable of the server's environment, `file:/path` a file's content without its last line break,
`keyring:service/name` an entry of the operating system's keyring (the library is imported when first needed).
Resolved values are remembered as long as the process lives, and the last tokens that each device has handed out, so
that `redact` finds them by value wherever they turn up, also as base64 or hexadecimal digits have them: in logs, audit
rows, results and errors. No secret is ever stored.
Used by `driver` and `sessions` (resolving) and by everything that writes text for people (redacting).
"""

import base64
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import orjson

from runtime.errors import Refused
from workflow.running import replay
from workflow.visible import quotable

MASK = replay.MASK
# Of a log record: what an event is about (`lines`), told beside the rest.
MEMBER = "switchgear_event"
# A shorter value is hidden only as a whole text; one that is shorter than LONG only as a whole word, since ordinary
# words would hold it as well.
SHORTEST_SEARCHED = 4
LONG = 8
# Of a longer one so much is enough to know it by.
BEGINNING = 32
_PLAIN = (int, float, type(None))
MAX_FILE_BYTES = 64 * 1024
# Of one device: the others have ended. All that is known is looked for in all that is told, so it must not grow with
# every login.
MOST_TOKENS = 4


class Vault:
    """Resolves references and redacts what came of them."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._seen: set[str] = set()
        self._words: set[str] = set()
        self._tokens: dict[str, dict[str, frozenset[str]]] = {}
        self._known: tuple[str, ...] = ()
        self._signs: tuple[bytes, ...] | None = ()

    def resolve(self, reference: str) -> str:
        """The secret behind `reference`, hidden from now on. Raises Refused, naming the reference and never a value."""
        value = self.read(reference)
        if value not in self._seen:
            self._seen.add(value)
            self._words.update(_spellings(value), _encodings(value))
            self._note()
        return value

    def read(self, reference: str) -> str:
        """The same for what is no secret: a user's name, which is part of many a word that a device says."""
        kind, _, place = reference.partition(":")
        if kind == "env":
            value = self._environment.get(place)
        elif kind == "file":
            value = _first_of_file(Path(place))
        elif kind == "keyring":
            value = _from_keyring(*place.partition("/")[::2])
        else:
            remedy = "write env:NAME, file:/path or keyring:service/name on the target"
            raise Refused(f"{kind or 'nothing'} is no kind of secret", remedy)
        if not value:
            raise Refused(
                f"the secret {reference} is empty or absent", "set it for the server's process, or correct the target"
            )
        return value

    def remember(self, value: str) -> None:
        """From now on `value` is hidden wherever `redact` sees it, also as errors and addresses spell it."""
        if value and value not in self._words:
            self._words.update(_spellings(value))
            self._note()

    def remember_token(self, token: str, device: str) -> None:
        """The same for what `device` hands out, until it has handed out some more."""
        held = self._tokens.setdefault(device, {})
        if token not in held:
            held[token] = frozenset(_spellings(token))
            if len(held) > MOST_TOKENS:
                del held[next(iter(held))]
            self._note()

    def _note(self) -> None:
        tokens = (spellings for held in self._tokens.values() for spellings in held.values())
        # Longest first: a secret that holds another one is hidden whole.
        self._known = tuple(sorted(self._words.union(*tokens), key=lambda each: (-len(each), each)))
        self._signs = _signs(self._known)

    def may_stand_in(self, text: bytes, names: frozenset[str]) -> bool:
        """Whether something in `text` may have to be masked: a known value, or a member that is called by one of
        `names`, in lower case. `text`: JSON as orjson writes it."""
        if self._signs is None:
            return True
        lower = text.decode().lower() if names else ""
        return any(sign in text for sign in self._signs) or any(_quoted(name) in lower for name in names)

    def redact(self, value: Any, names: Iterable[str] = ()) -> Any:
        """`value` (JSON) with secrets masked: known values anywhere in strings, and the members called `names`."""
        wanted = frozenset(name.lower() for name in names)
        if not self._known and not wanted:
            return value
        if not isinstance(value, str) and self._finds_nothing(value, wanted):
            return value
        return _redact(value, self._known, wanted)

    def _finds_nothing(self, value: Any, names: frozenset[str]) -> bool:
        """Whether one look at all of `value` shows that nothing in it is masked: so it is with most replies, and the
        look takes less than it took to read them.
        """
        if self._signs is None:
            return False
        try:
            return not self.may_stand_in(orjson.dumps(value, default=as_dict), names)
        except TypeError:  # what orjson has no form for is gone through
            return False


class RedactingFormatter(logging.Formatter):
    """Formats log records as usual, tracebacks included, and takes known secrets out of the outcome."""

    def __init__(self, vault: Vault, layout: str) -> None:
        super().__init__(layout)
        self._vault = vault

    def format(self, record: logging.LogRecord) -> str:
        return str(self._vault.redact(super().format(record)))


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Secrets are taken out of the text before it is escaped, where they look as they are."""

    def __init__(self, vault: Vault) -> None:
        super().__init__("%(message)s")
        self._vault = vault

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        told = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": super().format(record)}
        told |= getattr(record, MEMBER, {})
        return json.dumps(self._vault.redact(told))


def _spellings(value: str) -> Iterator[str]:
    """`value`, and what becomes of it in an error (a printed value, or bytes), in JSON, in an address, or quoted."""
    yield value
    data = value.encode("utf-8", "surrogatepass")
    printed = {repr(value)[1:-1], repr(data)[2:-1], repr(bytearray(data))[12:-2], data.decode("latin-1")}
    with suppress(UnicodeEncodeError):
        printed.add(repr(bytearray(value.encode("latin-1")))[12:-2])
    printed |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    printed |= {quotable(value), quotable(data.decode("latin-1"))}
    printed |= {quote(data, safe=""), quote(data, safe="$@:/*(),="), quote_plus(data)}
    yield from (each for each in printed if len(each) >= SHORTEST_SEARCHED)


def _encodings(value: str) -> Iterator[str]:
    """`value` as it stands within base64 of more, of which it may begin at any of three places, and in hexadecimal."""
    data = value.encode("utf-8", "surrogatepass")
    if len(data) < LONG:
        return
    found = {data.hex(), data.hex().upper(), base64.b64encode(data).decode()}
    for before in range(3):
        digits = base64.b64encode(bytes(before) + data).decode()
        found.add(digits[(8 * before + 5) // 6 : 8 * (before + len(data)) // 6])  # those that nothing else is part of
    yield from found
    yield from (each.translate(_IN_ADDRESSES) for each in found)


_IN_ADDRESSES = str.maketrans("+/", "-_")


def _first_of_file(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        return None if len(content) > MAX_FILE_BYTES else content.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None


def _from_keyring(service: str, name: str) -> str | None:
    """Raises Refused where there is no keyring to ask."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise Refused(
            "the library keyring is not installed", "pip install 'switchgear[keyring]', or use env: or file:"
        ) from None
    try:
        return keyring.get_password(service, name)
    except KeyringError as error:
        raise Refused(f"the keyring cannot be asked: {error}", "unlock it, or use env: or file:") from error


def _signs(known: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """What stands in a text as JSON wherever one of `known`, or what is left of it, does; None: nobody can say."""
    try:
        return tuple({orjson.dumps(each[:BEGINNING])[1:-1] for each in known})
    except TypeError:  # half a character, which JSON has no form for
        return None


@lru_cache(maxsize=1024)
def _quoted(name: str) -> str:
    """A member's name, in lower case, as it stands in JSON in lower case. Raises TypeError."""
    return orjson.dumps(name).decode().lower()


def as_dict(value: Any) -> dict[Any, Any]:
    """For orjson: a mapping as one that it knows. Raises TypeError."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _redact(value: Any, known: tuple[str, ...], names: frozenset[str]) -> Any:
    if isinstance(value, str):
        return _redact_text(value, known)
    if isinstance(value, _PLAIN):  # before mappings, of which to be none takes the longest to find out
        return value
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101  the first is far faster alone
        return {
            _redact_text(key, known): MASK if key.lower() in names and item is not None else _redact(item, known, names)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact(item, known, names) for item in value]
    return value


def _redact_text(text: str, known: tuple[str, ...]) -> str:
    for secret in known:
        if text == secret:
            return MASK
        if len(secret) >= SHORTEST_SEARCHED and secret in text:
            text = text.replace(secret, MASK) if len(secret) >= LONG else _as_a_word(secret).sub(MASK, text)
    for secret in known:
        if len(secret) <= BEGINNING:  # the longest come first
            break
        if secret[:BEGINNING] in text:
            text = _without_beginnings(text, secret)
    return text


def _without_beginnings(text: str, secret: str) -> str:
    """`text` without what is left of a long secret where something cut it."""
    first, *pieces = text.split(secret[:BEGINNING])
    return MASK.join((first, *(_behind(piece, secret[BEGINNING:]) for piece in pieces)))


def _behind(text: str, more: str) -> str:
    """`text` from where it is no longer as `more`."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, more, strict=False)))
    return text[same:]


@lru_cache(maxsize=1024)
def _as_a_word(secret: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])")
