"""Secrets are resolved from references and never come out again."""

import base64
import hashlib
import io
import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtime.driver.credentials.sessions import References, static_fields
from runtime.errors import Refused
from runtime.secrets import MASK, MOST_TOKENS, JsonFormatter, RedactingFormatter, Vault
from workflow.profiles.profile_speech import Auth

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def strings_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in strings_of(each)]
    if isinstance(value, list):
        return [text for each in value for text in strings_of(each)]
    return []


def test_a_variable_and_a_file_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("from-a-file\n")
    vault = Vault({"WORD": "from-env"})
    assert vault.resolve("env:WORD") == "from-env"
    assert vault.resolve(f"file:{tmp_path / 'word'}") == "from-a-file"


@pytest.mark.parametrize("reference", ["env:ABSENT", "file:/no/such/file", "plain-password", "", "http://x", "env:"])
def test_a_reference_that_leads_nowhere_is_refused(reference: str) -> None:
    with pytest.raises(Refused):
        Vault({}).resolve(reference)


def test_a_huge_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 100_000)
    with pytest.raises(Refused):
        Vault({}).resolve(f"file:{tmp_path / 'big'}")


@given(JSON, st.text(min_size=8, max_size=16).filter(lambda text: text not in MASK))
def test_a_known_value_is_found_wherever_it_stands(value: Any, secret: str) -> None:
    vault = Vault({})
    vault.remember(secret)
    dirty = {"plain": secret, "inside": [f"before {secret} after"], secret: 1, "rest": value}
    clean = vault.redact(dirty)
    assert not [text for text in strings_of(clean) if secret in text.replace(MASK, "")]


def test_a_short_value_is_hidden_only_where_it_stands_alone() -> None:
    vault = Vault({})
    vault.remember("abc")
    assert vault.redact(["abc", "abcdef"]) == [MASK, "abcdef"]


def test_a_value_of_a_few_characters_is_hidden_as_a_word_and_not_inside_of_others() -> None:
    vault = Vault({})
    vault.remember("admin")
    told = ["admin", "user=admin&x", "Administrator is admin.", "administrator", "sub_admin_1", "readmin"]
    hidden = [MASK, f"user={MASK}&x", f"Administrator is {MASK}.", "administrator", f"sub_{MASK}_1", "readmin"]
    assert vault.redact(told) == hidden


@given(st.integers(32, 99), st.text("xyz", max_size=9))
def test_of_a_long_value_that_was_cut_nothing_is_left(length: int, behind: str) -> None:
    vault = Vault({})
    secret = hashlib.sha512(b"a secret").hexdigest()
    vault.remember(secret)
    assert vault.redact(f"before {secret[:length]}{behind}") == f"before {MASK}{behind}"


def test_a_login_name_is_no_secret_and_the_password_is_one() -> None:
    vault = Vault({"USER": "administrator", "WORD": "s3cret-word"})
    references = References("env:USER", "env:WORD")
    fields = static_fields("basic", Auth(kinds=("basic",)), references, vault)
    told = {"by": "administrator", "word": "s3cret-word", "header": dict(fields)["authorization"]}
    assert vault.redact(told) == {"by": "administrator", "word": MASK, "header": f"Basic {MASK}"}


@given(st.binary(max_size=4), st.text(min_size=8, max_size=20), st.binary(max_size=4))
def test_a_resolved_secret_is_found_in_base64_and_in_hexadecimal_wherever_it_begins(
    before: bytes, secret: str, behind: bytes
) -> None:
    vault, told = Vault({"WORD": secret}), before + secret.encode() + behind
    vault.resolve("env:WORD")
    shown = (base64.b64encode(told).decode(), base64.urlsafe_b64encode(told).decode(), told.hex(), told.hex().upper())
    assert all(MASK in str(vault.redact(f"it is {each}!")) for each in shown)


def test_of_the_tokens_that_a_device_hands_out_the_last_are_hidden_and_no_more_are_kept() -> None:
    vault = Vault({})
    vault.remember_token("t0ken-of-another", "http://other")
    for number in range(1_000):
        vault.remember_token(f"t0ken-number-{number}", "http://one")
    told = ["t0ken-of-another", "t0ken-number-999", f"t0ken-number-{1_000 - MOST_TOKENS}"]
    assert vault.redact(told) == [MASK] * 3
    assert len(vault._known) <= 10 * (MOST_TOKENS + 1)


def test_members_that_the_profile_calls_secret_are_hidden_by_name() -> None:
    assert Vault({}).redact({"Password": "x", "n": {"password": 7}, "o": {"password": None}}, ["password"]) == {
        "Password": MASK,
        "n": {"password": MASK},
        "o": {"password": None},
    }


def test_log_lines_and_tracebacks_hold_no_known_secret() -> None:
    vault = Vault({})
    vault.remember("s3cret-word")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(vault, "%(message)s"))
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError("the word s3cret-word is wrong")
    except ValueError:
        log.exception("it was %s", "s3cret-word")
    assert "Traceback" in stream.getvalue()
    assert "s3cret-word" not in stream.getvalue()


def test_a_keyring_is_asked_for_service_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import KeyringLocked

    class Ring(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

        def get_password(self, service: str, username: str) -> str | None:
            if service == "locked":
                raise KeyringLocked("it is locked")
            return {("bmc", "rack/7"): "c4nary-word"}.get((service, username))

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        vault = Vault({})
        assert vault.resolve("keyring:bmc/rack/7") == "c4nary-word"
        assert vault.redact("it is c4nary-word") == "it is [redacted]"
        with pytest.raises(Refused, match="empty or absent"):
            vault.resolve("keyring:bmc/other")
        with pytest.raises(Refused, match="locked"):
            vault.resolve("keyring:locked/x")
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(Refused, match="not installed"):
            vault.resolve("keyring:bmc/rack/7")
    finally:
        keyring.set_keyring(before)


def test_a_line_of_the_json_log_is_one_object_without_secrets_however_they_are_escaped() -> None:
    vault = Vault()
    vault.remember('pa"ss\nword')
    try:
        raise ValueError('pa"ss\nword')
    except ValueError:
        record = logging.LogRecord("a.b", logging.ERROR, "", 0, "it is %s", ('pa"ss\nword',), sys.exc_info())
    line = JsonFormatter(vault).format(record)
    told = json.loads(line)
    assert "\n" not in line
    assert (told["level"], told["logger"]) == ("error", "a.b")
    assert told["message"].startswith("it is [redacted]\nTraceback")
    assert "pa" not in told["message"].rpartition("ValueError")[2]


TOKEN = "a-long-token-of-more-than-thirty-two-characters"
PIECES = st.sampled_from(
    [
        "hunter22",
        "hunt",
        TOKEN,
        TOKEN[:36],
        'é\n"\\',
        "abc",
        "Passw\u00f6rd",
        "\u212aey",
        "key",
        "KEY",
        " ",
        "x",
        "\ud800",
    ]
)
TEXTS = st.lists(PIECES, max_size=3).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=2))
@example({"left": TOKEN[:36]}, [TOKEN], [])
@example({"\u212aey": 7}, [], ["key"])
def test_one_look_at_all_of_a_value_finds_what_going_through_it_finds(value: Any, known: Any, names: Any) -> None:
    vault = Vault({})
    for secret in known:
        vault.remember(secret)
    gone_through = vault.redact([value, 1 << 70], names)  # a number for which that look has no form
    assert vault.redact(value, names) == gone_through[0]
