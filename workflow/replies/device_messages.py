"""What a device says in a reply: its own sentences, found where the profile or the usual forms have them.

RFC 9457, Redfish's ExtendedInfo (on the whole and at a member), `error`, `errors`, `message`, `detail` and their like
at any depth, OData, fields with lists of messages, XML, HTML, plain text. The sentences are quoted to people and
models as the device's, and decide nothing but this: those in a change's good reply say that a part of it was refused.
Pure; called by whoever drives a run, with what takes secrets out. Never here: what a reply means for the run.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

from workflow.json.pointers import NOTHING, parse_pointer, resolve
from workflow.profiles.profile import Profile
from workflow.profiles.profile_speech import Envelope, JobRule
from workflow.replies.accounts import counted_failures, told_of_job
from workflow.replies.answers import (
    REFUSALS,
    answers_in,
    is_refusal_alone,
    only_one,
    plain_name,
    plain_names,
    refuses_all,
)
from workflow.replies.device_texts import filled, says_nothing, texts_of_markup, told_once

Json = Any
Redact = Callable[[Json], Json]
ANNOTATION = "@Message.ExtendedInfo"  # DSP0266, 9.8: of the whole resource, or of the member whose name precedes it
_MOST_VALUES = 2000  # looked at in one body; a message stands near the top
_MOST_LEVELS = 8

# Names are compared in lower case and without marks between their words.
_MESSAGES = ("message", "detail", "msg", "description", "errordescription", "errormessage", "defaultmessage",
             "faultstring", "statusmessage", "formattedmessage", "explanation", "usermessage", "title", "summary",
             "reasonphrase", "failurereason", "failuremessage", "statusdescription")  # fmt: skip
_MESSAGE = re.compile(  # as whole families of vendors form it: `fault_message`, `errMsg`, `messageText`
    r"(?:error|err|fault|failure|exception|problem|user|display|localized)"
    r"(?:message|msg|text|desc|description|details?|string|reason|info|explanation)|(?:message|msg)(?:text|string)"
)
_HOLDERS = ("error", "errors", "fault", "faults", "details", "messages", "messagelist", "errormessages", "errorlist",
            "causes", "reason", "exception", "violations", "errordetails", "failures", "problem", "problems", "detail",
            "message", "data", "value", "nonfielderrors",
            "validationerrors", "fielderrors", "formerrors", "invalidparams")  # fmt: skip
_CODES = ("messageid", "code", "errorcode", "type", "reason", "status", "id", "errno", "faultcode", "errortype")
_ARGUMENTS = ("messageargs", "messageparameters", "args", "arguments", "parameters", "params", "messagearguments")
_ABOUT = ("relatedproperties", "field", "pointer", "loc", "param", "parameter", "property", "target", "path",
          "attribute", "source", "name", "location")  # fmt: skip
_ERRORS = ("error", "errors", "err", "errormessage", "fault", "failurereason", "failuremessage")
_STATES = ("status", "state", "taskstate", "jobstate", "phase")
_LEFT_OUT = ("stack", "stacktrace", "trace", "traceback", "backtrace", "innererror", "debug", "debuginfo", "request")
_NO_FIELDS = ("domain", "lang", "language", "locale")
_SEVERITIES = ("severity", "messageseverity", "level")
_FINE = ("ok", "informational", "info", "information", "success", "succeeded", "none", "debug")
_SUCCESS = re.compile(r"(^|\.)(success|created|nooperation|accountmodified)$", re.IGNORECASE)
_READS = ("GET ", "HEAD ", "OPTIONS ")


def device_words(
    profile: Profile,
    operation: str,
    status: int,
    headers: Mapping[str, str],
    body: Json,
    redact: Redact = lambda value: value,
) -> tuple[str, ...]:
    """What is to be told of the reply to `operation` (`METHOD /path/{template}`): see ResponseArrived.said.

    Of a refusal all that it says; of a job that is asked for what it says; of a change that was answered well what
    was refused of it; of any other reply nothing. `redact` takes secrets out of JSON.
    """
    if status >= 400:
        return sentences(status, headers, redact(body), profile.envelope, redact)
    rule = next((rule for rule in profile.jobs if operation in (rule.poll, *rule.other_views)), None)
    found: Callable[..., tuple[str, ...]]
    if rule is not None:
        found = partial(job_sentences, rule=rule)
    elif operation.startswith(_READS):
        found = _of_read
    else:
        found = partial(refusals, envelope=profile.envelope)
    # Secrets go before anything is cut or put on one line; what says nothing need not be searched for them.
    return found(redact(body), redact=redact) if found(body) else ()


def sentences(
    status: int,
    headers: Mapping[str, str],
    body: Json,
    envelope: Envelope | None = None,
    redact: Redact = lambda value: value,
) -> tuple[str, ...]:
    """The sentences of a refusal, those first that the profile's pointers lead to; at most five, each once."""
    told = chain(
        _pointed_at(body, envelope), _said(body, headers.get("content-type", ""), status), _in_headers(headers)
    )
    return told_once(told, redact)


