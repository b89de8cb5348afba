"""The library of behaviours: one table, from public reports of what devices and servers do.

Only data stands here; the words are explained in `behaviours`, the mechanisms are played by `acting`. Played by
`switchgear mock --behaviour` and by the proof of every workflow (`compiler.proofs.behaviour_runs`); `docs/FAULTS.md`
shows it.
"""

from compiler.twin.behaviours.tables import CHANGES, READS, BehaviourRule, DeviceBehaviour, Shape, Sort

_DONE = ("succeeded",)
_BEARABLE = ("succeeded", "unknown")  # nothing false is said, though more could be known
_NOT_DONE = ("failed", "partial", "unknown")
_TRUE = ("succeeded", "pending", "partial", "failed", "unknown")  # whatever is true by the twin's store
_HTML = b"<html><head><title>Bad Gateway</title></head><body>The upstream did not answer.</body></html>"
_LOCKED = "the device is locked by its administrator"
_FULL = "the maximum number of sessions is reached"
_SETTING: tuple[Sort, ...] = ("update",)
_SEEN: tuple[Shape, ...] = ("seen",)
_JOB: tuple[Shape, ...] = ("job",)


def _shown(name: str, text: str, form: str) -> DeviceBehaviour:
    """A value that comes back in another form is the same value."""
    rule = BehaviourRule("show", READS, after_change=True, form=form)
    return DeviceBehaviour(name, text, (rule,), ("succeeded", "unknown"), _SEEN)


def _job(name: str, text: str, form: str, ends: tuple[str, ...]) -> DeviceBehaviour:
    return DeviceBehaviour(name, text, (BehaviourRule("job", CHANGES, form=form),), ends, _JOB)


def _listed(name: str, text: str, form: str) -> DeviceBehaviour:
    """A list that is not what it seems is whole, or is told not to be."""
    return DeviceBehaviour(name, text, (BehaviourRule("page", ("list",), form=form),), _TRUE, ("pages",))


