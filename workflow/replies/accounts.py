"""What a good answer accounts for: parts that failed, in a list, a number or words, and things that it leaves out.

A job that ended well may count an error or show a part that failed; an answer to several things at once may name
fewer than were asked for; both may say that nothing is in force before a restart. Names in the reply decide, compared
without marks and case (`plain_name`); numbers that a thing counts over its life are none of these. Pure; called by
`device_messages`, which tells it, and by `interpreter`, which concludes from it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from workflow.documents.document import Json
from workflow.replies.answers import REFUSALS, listed_as_done, methods_in, only_one, plain_name, plain_names
from workflow.replies.totals import places_of_totals
from workflow.visible import visible

_FAILED_COUNTS = ("errorcount", "errorscount", "failedcount", "failurecount", "failurescount", "numfailed",
                  "numerrors", "totalfailed", "failed", "failures", "errors")  # fmt: skip
_DONE_COUNTS = ("succeeded", "successful", "successcount", "succeededcount", "successes", "total", "totalcount",
                "processed", "completed", "ok", "skipped")  # fmt: skip
_TOUCHED = ("deleted", "removed", "updated", "modified", "changed", "affected", "created", "added", "processed",
            "succeeded", "successful", "deletedcount", "modifiedcount", "updatedcount", "affectedcount",
            "rowsaffected")  # fmt: skip
_COUNT_OF_TOUCHED = re.compile(f"(?:{'|'.join(_TOUCHED)})(?:items|rows|records|objects|entries|things|total)?")
_STATES = ("state", "status", "result", "outcome", "taskstate", "jobstate")
_PART_STATES = (*REFUSALS, "errored", "exception", "aborted", "faulted", "unsuccessful")
_ABOUT = ("item", "name", "target", "entity", "id", "task", "step", "operation", "type")
_SAYING = ("message", "error", "reason", "detail", "description", "msg")
_REPORT = (*_FAILED_COUNTS, *_DONE_COUNTS, *_STATES, *_SAYING, "code", "success", "warnings", "warningcount")
_TROUBLES = (*_FAILED_COUNTS, *_SAYING, "warnings", "messages", "details", "rejected", "refused", "invalid", "missing",
             "skipped", "conflicts", "issues", "problems", "exceptions")  # fmt: skip
_EXITS = ("return", "returncode", "returnvalue", "exitcode", "exitstatus", "exitvalue", "retcode", "rc")
_DEEP = 2  # objects around it
_IN_WORDS = re.compile(
    r"\bpartial(?:ly)?\b|\bwith (?:some |[1-9]\d* )?(?:error|failure)s?\b"
    r"|(?<![\d.])[1-9]\d* (?:of \d+ )?(?:\w+ )?failed\b",
    re.IGNORECASE,
)
_RESTART = r"(?:reboot|restart|power[- ]cycle|cold boot)"
_AFTER_RESTART = re.compile(
    rf"\b{_RESTART}(?: of \w+(?: \w+)?)? (?:is |will be )?(?:required|needed|necessary)\b"
    rf"|\b(?:requires?|needs?) (?:a |the |to )?(?:\w+ )?{_RESTART}\b"
    rf"|\b(?:after|until|upon) (?:the |a |its )?(?:next )?{_RESTART}\b",
    re.IGNORECASE,
)
_NO_RESTART = re.compile(rf"\b(?:no|not|without|nor)\b[^.;]{{0,20}}{_RESTART}|{_RESTART} (?:is )?not\b", re.IGNORECASE)
_MOST = 2000  # parts looked at
_MOST_TOLD = 5
_LONGEST = 120


def failed_parts(job: Json) -> tuple[str, ...]:
    """What a job that ended well says of parts of it that failed: in its lists, in its numbers and in its words.

    What it ran and how that ended counts as well: a program that returned another number than 0.
    """
    shown = only_one(job)
    names = plain_names(shown)
    lists = [*names.values()] if not isinstance(shown, list) else [shown]
    told = [*_bad_parts(lists), *_counts(names), *_exits(shown)]
    return tuple(dict.fromkeys(told or _words(names)))[:_MOST_TOLD]


def warnings_of(job: Json) -> tuple[str, ...]:
    """What a job that ended well warns of, in sentences of its own."""
    told = plain_names(only_one(job)).get("warnings")
    listed = told if isinstance(told, list) else [told]
    texts = [plain_names(each).get("message") if isinstance(each, Mapping) else each for each in listed]
    return tuple(text for text in texts if isinstance(text, str) and text)[:_MOST_TOLD]


def told_of_job(job: Json) -> Iterator[str]:
    """All that a job tells of beside its own message: what failed, what it warns of, what it waits for."""
    yield from (*failed_parts(job), *restart_sentences(job), *warnings_of(job))


def without_failures(job: Json, level: int = 0) -> Json:
    """The job as one of which no part failed: its numbers of failures 0, its lists of failed parts empty."""
    if isinstance(job, list):
        return [] if any(_bad_parts([job])) else [without_failures(each, level + 1) for each in job]
    if not isinstance(job, Mapping) or level > _DEEP:
        return job
    names = {name: plain_name(name) for name in job}
    return {
        name: 0
        if names[name] in (*_FAILED_COUNTS, *_EXITS) and _is_number(member)
        else without_failures(member, level + 1)
        for name, member in job.items()
    }


def counted_failures(body: Json) -> tuple[str, ...]:
    """What a good answer to a change counts as failed, where it is a report and not the thing that was changed."""
    names = plain_names(body)
    is_report = any(_number(names.get(name)) is not None for name in _DONE_COUNTS)
    is_report = is_report or all(name in _REPORT for name in names)
    touched = {name: _number(member) for name, member in names.items() if _COUNT_OF_TOUCHED.fullmatch(name)}
    others = [
        name for name, member in names.items() if name not in (*touched, *_SAYING) and not isinstance(member, bool)
    ]
    told = tuple(_counts(names)) if is_report else ()
    if told or others or not touched or any(touched.values()) or None in touched.values():
        return told
    told_as = {plain_name(name): name for name in body}
    return tuple(f"{_shown(told_as[name]).replace('_', ' ')} 0" for name in touched)


def left_out(body: Json, sent: Json) -> tuple[int, tuple[str, ...]] | None:
    """How many things a request named, and which of them a good answer does not; None where it says nothing of them.

    An answer that says how many it touched leaves out some, nobody knows which. One that is a list of things has one
    for each that was named.
    """
    if isinstance(body, list):
        return _left_out_of_list(body, sent)
    asked = _one_list(sent)
    if not asked:
        return _not_listed(body, sent)
    names = plain_names(body)
    known = {str(each) for each in asked}
    told = [names[name] for name in _TOUCHED if name in names]
    if len(told) != 1:
        return None
    number = _number(told[0])
    if number is not None:
        return (len(known), ()) if number < len(known) else None
    shown = {str(each) for each in told[0]} if _is_plain_list(told[0]) else None
    if shown is None or not shown < known:
        return None
    return len(known), tuple(_shown(each) for each in dict.fromkeys(map(str, asked)) if each not in shown)


def _not_listed(body: Json, sent: Json) -> tuple[int, tuple[str, ...]] | None:
    """The same of things that are sent as objects, or inside the orders of a list, and of a report of what was done.

    A thing is known by any of its plain values. Where the report names anything else it says nothing of them.
    """
    if any(methods_in(sent)):
        return None  # requests have answers, which are counted
    done, things = {str(each) for each in listed_as_done(body)}, [_values(each) for each in _things(sent)]
    left = [each for each in things if done.isdisjoint(each)]
    if (
        not done
        or not left
        or len(done) + len(left) != len(things)
        or not done <= {text for each in things for text in each}
    ):
        return None
    return len(things), tuple(_shown(next(iter(each), "")) for each in left)


def _things(sent: Json, level: int = 0) -> list[Json]:
    """What the only list of a request holds; of orders that hold one list each, what these hold."""
    lists = [sent] if isinstance(sent, list) else list(sent.values()) if isinstance(sent, Mapping) else []
    held = [each for each in lists if isinstance(each, list) and each]
    if len(held) != 1 or len(held[0]) > _MOST:
        return []
    inside = [_things(each, level + 1) for each in held[0] if isinstance(each, Mapping)] if level < _DEEP else []
    return [thing for each in inside for thing in each] if inside and all(inside) else held[0]


def _values(thing: Json) -> list[str]:
    values = thing.values() if isinstance(thing, Mapping) else [thing]
    return [str(each) for each in values if isinstance(each, str | int) and not isinstance(each, bool)]


def names_nothing(body: Json) -> bool:
    """Whether all that a good answer to an order says is that it was done to nothing: empty lists, counts of 0.

    These may stand inside one object for each kind of order. One list of what went wrong says that nothing did.
    """
    names = plain_names(body)
    inside = [plain_names(value) for value in names.values() if isinstance(value, Mapping)]
    told = [pair for each in (names, *inside) for pair in each.items() if not isinstance(pair[1], Mapping)]
    is_empty = all(value in ([], None) or (_is_number(value) and value == 0) for _, value in told)
    return is_empty and any(value == [] and name not in _TROUBLES for name, value in told)


def is_empty_page(body: Json) -> bool:
    """Whether a good answer is the page of a list in which nothing is, and says that there is nothing in all."""
    members = [(name,) for name, value in body.items() if value == []] if isinstance(body, Mapping) else []
    if len(members) != 1 or not names_nothing(body):
        return False
    return any(is_sure and _number(value) == 0 for _, is_sure, value in places_of_totals(body, members[0]))


def waits_for_restart(job: Json) -> bool:
    """Whether a job that ended well says that what it did is in force after a restart, which nobody has made yet."""
    return bool(restart_sentences(job))


def restart_sentences(job: Json) -> tuple[str, ...]:
    """What a job says of a restart that is needed before what it did is in force."""
    names = plain_names(only_one(job))
    texts = [member for name, member in names.items() if name in _SAYING and isinstance(member, str)]
    return tuple(text for text in texts if _AFTER_RESTART.search(text) and not _NO_RESTART.search(text))


def _bad_parts(members: Sequence[Json]) -> Iterator[str]:
    for parts in (each for each in members if isinstance(each, list)):
        for part in (each for each in parts[:_MOST] if _says_so(each)):
            names = plain_names(part)
            state = next((str(names[name]) for name in _STATES if isinstance(names.get(name), str)), "")
            if state.lower() in _PART_STATES:
                about = next((_shown(names[name]) for name in _ABOUT if isinstance(names.get(name), str | int)), "")
                why = next((names[name] for name in _SAYING if isinstance(names.get(name), str) and names[name]), "")
                yield ": ".join(text for text in (about, f"{state}{f', {why}' if why else ''}") if text)


def _says_so(part: Json) -> bool:
    """Whether any member at all is a word of failure: each reply that is a list is gone through for these."""
    members = part.values() if isinstance(part, Mapping) else ()
    return any(isinstance(member, str) and member.lower() in _PART_STATES for member in members)


def _counts(names: Mapping[str, Json]) -> Iterator[str]:
    for name in _FAILED_COUNTS:
        if _number(names.get(name)):
            yield f"{name} {names[name]}"


def _exits(job: Json, level: int = 0) -> Iterator[str]:
    """`return 1`, `exit code 3`: with what a program ended that the job ran, in whatever objects it stands."""
    for name, member in job.items() if isinstance(job, Mapping) else ():
        if isinstance(member, Mapping) and level < _DEEP:
            yield from _exits(member, level + 1)
        elif _is_number(member) and member and plain_name(name) in _EXITS:
            yield f"{_shown(name)} {member}"


def _words(names: Mapping[str, Json]) -> Iterator[str]:
    for name in (*_STATES, *_SAYING):
        text = names.get(name)
        if isinstance(text, str) and _IN_WORDS.search(text):
            yield text


def _number(value: Json) -> int | None:
    return value if _is_number(value) and value >= 0 else None


def _is_number(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _left_out_of_list(body: list[Json], sent: Json) -> tuple[int, tuple[str, ...]] | None:
    ids = [plain_names(each).get("id") for each in sent] if isinstance(sent, list) else []
    asked = dict.fromkeys(map(str, _one_list(sent) or [each for each in ids if isinstance(each, str | int)]))
    if not asked or len(body) >= len(asked):
        return None
    told = {str(value) for each in body for value in (each.values() if isinstance(each, Mapping) else [each])}
    return len(asked), tuple(_shown(each) for each in asked if each not in told)


def _one_list(sent: Json) -> list[Json]:
    """The things that a request names: the only list of plain values in it."""
    lists = [sent] if isinstance(sent, list) else list(sent.values()) if isinstance(sent, Mapping) else []
    held = [each for each in lists if isinstance(each, list)]
    return held[0] if len(held) == 1 and held[0] and _is_plain_list(held[0]) else []


def _is_plain_list(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(each, str | int) and not isinstance(each, bool) for each in value)


def _shown(value: Json) -> str:
    return " ".join(visible(str(value), _LONGEST).split())