def refusals(body: Json, envelope: Envelope | None = None, redact: Redact = lambda value: value) -> tuple[str, ...]:
    """What a good reply to a change says was refused: messages at members, an error beside the success."""
    ending = (envelope.partial_success if envelope else None) or ANNOTATION
    return told_once(chain(_at_members(body, ending), _beside_success(body), _in_answers(body)), redact)


def job_sentences(body: Json, rule: JobRule, redact: Redact = lambda value: value) -> tuple[str, ...]:
    """What a job says of itself, its places filled."""
    return told_once(chain(_of_job(body, rule), told_of_job(_job_in(body, rule))), redact)


def _of_read(body: Json, redact: Redact = lambda value: value) -> tuple[str, ...]:
    """What a good reply to a read says where it is an error, or shows one thing that has failed: a job, say."""
    shown = only_one(body)
    names = next((names for names in map(plain_names, _with_held(shown)) if _has_failed(names)), {})
    told = [names[name] for name in _ERRORS if isinstance(names.get(name), str | list | Mapping)]
    texts = _Walk().texts(shown if is_refusal_alone(shown) else told)
    return told_once(chain(texts, told_of_job(shown)), redact)


def _with_held(shown: Json) -> Iterator[Json]:
    """What is shown, and the one object in it, where an envelope is around it."""
    yield shown
    held = [member for member in shown.values() if isinstance(member, Mapping)] if isinstance(shown, Mapping) else []
    yield from held if len(held) == 1 else ()


def _has_failed(names: Mapping[str, Json]) -> bool:
    return any(str(names.get(name)).lower() in REFUSALS for name in _STATES)


# Where a profile says it


def _pointed_at(body: Json, envelope: Envelope | None) -> Iterator[str]:
    for pointer in envelope.error_messages if envelope else ():
        found = resolve(body, parse_pointer(pointer))
        if found is not NOTHING:
            yield from _Walk().texts(found)


def _job_in(body: Json, rule: JobRule) -> Json:
    """The job itself, which may stand in a list or in an envelope: where its message does."""
    job = resolve(body, parse_pointer(rule.message)[:-1]) if rule.message is not None else body
    return body if job is NOTHING else job


def _of_job(body: Json, rule: JobRule) -> Iterator[str]:
    if rule.message is None:
        return
    tokens = parse_pointer(rule.message)
    text, job = resolve(body, tokens), resolve(body, tokens[:-1])
    values = resolve(body, parse_pointer(rule.message_parameters)) if rule.message_parameters is not None else NOTHING
    members = job if isinstance(job, Mapping) else {}
    if isinstance(text, str) and text:
        code = _code(members, ("messageid",))
        yield f"{filled(text, values)}{f' ({code})' if code and code not in text else ''}"
    elif text is not NOTHING:
        yield from _Walk().texts(text)
    yield from _Walk().texts(members.get("Messages", []))


# What was refused of a change that was answered well


def _at_members(body: Json, ending: str) -> Iterator[str]:
    waiting, seen = [(body, 0)], 0
    while waiting and seen < _MOST_VALUES:
        value, level = waiting.pop(0)
        seen += 1
        members = value if isinstance(value, Mapping) else {}
        for name, member in members.items():
            if name.endswith(ending):
                yield from _of_annotation(name.removesuffix(ending), member)
            elif level < _MOST_LEVELS and isinstance(member, Mapping | list):
                waiting.append((member, level + 1))
        if isinstance(value, list) and level < _MOST_LEVELS:
            waiting += [(element, level + 1) for element in value[:_MOST_VALUES]]