_CHANGES_NOT_MADE = (
    DeviceBehaviour(
        "ignored change",
        "A change of values is answered well, and nothing changes.",
        (BehaviourRule("ignore", _SETTING),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "ignored creation",
        "A creation is answered well, and nothing is there.",
        (BehaviourRule("ignore", ("create",)),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "ignored deletion",
        "A deletion is answered well, and the thing stays.",
        (BehaviourRule("ignore", ("delete",)),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "ignored action",
        "An action is answered well, and the state stays as it was: a guest that ignores a shutdown.",
        (BehaviourRule("ignore", ("act",)),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "failed state",
        "An action is answered well, and the thing comes into a state that means failure.",
        (BehaviourRule("fail", ("act", "update")),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "partial change",
        "One of the values that were sent is not taken, the others are.",
        (BehaviourRule("spoil", _SETTING),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "creation with another value",
        "The new thing has another value than was sent for one member.",
        (BehaviourRule("spoil", ("create",)),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "action with another value",
        "An action is answered well, and one of the values that were sent with it is another one afterwards.",
        (BehaviourRule("spoil", ("act",), form="also alone"),),
        _NOT_DONE,
        _SEEN,
    ),
    DeviceBehaviour(
        "answered with what was there",
        "A creation that is asked for once more is answered as the first was, and nothing new is made.",
        (BehaviourRule("repeat", ("create",)),),
        _NOT_DONE,
        ("looked",),
        is_again=True,
    ),
    DeviceBehaviour(
        "a part for the whole",
        "A change of some values takes away all others that it could have set.",
        (BehaviourRule("wipe", _SETTING),),
        _TRUE,
        ("seen", "kept"),
    ),
    DeviceBehaviour(
        "answers missing",
        "Of several requests that are sent in one, the last is left without an answer.",
        (BehaviourRule("reply", ("create", "update", "act"), form="fewer answers"),),
        ("unknown",),
        ("batch",),
    ),
    DeviceBehaviour(
        "refused with a reason",
        "A change is refused with 409 and the reason.",
        (BehaviourRule("instead", CHANGES, status=409, form="refusal", body=_LOCKED),),
        ("failed",),
        says=_LOCKED,
    ),
)

_FORMS = (
    _shown("another letter case", "Texts come back in capitals.", "case"),
    _shown("trailing dot", "Names of hosts come back with a dot at their end.", "dot"),
    _shown("numbers as text", "Numbers come back as texts.", "text"),
    _shown("truth values as text", "Truth values come back as texts.", "truth"),
    _shown("another MAC form", "MAC addresses come back with hyphens, in capitals.", "mac"),
    _shown("another order", "Lists come back in another order.", "order"),
)

_AFTER_THE_FACT = (
    DeviceBehaviour(
        "500 after the fact",
        "A change is made and answered with 500.",
        (BehaviourRule("afterwards", CHANGES, last=1, status=500, form="refusal", body="internal error"),),
        _TRUE,
    ),
    DeviceBehaviour(
        "502 after the fact",
        "A change is made; the proxy before the device answers with 502 and a page.",
        (BehaviourRule("afterwards", CHANGES, last=1, status=502, body=_HTML),),
        _TRUE,
    ),
    DeviceBehaviour(
        "dropped after the fact",
        "A change is made, and the connection is closed without an answer.",
        (BehaviourRule("afterwards", CHANGES, last=1),),
        _TRUE,
    ),
    DeviceBehaviour(
        "unreadable after the fact",
        "A change is made and answered with 200 and a page of HTML.",
        (BehaviourRule("afterwards", CHANGES, last=1, status=200, body=_HTML),),
        _TRUE,
    ),
    DeviceBehaviour(
        "500 and not made",
        "A change is answered with 500, and nothing changes.",
        (BehaviourRule("instead", CHANGES, status=500, form="refusal", body="internal error"),),
        ("failed", "unknown"),
    ),
    DeviceBehaviour(
        "dropped and not made",
        "The connection is closed at a change, and nothing changes.",
        (BehaviourRule("instead", CHANGES),),
        ("failed", "unknown"),
    ),
    DeviceBehaviour(
        "second change not made",
        "The first change is made, and the connection is closed at the second, which is not.",
        (BehaviourRule("instead", CHANGES, first=2),),
        ("failed", "unknown", "partial"),
        ("several",),
    ),
)

_HANDLES = (
    DeviceBehaviour(
        "202 without a handle",
        "A change is accepted with 202, and nothing tells of which job.",
        (BehaviourRule("reply", CHANGES, status=202, form="no handle"),),
        ("failed", "unknown"),
        _JOB,
    ),
    DeviceBehaviour(
        "absolute Location",
        "Location is a whole address, with the name that the device believes to have.",
        (BehaviourRule("reply", CHANGES, form="absolute location"),),
        _BEARABLE,
    ),
    DeviceBehaviour(
        "relative Location",
        "Location is relative to the address that was asked.",
        (BehaviourRule("reply", CHANGES, form="relative location"),),
        _BEARABLE,
    ),
    DeviceBehaviour(
        "ids as numbers",
        "Ids and handles in the answer to a change are numbers where texts are described.",
        (BehaviourRule("reply", CHANGES, form="numbers"),),
        _BEARABLE,
    ),
)

_JOBS = (
    _job("slow job", "A job takes ten times as long.", "slow", _BEARABLE),
    _job("critical job", "A job ends as completed, and another member says that it failed.", "critical", _NOT_DONE),
    _job("done, told as failed", "A job does what it should and ends as failed: it was so already.", "done", _TRUE),
    DeviceBehaviour(
        "job that stands still",
        "A job shows the same state for ever.",
        (BehaviourRule("job", CHANGES, form="stuck"),),
        ("unknown", "failed"),
        _JOB,
        is_long=True,
    ),
    _job("job that waits for a restart", "A job waits for a restart that nobody makes.", "pending", ("pending",)),
    DeviceBehaviour(
        "job not there at first",
        "A job that was just made is 404 for its first two polls.",
        (
            BehaviourRule(
                "instead", ("poll",), last=2, after_change=True, status=404, form="refusal", body="there is no such job"
            ),
        ),
        _BEARABLE,
        _JOB,
    ),
    DeviceBehaviour(
        "away while polled",
        "The device answers 503 for a while during its own job.",
        (BehaviourRule("instead", ("poll",), first=2, last=7, status=503, body=_HTML),),
        _BEARABLE,
        _JOB,
    ),
    DeviceBehaviour(
        "flapping while polled",
        "Polls are answered and dropped by turns, then refused for a lost session.",
        (
            BehaviourRule("instead", ("poll",), first=1, last=1),
            BehaviourRule("instead", ("poll",), first=3, last=4, status=401, form="refusal", body="no valid session"),
        ),
        _BEARABLE,
        _JOB,
    ),
    DeviceBehaviour(
        "job forgotten",
        "A job is 404 as soon as it is over.",
        (BehaviourRule("instead", ("poll",), first=2, status=404, form="refusal", body="there is no such job"),),
        _TRUE,
        _JOB,
    ),
    DeviceBehaviour(
        "job shown as nothing",
        "A job that is over is answered with 200 and an empty body.",
        (BehaviourRule("instead", ("poll",), first=2, status=200),),
        _TRUE,
        _JOB,
    ),
    DeviceBehaviour(
        "job elsewhere",
        "The usual view of a job is not there; others show it.",
        (BehaviourRule("instead", ("poll",), status=404, form="main view", body="nothing is here"),),
        _TRUE,
        _JOB,
    ),
)

_LATE = (
    DeviceBehaviour(
        "listed late",
        "What was created is listed a few reads later.",
        (BehaviourRule("lag", READS, last=3, form="create"),),
        _BEARABLE,
        _SEEN,
    ),
    DeviceBehaviour(
        "lingers",
        "What was deleted is there for a few reads more.",
        (BehaviourRule("lag", READS, last=3, form="delete"),),
        _BEARABLE,
        _SEEN,
    ),
    DeviceBehaviour(
        "old value at first",
        "What was changed shows the old value for a few reads more.",
        (BehaviourRule("lag", READS, last=3, form="update"),),
        _BEARABLE,
        _SEEN,
    ),
    DeviceBehaviour(
        "first read fails",
        "The first read after a change is answered with 500.",
        (BehaviourRule("instead", READS, last=1, after_change=True, status=500, form="refusal", body="not ready yet"),),
        _BEARABLE,
        _SEEN,
    ),
    DeviceBehaviour(
        "too many requests",
        "The first read is answered with 429 and Retry-After.",
        (
            BehaviourRule(
                "instead", READS, last=1, status=429, form="refusal", body="slow down", headers=(("retry-after", "2"),)
            ),
        ),
        _DONE,
    ),
    DeviceBehaviour(
        "dropped read", "The connection is closed at the first read.", (BehaviourRule("instead", READS, last=1),), _DONE
    ),
)

_SESSIONS = (
    DeviceBehaviour(
        "full sessions",
        "Every login is answered with 503: no session is left.",
        (BehaviourRule("instead", ("login",), status=503, form="refusal", body=_FULL),),
        _TRUE,
        says=_FULL,
        by_driver=True,
    ),
    DeviceBehaviour(
        "lost session",
        "All sessions end after the first request, and again after the first change.",
        (BehaviourRule("expire", READS, last=1), BehaviourRule("expire", READS, last=1, after_change=True)),
        _DONE,
    ),
)

_VERSIONS = (
    DeviceBehaviour(
        "weak tag",
        "Entity tags are sent as weak ones and compared as strong ones.",
        (BehaviourRule("reply", READS, form="weak tag"), BehaviourRule("version", CHANGES, form="strong only")),
        _TRUE,
        ("version",),
    ),
    DeviceBehaviour(
        "suffixed tag",
        "A proxy appends -gzip to entity tags; the device does not know them.",
        (BehaviourRule("reply", READS, form="suffixed tag"),),
        _TRUE,
        ("version",),
    ),
    DeviceBehaviour(
        "tag in the body",
        "The entity tag stands in the body and not in the header.",
        (BehaviourRule("reply", READS, form="tag in the body"),),
        _TRUE,
        ("version",),
    ),
    DeviceBehaviour(
        "moved tag",
        "The device's own housekeeping changes the version between a read and the change.",
        (BehaviourRule("version", CHANGES, last=1),),
        _TRUE,
        ("version",),
    ),
)

_ACTIONS = (
    DeviceBehaviour(
        "action moved",
        "An action has its name, and its address is another one than the described.",
        (BehaviourRule("offer", (*READS, "act"), form="moved"),),
        _TRUE,
        ("offered",),
    ),
    DeviceBehaviour(
        "action renamed",
        "An action has another name and another address.",
        (BehaviourRule("offer", (*READS, "act"), form="renamed"),),
        _TRUE,
        ("offered",),
    ),
)

_LISTS = (
    _listed("next page is this one", "The link to the next page leads to the page itself.", "itself"),
    _listed("next page missing", "The count says more than there is on the only page.", "missing"),
    _listed("older key of the next page", "The link to the next page stands under its older key.", "older"),
    DeviceBehaviour(
        "error with 200",
        "A list is answered with 200 and an error object.",
        (
            BehaviourRule(
                "instead", ("list",), status=200, body={"error": {"code": "X", "message": "the service is busy"}}
            ),
        ),
        ("failed", "unknown"),
    ),
    DeviceBehaviour(
        "nothing with 200",
        "A list is answered with 200 and an empty body.",
        (BehaviourRule("instead", ("list",), status=200),),
        ("failed", "unknown"),
    ),
    DeviceBehaviour(
        "page with 200",
        "A list is answered with 200 and a page of HTML.",
        (BehaviourRule("instead", ("list",), status=200, body=_HTML),),
        ("failed", "unknown"),
    ),
    DeviceBehaviour(
        "namesake",
        "Two things have the same name.",
        (BehaviourRule("double", ("list",)),),
        ("failed",),
        ("found",),
    ),
)

_READ = (
    DeviceBehaviour(
        "another thing",
        "A read is answered with a thing that has another id.",
        (BehaviourRule("another", ("read",)),),
        ("failed", "unknown"),
        ("known",),
    ),
)

_RENAMED = (
    DeviceBehaviour(
        "renamed, and elsewhere",
        "A thing that is called otherwise is at another address then.",
        (BehaviourRule("move", ("update", "act", "read")),),
        _BEARABLE,
        ("moved",),
    ),
)

_WIRE = (
    DeviceBehaviour(
        "redirect to a slash",
        "A read is answered with 308 to the same address with a slash at its end.",
        (BehaviourRule("redirect", READS, status=308),),
        _TRUE,
        by_driver=True,
    ),
)

LIBRARY: tuple[DeviceBehaviour, ...] = (
    *_CHANGES_NOT_MADE,
    *_FORMS,
    *_AFTER_THE_FACT,
    *_HANDLES,
    *_JOBS,
    *_LATE,
    *_SESSIONS,
    *_VERSIONS,
    *_ACTIONS,
    *_LISTS,
    *_READ,
    *_RENAMED,
    *_WIRE,
)
