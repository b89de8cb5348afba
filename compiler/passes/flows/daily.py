"""How daily what a flow does is done, between 0 and 1, whatever it is done to: `ranking` weighs it with the thing.

By the intent; acts by their verb (power, snapshots, attaching: what has a life is worked with so), and a little less
what undoes another. What its list shows is described less often than listed; that something is only called otherwise
changes little. Weights by judgement.
"""

from compiler.ir.model import Flow, Resource
from compiler.passes.flows.context import Context
from compiler.passes.flows.weighing import tells
from compiler.passes.flows.wording.linter import MANNERS
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, path_of


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INTENTS = {"act": 0.4, "describe": 0.72, "find": 0.78, "create": 0.78, "update": 0.5, "delete": 0.6, "report": 0.4}
_DAILY_ACT = 0.8
_LOOKING_ON = 0.3
_SHOWN_BY_ITS_LIST = 0.15  # less
_ONLY_NAMES = 0.2  # less
_UNDOES = 0.1  # less
# What is done daily to what has a life, whatever it is called elsewhere in the address.
_DAILY = _set(
    "start stop restart reboot boot shutdown shut power poweron poweroff snapshot backup restore clone attach mount "
    "map resize expand extend grow scale assign connect exec execute acknowledge evict drain cordon migrate "
    "fail failover pull push tag rebuild apply detach unmap unmount disconnect"
)
_UNDOING = _set("detach unmap unmount disconnect")
# What these do needs something that it is done with: without a body `attach` looks on, and `resize` is of a window.
_WITH_SOMETHING = _set(
    "attach mount map assign connect detach unmap unmount disconnect apply resize expand extend grow scale"
)
_WITH_VERBS = frozenset({"on", "off", "over", "up", "down", "to", "from", "of", "and", "out", "in", "a", "an", "the"})
# What a thing is: changing it makes the thing larger or smaller.
_SIZES = _set("type size flavor flavour plan tier class shape")
_CHANGING = _set("change modify set")
_NAMES = _set("name label labels tag tags description comment comments title alias note notes annotations")


def how_daily(context: Context, flow: Flow, resource: Resource | None) -> float:
    """How often it is done, by what the flow says and what `resource` it is about."""
    if flow.intent == "act":
        return _of_act(context, flow, resource)
    if flow.intent == "create" and resource is not None and words.singular(resource.noun) in _DAILY:
        return _DAILY_ACT  # `POST /snapshots`
    if flow.intent in ("report", "describe") and resource is not None and tells(resource):
        return _INTENTS["find"]
    if flow.intent == "report" and words.split(flow.title)[:1] == ("describe",):  # `GET /containers/{id}/json`
        return _INTENTS["describe"]
    is_search = flow.intent == "report" and words.split(flow.title)[:1] == ("search",)
    is_search = is_search and not any(r.list for r in context.by_noun.get(resource.noun if resource else "", ()))
    value = _INTENTS.get("find" if is_search else flow.intent, 0.4)
    if flow.intent == "describe" and resource is not None and _is_shown_by_its_list(resource):
        return value - _SHOWN_BY_ITS_LIST
    return value - _ONLY_NAMES if flow.intent == "update" and _says_only_names(context, flow) else value


def _of_act(context: Context, flow: Flow, resource: Resource | None) -> float:
    said = _without_manner(words.split(flow.title))
    if resource is not None and _is_daily(context, flow, resource):
        return _DAILY_ACT - (0 if _UNDOING.isdisjoint(said[:1]) else _UNDOES)
    if said[:1] == ("create",) and words.split(last_word(path_of(flow.goal)))[:1] == ("create",):
        return _INTENTS["create"]  # `POST /networks/create`
    return _LOOKING_ON if _is_with_nothing(context, flow) else _INTENTS["act"]


def _is_daily(context: Context, flow: Flow, resource: Resource) -> bool:
    """`Reboot server` and `Attach server to network`, where there are networks; not `Reset password`."""
    verb, *rest = [words.singular(word) for word in _without_manner(words.split(flow.title))] or [""]
    own = words.singulars(resource.name)
    about = tuple(word for word in rest if word not in own | _WITH_VERBS)
    if verb in _CHANGING and about and about[0] in _SIZES and len(about) == 1:
        return True
    if verb not in _DAILY or _is_with_nothing(context, flow):
        return False
    return not about or any(about == words.split(r.name) for r in context.api.resources if r.create)


def _without_manner(said: tuple[str, ...]) -> tuple[str, ...]:
    """`reboot host` of `clean reboot host`, `start host` of `start or resume host`."""
    said = said[1:] if said[:1] and said[0] in MANNERS else said
    return _without_manner(said[:1] + said[3:]) if said[1:2] == ("or",) else said


def _is_with_nothing(context: Context, flow: Flow) -> bool:
    """Whether what needs something to be done with is done without: `POST /containers/{id}/attach` looks on."""
    begins = not _WITH_SOMETHING.isdisjoint(words.split(flow.title)[:1])
    return begins and context.operations[flow.goal].body is None


def _is_shown_by_its_list(resource: Resource) -> bool:
    """Whether a list has the things themselves, of which a caller chooses by any member."""
    return bool(resource.list and resource.read and not resource.references)


def _says_only_names(context: Context, flow: Flow) -> bool:
    """Whether an update sets nothing but what the thing is called and described by."""
    body = context.operations[flow.goal].body
    members = context.schemas.members(body.schema) if body else {}
    return bool(members) and all(not _NAMES.isdisjoint(words.split(name)[-1:]) for name in members)