def _of_annotation(about: str, told: Json) -> Iterator[str]:
    """Messages that are no good news. At a member a message without a severity is none; on the whole it may be."""
    for each in told if isinstance(told, list) else [told]:
        severity = _severity(each)
        is_fine = severity in _FINE or _is_success(each) or (not severity and not about)
        if not is_fine:
            for text in _Walk().texts(each):
                yield text if not about or about in text else f"{about}: {text}"


def _beside_success(body: Json) -> Iterator[str]:
    if refuses_all(body) == ():
        yield from _Walk().texts(body)
        return
    yield from counted_failures(body)
    names = plain_names(body)
    for name in ("error", "errors"):
        if isinstance(names.get(name), str | list | Mapping):
            yield from _Walk().texts(names[name])


def _in_answers(body: Json) -> Iterator[str]:
    """Of several requests in one, those that were refused."""
    for answer in answers_in(body):
        if answer.is_refusal:
            told = [text for part in answer.parts for text in _Walk(answer.status).texts(part)]
            about = _about(answer.names) or f"request {answer.number}"
            yield f"{about}: {answer.status}{f', {told[0]}' if told else ''}"


# The usual forms


def _said(body: Json, media_type: str, status: int) -> Iterator[str]:
    parsed = _json_in(body) if isinstance(body, str) else body
    if isinstance(parsed, str):
        yield from texts_of_markup(parsed, media_type.lower())
    else:
        yield from _Walk(status).body(parsed)


def _json_in(text: str) -> Json:
    """JSON that came as text: of another media type, or as a member of an error of whoever stands between."""
    if len(text) > _MOST_VALUES * 10 or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _in_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """RFC 6750, 3: what a token lacks. Nothing else is known to be said in a header for people."""
    found = re.search(r'error_description="([^"]{1,2000})"', headers.get("www-authenticate", ""))
    if found:
        yield found[1]


