"""Lists that are not whole, and replies that are no list: what is said of them, and what may be concluded.

A device may say that there are more things than it gave, lead in a circle, or list things that it could not read. What
came is right and is given out, with a note. What did not come is not known: nobody may conclude from such a list that
a thing is not there (and make a second one), nor that only one thing bears a name (and delete the wrong one); an id
that the caller gave says which one is meant. Pure; called by `pages` and `interpreter`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.documents.document import Json
from workflow.documents.scope import Reply
from workflow.json.pointers import NOTHING, Parts, escape, resolve
from workflow.visible import visible

NO_LIST = "not_a_list"
NOT_WHOLE = "list_incomplete"
LOOP = "page_loop"
_LOOKING = ("lookup", "check")  # roles of steps that decide by what a list has
_FAULTS = ("error", "errors", "fault", "@Message.ExtendedInfo")
_SHOWN = 3  # members that what was not read does not have
_NAMES_SHOWN = 5
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Shortfall:
    """`is_short`: something is missing or may be; else only worth a note. `text`: what, in sentences."""

    code: str
    text: str
    is_short: bool


def shortfall_of(known: Mapping[str, Any], item_id: Parts | None, *, is_cut: bool) -> Shortfall | None:
    """What is to be said of a list as `pages.turned` left it; None of a whole one."""
    here, total, why = len(known["items"]), _expected(known), known.get("why_not", "")
    unread = sum(_is_unread(item, item_id) for item in known["items"])
    texts = []
    if total is not None and total > here:
        texts.append(f"the device says that there are {total}, and {here} of {total} came")
    elif (is_cut or why) and total is None:
        texts.append(f"{here} came, and there may be more")
    is_over = total is not None and total <= here  # whoever has them all may lead to wherever they like
    code = LOOP if why and not is_over and "came already" in why else NOT_WHOLE
    texts += [why] if why and not is_over else []
    texts += [f"{unread} of them could not be read by the device"] if unread else []
    if texts:
        return Shortfall(code, f"This list is incomplete: {'; '.join(texts)}.", is_short=True)
    return _shifted(known)


def _shifted(known: Mapping[str, Any]) -> Shortfall | None:
    twice = known["twice"]
    if not twice:
        return None
    text = f"The list changed while it was read: {twice} came on two pages and are given once."
    return Shortfall(NOT_WHOLE, text, is_short=False)


def is_enough(role: str, outputs: Mapping[str, Json], inputs: Mapping[str, Json], *, is_read_only: bool) -> bool:
    """Whether a fulfilled step may be believed although its list is not whole.

    One that gives out what came may, and one that found its thing. Where something is to be changed, it must be found
    by the id that the caller gave, since another thing of that name may be among those that did not come.
    """
    if role not in _LOOKING or is_read_only:
        return True
    return "id" in outputs and str(outputs["id"]) in {str(value) for value in inputs.values()}


def is_evidence(action: Any) -> bool:
    """Whether the failure action of a step that is not fulfilled is right, whatever did not come.

    Several of a name are several, and a wrong state is wrong; that there is none, nobody knows.
    """
    return action is not None and action.type != "goto" and action.code != "not_found"


def told_unfound(key: str, short: Shortfall) -> str:
    """What a step says that found nothing, or not surely the right thing, in such a list."""
    rest = "What was not listed is not known: this says neither that it is there nor that it is not"
    return f"{key} cannot tell which one is meant, or whether it is there. {short.text} {rest}"


def told_no_list(reply: Reply, members: Parts, page: int) -> str:
    """What came where a list was expected, for people."""
    where = f" at {''.join('/' + escape(part) for part in members)}" if members else ""
    which = f" (page {page})" if page > 1 else ""
    return f"the answer {reply.status} has no list{where}{which}: {_kind(reply.body)} came"


def _kind(body: Json) -> str:
    if body is None:
        return "nothing, or null,"
    if isinstance(body, str):
        return "an HTML page" if body.lstrip()[:1] == "<" else "a text"
    if isinstance(body, Mapping):
        names = [named(name) for name in body][: _NAMES_SHOWN + 1]
        more = ["…"] if len(names) > _NAMES_SHOWN else []
        return f"an object with {', '.join([*names[:_NAMES_SHOWN], *more])}" if names else "an empty object"
    return "a list" if isinstance(body, list) else "a single value"


def named(text: str) -> str:
    """A name or an address that a device gave, fit to be shown."""
    return " ".join(visible(text, _LONGEST).split())


def _expected(known: Mapping[str, Any]) -> int | None:
    """How many should have come: of a list that was asked for from the middle on, only the rest."""
    total, skipped = known["total"], known["skipped"]
    return None if total is None or skipped is None else max(0, total - skipped)


def _is_unread(item: Json, item_id: Parts | None) -> bool:
    """Whether a member of a list says only that it could not be read."""
    if item is None:
        return True
    if not isinstance(item, Mapping) or not any(name in item for name in _FAULTS):
        return False
    has_id = item_id is not None and resolve(item, item_id) is not NOTHING
    own = {*_FAULTS, *(item_id or ())[:1], "@odata.id"}
    shown = sum(value not in (None, "", [], {}) for name, value in item.items() if name not in own)
    return shown == 0 or (not has_id and shown < _SHOWN)  # a job that has failed has an error of its own
