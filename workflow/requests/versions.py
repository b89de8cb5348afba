"""The version that a conditional write names, read before it, and read once more when the device refused it.

Devices give their entity tags in a header or in the body, weak ones (`W/"x"`) where they compare strongly, ones to
which a proxy has added a suffix, and they move them by housekeeping of their own. So a refused version is read again:
where nothing else of the thing is different, the newer tag is sent, or the same one in its next form; where something
is, the write is not made. RFC 9110, 8.8.3, 13.1.1. Pure; called by `interpreter` for steps with `x-switchgear.version`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from workflow.documents.document import Json
from workflow.documents.scope import Reply
from workflow.json.pointers import NOTHING, Parts, resolve

# What servers and proxies that compress put behind a tag, within its quotation marks or behind them.
_SUFFIX = re.compile(r'(?:[-;:.+]{1,2}(?:gzip|br|deflate|zstd|df))("?)$', re.IGNORECASE)
CHANGED = "what it was made on is different now, by somebody else or by an earlier try of this request"


class VersionRefused(Exception):
    """The write is not to be sent again. `code` and `message` are those of the failure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class VersionRule:
    """`header`: in lower case. `body`: where the version stands in replies without that header."""

    header: str
    body: Parts | None = None


def version_outputs(rule: VersionRule, reply: Reply, before: Mapping[str, Json] | None) -> dict[str, Json]:
    """The outputs of a step that read a version: `version` is to be sent, the others are for the next reading.

    `before`: the outputs of the reading whose version was refused; None: it is the first. Without a version in the
    reply `version` is absent. Raises VersionRefused when another try would not help or would be wrong.
    """
    forms, content = forms_of(rule, reply), fingerprint(rule, reply.body)
    form = moved = 0
    if before is not None:
        if before.get("content") != content:
            raise VersionRefused("changed_meanwhile", CHANGED)
        has_moved = bool(forms) and forms[0] != before.get("tag")
        moved = int(before.get("moved", 0)) + has_moved
        # A tag that moved is tried as it is, once; one that moves with each reading is not the matter, its form is.
        form = int(before.get("form", 0)) + (not has_moved or moved > 1)
        if form >= len(forms):
            raise VersionRefused("version_refused", _refused(forms))
    found: dict[str, Json] = {"content": content, "form": form, "moved": moved}
    return {**found, "tag": forms[0], "version": forms[form]} if forms else found


def forms_of(rule: VersionRule, reply: Reply) -> tuple[str, ...]:
    """The version in the forms in which devices take it, as it came first; empty where the reply has none."""
    told = [reply.headers.get(rule.header), NOTHING if rule.body is None else resolve(reply.body, rule.body)]
    tags = [str(tag) for tag in told if isinstance(tag, str | int) and not isinstance(tag, bool) and tag != ""]
    forms: list[str] = []
    for tag in tags:
        strong = tag.removeprefix("W/")
        plain = _SUFFIX.sub(r"\1", strong)
        quoted = plain if plain.startswith('"') else f'"{plain}"'
        forms += [tag, strong, plain, quoted]
    return tuple(dict.fromkeys(forms))


def fingerprint(rule: VersionRule, body: Json) -> str:
    """The digest of what was read, without the versions in it."""
    name = rule.body[-1] if rule.body else ""
    text = json.dumps(_without(body, name), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without(value: Json, name: str) -> Json:
    if isinstance(value, dict):
        return {key: _without(member, name) for key, member in value.items() if key != name}
    return [_without(item, name) for item in value] if isinstance(value, list) else value


def _refused(forms: tuple[str, ...]) -> str:
    if not forms:
        return "it asks for a version (ETag) to be named, and gives none when the thing is read"
    return (
        f"nothing has changed since, and the device takes the ETag that it gives itself in none of {len(forms)} forms"
    )
