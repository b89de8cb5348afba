"""Answers in an answer: what a good reply to a change says became of its parts, by statuses and by signs of refusal.

A batch is answered well whatever becomes of its requests (RFC 4918, 13, is one form of it), and some servers answer
everything well and say in the body that it was refused. Here lives which answers there are, and whether all was
refused; what they say in words is in `device_messages`. Pure; called by it and by `interpreter`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from workflow.documents.document import Json

_STATUSES = ("status", "statuscode", "httpstatus")
_ANSWERED = ("body", "response", "error", "errors", "message", "detail")
_REFUSED = 400
_GOOD = 200
# 201: something was made; 202 and 204: it was taken, and there is no more to say (RFC 9110, 15.3).
_TAKEN = (201, 202, 204)
# 200 to a POST may come with what was there before; to these it says that it was done (RFC 9110, 9.3).
_SETTING = ("PUT", "PATCH", "DELETE")
_METHODS = ("method", "verb", "httpmethod", "requestmethod")
_MOST = 2000  # answers looked at; a batch of more is none that a person asked for
# JSend and its like: a word for how it went, beside a message.
_WORDS = ("status", "result", "outcome")
REFUSALS = ("error", "fail", "failed", "failure", "rejected", "refused", "denied")
_OUTCOMES = ("success", "ok", "succeeded", "issuccess")
# How a request was answered, as an order to whoever asked. What a thing is (`rejected`, `aborted`) is another matter.
_VERDICTS = ("status", "result", "outcome", "decision", "verdict")
_NOT_DONE = ("abort", "deny", "refuse", "decline")
_OTHERWISE = ("reject", "wait")  # something else may have been done in place of what was asked for
_GRANTED = ("accept", "allow", "grant", "approve")
_WHY = ("reason", "message", "msg", "detail", "details")
# What stands beside an error and is nothing that was made.
_BESIDE = ("message", "msg", "detail", "details", "title", "code", "errorcode", "errormessage", "reason", "hint",
           "status", "statuscode", "timestamp", "path", "requestid", "traceid")  # fmt: skip
_SAYING = ("message", "msg", "detail", "reason")
# Members that hold the answers to several requests; what a thing holds under another name is a part of it.
ANSWERS = ("responses", "results", "replies", "answers", "outcomes")
# Lists by which an answer tells what was done from what was not.
_DONE_LISTS = ("success", "succeeded", "successes", "successful", "ok", "done")
_FAILED_LISTS = ("errors", "error", "failed", "failures", "failure", "rejected")
_FINE = re.compile(r"\W*(ok|okay|success(ful(ly)?)?|succeeded|done|accepted|created|updated|deleted)\W*", re.IGNORECASE)
_GRAVE = ("critical", "error", "fatal")
_NOT_WORDS = re.compile(r"[-_.\s]")
_SHORT = 64  # characters


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
    return _known_name(name) if len(name) <= _SHORT else _NOT_WORDS.sub("", name).lower()


@lru_cache(maxsize=4096)
def _known_name(name: str) -> str:
    """Replies say the same names again and again. Long ones are not kept: a device may send any."""
    return _NOT_WORDS.sub("", name).lower()


def plain_names(body: Json) -> dict[str, Json]:
    """The members of an object by their plain names; of anything else none."""
    return {plain_name(name): member for name, member in body.items()} if isinstance(body, Mapping) else {}


def only_one(body: Json) -> Json:
    """The thing itself, where it comes as a list of one."""
    return body[0] if isinstance(body, list) and len(body) == 1 else body


def answers_in(body: Json) -> Iterator[Answer]:
    """The answers to several requests in one: a list of objects, each with its own status and body."""
    inside = list(body.values()) if isinstance(body, Mapping) else []
    parted = [answer for each in (body, *inside) for answer in _parted(plain_names(each))]
    if parted:
        yield from parted
        return
    lists = [body] if isinstance(body, list) else inside
    for answers in (each for each in lists if isinstance(each, list)):
        told = [Answer(n, names, _status_in(names)) for n, names in enumerate(map(plain_names, answers[:_MOST]), 1)]
        if any(each.status and not each.names.keys().isdisjoint(_ANSWERED) for each in told):
            yield from (each for each in told if each.status)  # of those that are fine there may be no more to say
    yield from _flagged(body)
    yield from _judged(body)


def tells_apart(body: Json) -> bool:
    """Whether a good reply is a report that lists what was done and what was not, in one or for each kind of order."""
    return bool(_reports(body))


def names_of_failed(names: Collection[str]) -> frozenset[str]:
    """Of the names of lists in one object those in which a report tells what was not done; of no report none."""
    plain = {name: plain_name(name) for name in names}
    is_report = any(each in _DONE_LISTS for each in plain.values())
    return frozenset(name for name, each in plain.items() if each in _FAILED_LISTS) if is_report else frozenset()


def listed_as_done(body: Json) -> list[Json]:
    """What such a report lists as done, where it lists nothing that was not."""
    parts = _reports(body)
    return [] if any(bad for _, bad in parts) else [each for good, _ in parts for each in good]


def _reports(body: Json) -> list[tuple[list[Json], list[Json]]]:
    inside = list(body.values()) if isinstance(body, Mapping) else []
    return [part for each in (body, *inside) if (part := _part(plain_names(each))) is not None]


def _part(names: Mapping[str, Json]) -> tuple[list[Json], list[Json]] | None:
    good, bad = ([names[n] for n in kind if isinstance(names.get(n), list)] for kind in (_DONE_LISTS, _FAILED_LISTS))
    return (good[0], bad[0]) if good and bad else None


def _parted(names: Mapping[str, Json]) -> Iterator[Answer]:
    """The answers in an object that lists what was done and what was not: `{success: […], errors: […]}`."""
    part = _part(names)
    if part is None:
        return
    good, bad = part
    yield from (Answer(number, {}, _TAKEN[-1]) for number, _ in enumerate(good[:_MOST], 1))
    for number, each in enumerate(bad[:_MOST], len(good) + 1):
        told = plain_names(each) or {"error": each}
        yield Answer(number, told, max(_status_in(told), _REFUSED))


def _flagged(body: Json) -> Iterator[Answer]:
    """Answers that say in a truth value, and not by a status, how it went: every one of the list has to."""
    names = plain_names(body)
    held = body if isinstance(body, list) else next((names[name] for name in ANSWERS if name in names), None)
    told = [plain_names(each) for each in held[:_MOST]] if isinstance(held, list) else []
    flags = [next((each[name] for name in _OUTCOMES if isinstance(each.get(name), bool)), None) for each in told]
    if None in flags or any(_status_in(each) for each in told):
        return
    for number, (each, is_fine) in enumerate(zip(told, flags, strict=True), 1):
        yield Answer(number, each, _GOOD if is_fine else _REFUSED)


def _judged(body: Json) -> Iterator[Answer]:
    """Answers that say in a verdict each how it went: `results: [{status: ACCEPT}, {status: REJECT, details: …}]`."""
    names = plain_names(body)
    held = body if isinstance(body, list) else next((names[name] for name in ANSWERS if name in names), None)
    told = [plain_names(each) for each in held[:_MOST]] if isinstance(held, list) else []
    words = [verdict_in(each) for each in told]
    if not all(words) or all(word in _GRANTED for word in words):
        return
    for number, (each, word) in enumerate(zip(told, words, strict=True), 1):
        why = next(each[name] for name in _WHY if name in each) if word not in _GRANTED else ""
        yield Answer(number, {**each, "detail": why}, _TAKEN[-1] if word in _GRANTED else _REFUSED)


def verdict_in(body: Json) -> str:
    """The verdict on a request, in lower case: of one that was not granted only where it says why; else ""."""
    names = plain_names(body)
    words = [str(names[name]).lower() for name in _VERDICTS if isinstance(names.get(name), str)]
    found = next((word for word in words if word in (*_NOT_DONE, *_OTHERWISE, *_GRANTED)), "")
    return found if found in _GRANTED or any(names.get(name) for name in _WHY) else ""


def may_be_otherwise(body: Json) -> bool:
    """Whether a verdict leaves open that something else was done: it shows the thing as it is now beside it."""
    names = plain_names(body)
    beside = (member for name, member in names.items() if name not in (*_VERDICTS, *_WHY, *_BESIDE))
    return verdict_in(body) in _OTHERWISE and any(beside)


def says_refused(body: Json) -> bool:
    """Whether the body of a good reply says of the whole that it did not succeed."""
    names = plain_names(body)
    return any(names.get(name) is False or str(names.get(name)).lower() == "false" for name in _OUTCOMES)


def is_refusal_alone(body: Json) -> bool:
    """Whether a good reply to a read says that it failed, and shows nothing beside that.

    A word like `status: error` may be what the thing itself shows.
    """
    names = plain_names(body)
    error = names.pop("error", None)
    if not (says_refused(body) or (error and isinstance(error, str | Mapping))):
        return False
    return not any(member for name, member in names.items() if name not in (*_BESIDE, *_OUTCOMES, "errors"))


def refuses_all(body: Json) -> tuple[int, ...] | None:
    """The statuses of the answers where a good reply says that nothing of it was done; None where it does not say so.

    It is empty where the whole is refused in one word. An error beside what was made is no refusal of all.
    """
    answers = tuple(answers_in(body))
    if answers:
        return tuple(each.status for each in answers) if all(each.is_refusal for each in answers) else None
    is_denied = _is_denied(body) or verdict_in(body) in (*_NOT_DONE, *_OTHERWISE)
    return () if is_denied or says_refused(body) or _is_error_alone(body) else None


def takes_a_part(body: Json, sent: Json) -> bool:
    """Whether the answers to the requests of `sent`, of which some are refused, say of one that it was carried out.

    A good answer that may have changed nothing says neither.
    """
    methods = methods_in(sent)
    for answer in answers_in(body):
        method = methods[answer.number - 1] if answer.number <= len(methods) else ""
        if answer.status in _TAKEN or (answer.status < _REFUSED and method in _SETTING):
            return True
    return False


def counted(body: Json, sent: Json) -> tuple[int, int] | None:
    """How many requests a body had, each with its method, and how many answers came; None where it was no batch."""
    names = plain_names(body)
    held = body if isinstance(body, list) else next((names[name] for name in ANSWERS if name in names), None)
    methods = methods_in(sent)
    return (len(methods), len(held)) if isinstance(held, list) and methods and all(methods) else None


def methods_in(sent: Json) -> list[str]:
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


def _is_denied(body: Json) -> bool:
    """Whether it is nothing but `status: false` and why; what a thing shows may be called so, too."""
    names = plain_names(body)
    is_false = names.pop("status", None) is False
    return is_false and any(names.get(n) for n in _SAYING) and not any(v for n, v in names.items() if n not in _BESIDE)


def _is_error_alone(body: Json) -> bool:
    """Whether there is an error, or a word or a status of one, and nothing that was made beside it."""
    names = plain_names(body)
    errors = [names.pop(name, None) for name in ("error", "errors")]
    is_told = any(each and isinstance(each, str | list | Mapping) for each in errors)
    is_said = any(str(names.pop(name)).lower() in REFUSALS for name in _WORDS if isinstance(names.get(name), str))
    is_status = any(name in names for name in _SAYING) and _code_in(names) >= _REFUSED
    rest = (member for name, member in names.items() if name not in (*_BESIDE, *_OUTCOMES))
    return (is_told or is_said or is_status) and not any(rest)


def _code_in(names: Mapping[str, Json]) -> int:
    """The status of an answer, or its own number for what went wrong; 0 where it says that all is well."""
    said = str(next((names[name] for name in _SAYING if name in names), ""))
    codes = (*(names.get(name) for name in _STATUSES), names.get("code"), names.get("errorcode"))
    told = next((code for code in codes if code is not None and re.match(r"[1-9]\d{2,5}\b", str(code))), 0)
    return 0 if _FINE.fullmatch(said) else int(re.sub(r"\D.*", "", str(told)))


def _status_in(names: Mapping[str, Json]) -> int:
    """As a number or a text of digits (`404`, `404 Not Found`)."""
    status = next((names[name] for name in _STATUSES if name in names), None)
    found = re.match(r"[1-5]\d\d\b", str(status)) if isinstance(status, int | str) else None
    return int(found[0]) if found else 0
