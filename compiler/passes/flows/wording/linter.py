"""The linter of names and titles: what a person would not accept of a workflow's wording, as sentences.

A name has no number that its address does not have, and no word twice; titles and descriptions begin with a verb and
say one thing, and a title differs from every other title of the API by a word that matters. Pure; `naming` makes
wording that passes, and `compiler.verification` reports whatever does not all the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from compiler.ir.model import Flow
from compiler.passes.names import words
from compiler.passes.names.paths import path_of
from compiler.passes.risk import lexicon


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


EMPTY_WORDS = frozenset(
    {"a", "an", "the", "of", "in", "on", "at", "to", "from", "by", "with", "for", "and", "or", "as", "its"}
)
_VERBS = frozenset(
    [
        "ensure",
        "reset",
        "restart",
        "clear",
        "inventory",
        "stage",
        "follow",
        "wait",
        "tell",
        "blink",
        "boot",
        "call",
        "collect",
        "configure",
        "consume",
        "deliver",
        "drop",
        "eject",
        "emulate",
        "fail",
        "flash",
        "force",
        "format",
        "freeze",
        "unfreeze",
        "give",
        "import",
        "insert",
        "invoke",
        "kill",
        "leave",
        "let",
        "make",
        "migrate",
        "nudge",
        "overwrite",
        "pause",
        "ping",
        "play",
        "power",
        "predict",
        "promote",
        "provision",
        "prune",
        "pull",
        "purge",
        "push",
        "put",
        "quiesce",
        "raise",
        "reboot",
        "rebuild",
        "recover",
        "recreate",
        "redeploy",
        "reprotect",
        "protect",
        "redirect",
        "register",
        "regenerate",
        "reinstall",
        "reissue",
        "release",
        "reload",
        "relocate",
        "remount",
        "remove",
        "render",
        "reopen",
        "requeue",
        "resend",
        "reserve",
        "reset",
        "resize",
        "restore",
        "resubmit",
        "revert",
        "revoke",
        "rewrite",
        "rotate",
        "run",
        "seal",
        "secure",
        "seed",
        "shut",
        "start",
        "step",
        "stop",
        "stream",
        "submit",
        "suspend",
        "swap",
        "switch",
        "synchronize",
        "take",
        "test",
        "tidy",
        "toggle",
        "trace",
        "train",
        "trigger",
        "trim",
        "tune",
        "turn",
        "uninstall",
        "unmount",
        "upgrade",
        "use",
        "vacuum",
        "validate",
        "wipe",
        "write",
        "add",
        "answer",
        "ask",
        "assess",
        "become",
        "begin",
        "bring",
        "unblink",
        "light",
        "unlock",
        "unpack",
        "unregister",
        "disable",
        "enable",
        "partial",
        "live",
        "health",
        "simple",
        "lower",
        "raise",
        "bulk",
        "cancel",
        "change",
        "choose",
        "clean",
        "commit",
        "compute",
        "deactivate",
        "delete",
        "demote",
        "deploy",
        "detach",
        "disable",
        "disconnect",
        "eject",
        "empty",
        "encode",
        "decode",
        "encrypt",
        "decrypt",
        "hash",
        "hmac",
        "random",
        "rewrap",
        "derive",
        "end",
        "enter",
        "exit",
        "erase",
        "evict",
        "execute",
        "expire",
        "fetch",
        "finish",
        "gather",
        "go",
        "hold",
        "initialize",
        "initiate",
        "install",
        "interrupt",
        "introspect",
        "invite",
        "invalidate",
        "look",
        "negotiate",
        "park",
        "pass",
        "perform",
        "prepare",
        "print",
        "probe",
        "process",
        "query",
        "re-sign",
        "recreate",
        "reencrypt",
        "refresh",
        "rekey",
        "reorder",
        "restage",
        "rollback",
        "roll",
        "save",
        "scrub",
        "search",
        "self",
        "sanitize",
        "shrink",
        "skip",
        "sort",
        "spawn",
        "split",
        "start",
        "track",
        "transfer",
        "unassign",
        "undo",
        "unjoin",
        "unseal",
        "unwrap",
        "update",
        "upload",
        "wrap",
        "write",
        "rename",
        "rescue",
        "request",
        "require",
        "rescan",
        "rewind",
        "tail",
        "terminate",
        "unregister",
        "change",
        "discard",
        "drain",
        "evacuate",
        "failover",
        "finalize",
        "generate",
        "impersonate",
        "inspect",
        "issue",
        "join",
        "load",
        "lock",
        "login",
        "logout",
        "map",
        "merge",
        "reactivate",
        "retry",
        "build",
        "say",
        "try",
        "do",
        "show",
        "dismiss",
        "undismiss",
        "notify",
        "rectify",
        "flush",
        "plug",
        "reclaim",
        "forecast",
        "reconfigure",
        "receive",
        "inject",
        "dissociate",
        "disassociate",
        "compile",
        "rediscover",
        "recompute",
    ]
)
_REPORTS = frozenset({"health", "inventory", "power"})  # what is told of a thing; a name may begin so
KNOWN_VERBS = (
    _VERBS
    | lexicon.PLAIN
    | lexicon.LIGHT
    | {word.base for word in (*lexicon.WORDS, *lexicon.OF_ACTIONS)}
    | words.MAKING
    | words.READING
    | _set("untag buy purchase rerequest reorder resend revalidate requeue unarchive reindex recheck resubmit replay")
    | _set("reroute reconcile reprovision recalculate hibernate defragment transcode redeem redeliver")
    | _set("decline resolve detect analyze translate suggest upsert authorize unfollow reschedule extract rerun ignore")
    | _set("mute unmute classify distribute pay instantiate recognize deprecate enroll elevate unmark unstar explain")
    | _set(
        "unapply combine compress categorize propose bypass settle transform increment advertise hide refund capture"
    )
) - {
    "description",
    "status",
    "count",
    "deletion",
    "removal",
    "power",
    "off",
    "down",
    "factory",
    "state",
    "process",
    "access",
    "config",
    "post",
    "inventory",
    "health",
    "nmi",
}
AS_NOUNS = _set(
    "access backup block boot capture check clone comment control copy count cycle drop export filter format "
    "group import issue job label link list live load lock log map mount order patch port power process profile put "
    "query queue rate read refund release report request schedule search service set share snapshot stage state "
    "status switch tag test trace view write"
)
"""Verbs that are nouns as often: behind another word they are taken for one."""
MANNERS = _set("smart hard soft warm cold graceful emergency rolling quick secure full forced safe fast clean dry")
"""In which way something is done: before a verb they belong to it (`smart reboot`)."""
_OF_ADDRESSES = frozenset({"action", "actions", "own"})
_DOUBLE = re.compile(
    r"\b(create|add|update|set|change|make) or (create|add|update|set|change|make|new)\b", re.IGNORECASE
)


def faults(flow: Flow, api: str) -> Iterator[str]:
    """What is wrong with the wording of one workflow."""
    yield from title_faults(flow, api)
    yield from description_faults(flow)


def title_faults(flow: Flow, api: str) -> Iterator[str]:
    """What is wrong with the name and the title of one workflow."""
    yield from name_faults(flow.id, path_of(flow.goal), api)
    twice = repeated(words.split(flow.title))
    if twice:
        yield f"the title “{flow.title}” says “{twice}” twice"
    if " " not in flow.title:
        yield f"the title “{flow.title}” does not say what it is done to"
    if flow.intent == "act" and "/actions/" in flow.goal and not _OF_ADDRESSES.isdisjoint(words.split(flow.title)):
        yield f"the title “{flow.title}” tells an address, not what is done"
    is_report = flow.intent == "report" and flow.title.lower().startswith(("inventory", "health"))
    if not is_report and not begins_with_verb(flow.title):
        yield f"the title “{flow.title}” does not begin with a verb"
    if _DOUBLE.search(flow.title):
        yield f"the title “{flow.title}” means two things"


def first_of(description: str) -> str:
    """The first sentence, which says what is done."""
    return description.partition(". ")[0].rstrip(".")


def description_faults(flow: Flow) -> Iterator[str]:
    """What is wrong with how a description begins: it says what is done to what, once, with a verb in front."""
    said = first_of(flow.description).split(" ")
    if not flow.description:
        return
    if len(said) < 2 or not _is_done(said):
        yield f"the description “{' '.join(said)}” does not begin with what is done"
    if any(a.lower() == b.lower() and a.isalpha() for a, b in pairwise(said)):
        yield f"the description “{' '.join(said)}” says a word twice in a row"
    if _DOUBLE.search(" ".join(said)):
        yield f"the description “{' '.join(said)}” means two things"


def _is_done(said: Sequence[str]) -> bool:
    """Whether a verb stands first, in its base form or as `shows`; an adverb may stand before it."""
    first = [word.lower().rstrip(",:") for word in said]
    is_adverb = first[0].endswith("ly") and first[0] not in KNOWN_VERBS and len(first) > 1
    first = first[1:] if is_adverb else first
    forms = (first[0], first[0].removesuffix("s"), first[0].removesuffix("es"), first[0].rpartition("-")[2])
    return bool(KNOWN_VERBS.intersection((*forms, *forms[0].split("-")[:1]))) or begins_with_verb(" ".join(first))


def name_faults(flow_id: str, path: str, api: str) -> Iterator[str]:
    """What is wrong with the name of a workflow whose goal is at `path`."""
    name = flow_id.removeprefix(words.of_api(api) + "_").split("_")
    if name[-1].isdigit() and name[-1] not in words.split(path):
        yield f"the name {flow_id} is numbered"
    if repeated(name):
        yield f"the name {flow_id} says “{repeated(name)}” twice"
    first = name[1] if len(name) > 2 and name[0] in MANNERS else name[0]
    if len(name) < 2 or (first not in KNOWN_VERBS and first not in _REPORTS):
        yield f"the name {flow_id} does not say what is done to what"


def begins_with_verb(title: str) -> bool:
    """Whether the first word is a verb that is known; `power on` and `power off` are two."""
    said = [word.rstrip(":,") for word in title.lower().split(" ")]
    if said[0] in MANNERS and len(said) > 1 and said[1] in KNOWN_VERBS:
        return True
    return said[0].split("-")[0] in KNOWN_VERBS or said[:2] in (["power", "on"], ["power", "off"], ["power", "cycle"])


def repeated(said: Sequence[str]) -> str:
    """The word that stands twice in a row, or twice at all where it matters; "" where none does."""
    seen: set[str] = set()
    for word in said:
        plain = words.singular(word)
        if plain in seen and plain not in EMPTY_WORDS and not plain.isdigit():
            return word
        seen.add(plain)
    return ""


def weight(title: str) -> tuple[str, ...]:
    """What a title says: its words that matter, in singular and in order."""
    plain = (words.singular(word) for word in words.split(title))
    return tuple(word for word in plain if word not in EMPTY_WORDS)


def alike(flows: Iterable[Flow]) -> Mapping[str, list[Flow]]:
    """Flows whose titles say the same, by what they say."""
    by_weight: dict[tuple[str, ...], list[Flow]] = {}
    for flow in flows:
        by_weight.setdefault(weight(flow.title), []).append(flow)
    return {" ".join(said): found for said, found in by_weight.items() if len(found) > 1}