class _Walk:
    """One walk through a body for what it says, bounded in depth and in what is looked at."""

    def __init__(self, status: int = 0) -> None:
        self._left = _MOST_VALUES
        self._status = status

    def body(self, body: Json) -> Iterator[str]:
        """A whole body: as any error, or one of fields with their messages, or a wrapped one."""
        found = list(self.texts(body))
        if isinstance(body, Mapping):
            found += self._fields(body, is_list_needed=True)
            found = found or list(self._wrapped(body))
        yield from found

    def texts(self, value: Json, level: int = 0, *, is_told: bool = True) -> Iterator[str]:
        """What `value` says. `is_told`: it is known to tell of an error, so that any text in it is a message."""
        self._left -= 1
        if self._left < 0 or level > _MOST_LEVELS:
            return
        if isinstance(value, str):
            inner = _json_in(value)
            yield from (value,) if isinstance(inner, str) else self.texts(inner, level + 1)
        elif isinstance(value, list):
            bad = [each for each in value if _severity(each) not in _FINE and not _is_success(each)]
            for each in bad or value:
                yield from self.texts(each, level + 1)
        elif isinstance(value, Mapping):
            yield from self._object(value, level, is_told)

    def _object(self, value: Mapping[str, Json], level: int, is_told: bool) -> Iterator[str]:
        annotations = [name for name in value if name.endswith(ANNOTATION)]
        for name in annotations:
            about = name.removesuffix(ANNOTATION)
            told = self.texts(value[name], level + 1)
            yield from (text if about in text else f"{about}: {text}" for text in told)
        names = {plain_name(name): member for name, member in value.items() if name not in annotations}
        sentence = "" if annotations and any(value[name] for name in annotations) else self._sentence(names, level)
        if sentence:
            yield sentence
        found = False
        for name in _HOLDERS:
            member = names.get(name)
            is_echo = name in ("data", "value") and bool(sentence)  # what was sent, beside what is said of it
            if isinstance(member, Mapping | list) and not is_echo:
                found = True
                yield from self.texts(member, level + 1)
            elif isinstance(member, str) and name not in (*_MESSAGES, "reason", "data", "value"):
                yield from self.texts(member, level + 1)
            elif isinstance(member, str) and (name == "data" or (name in ("reason", "value") and not sentence)):
                found = True
                yield member
        if level and not (sentence or found or annotations):
            yield from self._fields(value, is_list_needed=not is_told)
            yield from self._wrapped(value, level)

    def _sentence(self, names: Mapping[str, Json], level: int) -> str:
        """The object's own message, with what it is about before it, and its code and its remedy behind it."""
        known = (*_MESSAGES, *filter(_is_message, names))
        texts = [names[name] for name in known if isinstance(names.get(name), str) and names[name]]
        text = filled(texts[0], _first(names, _ARGUMENTS)) if texts else ""
        title = names.get("title")
        if text and isinstance(title, str) and not says_nothing(title) and title not in text:
            text = f"{title}: {text}"
        code = _code(names, _CODES, self._status)
        if not text:
            identity = names.get("messageid")
            if not isinstance(identity, str):
                return ""
            values = [str(each) for each in _listed(names.get("messageargs"))]
            text, code = identity + (f": {', '.join(values)}" if values else ""), ""
        about = _about(names) if level else ""
        resolution = names.get("resolution")
        severity = str(names.get("severity") or names.get("messageseverity") or "") if "messageid" in names else ""
        marks = ", ".join(each for each in (code, severity) if each and each not in text)
        text = f"{text} ({marks})" if marks else text
        text = f"{about}: {text}" if about and about not in text else text
        says_more = isinstance(resolution, str) and len(resolution) > len("None.") and resolution not in text
        return f"{text} {resolution}" if says_more else text

    def _fields(self, value: Mapping[str, Json], *, is_list_needed: bool) -> Iterator[str]:
        """Fields with their messages, as frameworks write them: {"mem": ["Not a number."]}."""
        for name, told in value.items():
            plain = plain_name(name)
            if plain in (*_HOLDERS, *_MESSAGES, *_ARGUMENTS, *_NO_FIELDS) or name.startswith("@") or _is_message(plain):
                continue
            if isinstance(told, list):
                texts = [each for each in told if isinstance(each, str)]
            else:
                texts = [told] if isinstance(told, str) and not is_list_needed else []
            yield from (f"{name}: {text}" for text in texts if not _is_left_out(name))

    def _wrapped(self, value: Mapping[str, Json], level: int = 0) -> Iterator[str]:
        """An error under a name of its own: {"badRequest": {"message": …}}."""
        for name, member in value.items():
            if isinstance(member, Mapping | list) and not _is_left_out(name):
                yield from self.texts(member, level + 1, is_told=False)


def _is_message(name: str) -> bool:
    return _MESSAGE.fullmatch(name) is not None


def _is_left_out(name: str) -> bool:
    return plain_name(name) in _LEFT_OUT


def _first(names: Mapping[str, Json], wanted: tuple[str, ...]) -> Json:
    return next((names[name] for name in wanted if isinstance(names.get(name), list | Mapping)), NOTHING)


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _severity(told: Json) -> str:
    names = plain_names(told)
    return next((str(names[name]).lower() for name in _SEVERITIES if names.get(name)), "")


def _is_success(told: Json) -> bool:
    return isinstance(told, Mapping) and bool(_SUCCESS.search(str(told.get("MessageId", ""))))


def _code(members: Mapping[str, Json], wanted: tuple[str, ...], status: int = 0) -> str:
    """What the device calls this kind of error; a number that repeats the status says nothing."""
    names = plain_names(members)
    for name in wanted:
        code = names.get(name)
        is_number = isinstance(code, int) and not isinstance(code, bool) and code != status and code > 0
        is_word = isinstance(code, str) and code and code != str(status) and len(code) <= 120 and " " not in code
        if (is_number and name not in ("status", "id")) or (is_word and ":" not in str(code)):
            return str(code).rpartition("#")[2]
    return ""


def _about(names: Mapping[str, Json]) -> str:
    """The part of the request that a message speaks of: a field, a pointer, a path of names."""
    for name in _ABOUT:
        place = names.get(name)
        if isinstance(place, Mapping):
            place = next((each for each in place.values() if isinstance(each, str)), None)
        if isinstance(place, list):
            place = ".".join(str(each) for each in place if isinstance(each, str | int))
        if isinstance(place, str) and place and len(place) <= 120:
            return place
    return ""
