"""Answers in an answer: what a good reply to a change says became of its parts, by statuses and by signs of refusal.

A batch is answered well whatever becomes of its requests (RFC 4918, 13, is one form of it), and some servers answer
everything well and say in the body that it was refused. Here lives which answers there are, and whether all was
refused; what they say in words is in `device_messages`. Pure; called by it and by `interpreter`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflow.documents.document import Json

_STATUSES = ("status", "statuscode", "httpstatus")
_ANSWERED = ("body", "response", "error", "errors", "message", "detail")
_REFUSED = 400
# 201: something was made; 202 and 204: it was taken, and there is no more to say (RFC 9110, 15.3).
_TAKEN = (201, 202, 204)
# 200 to a POST may come with what was there before; to these it says that it was done (RFC 9110, 9.3).
_SETTING = ("PUT", "PATCH", "DELETE")
_METHODS = ("method", "verb", "httpmethod", "requestmethod")
_MOST = 2000  # answers looked at; a batch of more is none that a person asked for
# JSend and its like: a word for how it went, beside a message.
_WORDS = ("status", "result", "outcome")
_REFUSALS = ("error", "fail", "failed", "failure", "rejected", "refused", "denied")
_OUTCOMES = ("success", "ok", "succeeded", "issuccess")
# What stands beside an error and is nothing that was made.
_BESIDE = ("message", "detail", "title", "code", "status", "statuscode", "timestamp", "path", "requestid", "traceid")
_GRAVE = ("critical", "error", "fatal")
_NOT_WORDS = re.compile(r"[-_.\s]")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer among others. `number` counts from 1; `names` are its members, by `plain_name`."""

    number: int
    names: Mapping[str, Json]
    status: int

    @property
    def is_refusal(self) -> bool:
        return self.status >= _REFUSED

    @property
    def parts(self) -> Iterator[Json]:
        """What it consists of beside its status."""
        return (self.names[name] for name in _ANSWERED if name in self.names)


def plain_name(name: str) -> str:
    """A member's name in lower case and without marks between its words."""
    return _NOT_WORDS.sub("", name).lower()


def plain_names(body: Json) -> dict[str, Json]:
    """The members of an object by their plain names; of anything else none."""
    return {plain_name(name): member for name, member in body.items()} if isinstance(body, Mapping) else {}


def answers_in(body: Json) -> Iterator[Answer]:
    """The answers to several requests in one: a list of objects, each with its own status and body."""
    lists = [body] if isinstance(body, list) else list(body.values()) if isinstance(body, Mapping) else []
    for answers in (each for each in lists if isinstance(each, list)):
        for number, answer in enumerate(answers[:_MOST], 1):
            names = plain_names(answer)
            status = _status_in(names)
            if status and any(name in names for name in _ANSWERED):
                yield Answer(number, names, status)


def says_refused(body: Json) -> bool:
    """Whether the body of a good reply says of the whole that it did not succeed."""
    names = plain_names(body)
    return any(names.get(name) is False for name in _OUTCOMES)


def refuses_all(body: Json) -> tuple[int, ...] | None:
    """The statuses of the answers where a good reply says that nothing of it was done; None where it does not say so.

    It is empty where the whole is refused in one word. An error beside what was made is no refusal of all.
    """
    answers = tuple(answers_in(body))
    if answers:
        return tuple(each.status for each in answers) if all(each.is_refusal for each in answers) else None
    return () if says_refused(body) or _is_error_alone(body) else None


def takes_a_part(body: Json, sent: Json) -> bool:
    """Whether the answers to the requests of `sent`, of which some are refused, say of one that it was carried out.

    A good answer that may have changed nothing says neither.
    """
    methods = _methods_in(sent)
    for answer in answers_in(body):
        method = methods[answer.number - 1] if answer.number <= len(methods) else ""
        if answer.status in _TAKEN or (answer.status < _REFUSED and method in _SETTING):
            return True
    return False


def _methods_in(sent: Json) -> list[str]:
    """The methods of the requests in a body, in order; "" where one says none."""
    lists = [sent] if isinstance(sent, list) else list(sent.values()) if isinstance(sent, Mapping) else []
    for requests in (each for each in lists if isinstance(each, list)):
        told = [plain_names(each) for each in requests[:_MOST]]
        return [next((str(names[n]).upper() for n in _METHODS if n in names), "") for names in told]
    return []


def complains_alone(body: Json) -> bool:
    """Whether a good reply is nothing but messages of which none is less than an error: what was done, nobody says."""
    members = [member for member in body.values() if member] if isinstance(body, Mapping) else []
    told = [plain_names(each) for member in members if isinstance(member, list) for each in member]
    severities = [str(names.get("severity") or names.get("messageseverity") or "").lower() for names in told]
    return len(members) == 1 and bool(told) and all(each in _GRAVE for each in severities)


def _is_error_alone(body: Json) -> bool:
    """Whether there is an error, or a word or a status of one, and nothing that was made beside it."""
    names = plain_names(body)
    errors = [names.pop(name, None) for name in ("error", "errors")]
    is_told = any(each and isinstance(each, str | list | Mapping) for each in errors)
    is_said = any(str(names.pop(name)).lower() in _REFUSALS for name in _WORDS if isinstance(names.get(name), str))
    is_status = "message" in names and _status_in({"status": names.get("code")}) >= _REFUSED
    rest = (member for name, member in names.items() if name not in (*_BESIDE, *_OUTCOMES))
    return (is_told or is_said or is_status) and not any(rest)


def _status_in(names: Mapping[str, Json]) -> int:
    """As a number or a text of digits (`404`, `404 Not Found`)."""
    status = next((names[name] for name in _STATUSES if name in names), None)
    found = re.match(r"[1-5]\d\d\b", str(status)) if isinstance(status, int | str) else None
    return int(found[0]) if found else 0
