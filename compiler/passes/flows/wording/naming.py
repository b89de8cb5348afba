"""Names and titles that a person would accept: what the linter (`wording`) finds at fault is worded anew.

Before: flows as the planner named them. After: the same flows; whose wording was at fault has one out of its summary,
its operation's id or its method and address, whichever first passes; who says the same as another one also says what
of its address the other does not have. A wording without fault stays as it is. Names follow titles.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from compiler.ir.model import Flow, Operation
from compiler.passes.flows.context import Context
from compiler.passes.flows.wording import linter as wording
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.compared import is_in_order, is_kept, says_more, says_plainly
from compiler.passes.flows.wording.ids import (
    GENERAL,
    MOST_TITLE_WORDS,
    done_to,
    from_id,
    from_within_id,
    fuller,
)
from compiler.passes.flows.wording.initials import initials_of, spelled
from compiler.passes.flows.wording.own_verbs import beginning, with_own_verb
from compiler.passes.flows.wording.summaries import base_of, from_summary, verb_of_text
from compiler.passes.names import words
from compiler.passes.names.paths import (
    ends_in_parameter,
    is_pass_through,
    item_prefixes,
    last_word,
    parameter_of,
    path_of,
    segments,
    shape,
)
from compiler.passes.names.told_apart import is_by_place, told_apart
from compiler.passes.versions import is_version
from workflow.documents.path_queries import address_of

_METHOD_VERBS = {
    "GET": "get", "POST": "run", "PUT": "replace", "PATCH": "change", "DELETE": "remove", "QUERY": "query",
    "HEAD": "check",
}  # fmt: skip
_BETWEEN = frozenset({"of", "to", "from", "for"})
_TOWARDS = frozenset({"from", "to", "with", "into"})
_TELLING = frozenset({"list", "show", "query", "search", "find", "describe", "count", "return", "retrieve", "fetch"})
_FILLING = frozenset(
    words.split(
        "several multiple existing specific current given one more set level information details definition entity s"
    )
)
_VAGUE = frozenset({"info", "details", "data", "status"})
_SHORT = 3  # letters
_DOUBLED = re.compile(r"\b([a-z]+)(?: \1\b)+")
_SHOWING = (("show",), ("list",), ("shows",), ("lists",))
_TAKING_OUT = frozenset({"remove", "detach", "unassign", "dissociate", "disassociate", "unlink", "revoke", "dismiss"})
# How things end that are not deleted by it, or not before all else.
_ENDING = frozenset(
    words.split(
        "clear cancel revoke disable revert reset unregister deregister invalidate release stop abort unlock unset "
        "terminate expire dismiss deactivate unsubscribe unblock unban unpublish uninstall"
    )
)
_WRITING = frozenset(
    words.split(
        "update updates replace set sets change modify modifies edit put patch save configure create write partial "
        "alter adjust reconfigure upsert overwrite rename add register enable disable manage define use return"
    )
)  # what an update does anyway
_SILENT = frozenset({"api", "rest", "v1", "v2", "v3", "platform", "actions", "action", "oem", "lifecycle"})


def _verb_of(method: str) -> str:
    """What a method does; one that no standard knows is the vendor's own word for it."""
    return _METHOD_VERBS.get(method, method.lower())


def worded(context: Context, flows: Sequence[Flow], kept: frozenset[str]) -> list[Flow]:
    """The flows, whose ids may be equal before and are not afterwards. `kept`: ids that a person has chosen."""
    goals = Counter(flow.goal for flow in flows)
    mended = [flow if flow.id in kept else _mended(context, flow, is_only=goals[flow.goal] == 1) for flow in flows]
    for _ in range(3):  # a word more may meet another title; three rounds were enough for all that was seen
        if not (same := {**_alike(mended, kept), **_same_ids(mended, kept)}):
            break
        mended = [_told(context, flow, same[n]) if same.get(n) else flow for n, flow in enumerate(mended)]
    initials = initials_of(context.api)
    return [spelled(_described(_of_one(context, flow)), initials) for flow in mended]


def _of_one(context: Context, flow: Flow) -> Flow:
    """`Find actions of one load balancer` for `Find own load balancer actions`: names are short, titles clear."""
    resource = next((r for r in context.by_noun.get(flow.resource, ()) if flow.goal in (r.list, r.read)), None)
    owner = context.by_address.get(resource.parent) if resource is not None else None
    if resource is None or owner is None or not resource.name.startswith(f"own {owner.name} "):
        return flow
    thing = resource.name.removeprefix(f"own {owner.name} ")
    one, many = f"{thing} of one {owner.name}", f"{words.plural(thing)} of one {owner.name}"
    names = ((words.plural(resource.name), many), (f"{texts.an(resource.name)}", texts.an(one)), (resource.name, one))
    title, description = flow.title, flow.description
    for old, new in names:
        title, description = title.replace(old, new), description.replace(old, new)
    return replace(flow, title=title, description=description)


def _told(context: Context, flow: Flow, said: str) -> Flow:
    """With the words that tell it apart, unless its wording is at fault with them; the others have theirs."""
    wanted = _with_words(context, flow, said)
    was_fine = not any(wording.title_faults(flow, context.api.name))
    return flow if was_fine and any(wording.title_faults(wanted, context.api.name)) else wanted


def _described(flow: Flow) -> Flow:
    """With the title as its first sentence where that of the description is at fault, or says less well the same.

    A word that stands twice in a row stands once.
    """
    flow = replace(flow, description=_DOUBLED.sub(r"\1", flow.description))
    if not any(wording.description_faults(flow)) and not _says_twice(flow):
        return flow
    return replace(flow, description=beginning(flow, flow.title))


def _says_twice(flow: Flow) -> bool:
    """Whether the description begins as the title does, and says something twice that the title says once."""
    first = wording.first_of(flow.description)
    said, titled = wording.weight(first.partition(" (")[0]), wording.weight(flow.title)
    is_alike = said[:1] == titled[:1] or said[:1] in _SHOWING
    is_alike = is_alike and len(said) <= MOST_TITLE_WORDS and set(said) <= {*titled, *said[:1]}
    return is_alike and len({*said[1:]}) < len(said) - 1 and len({*titled}) == len(titled)


def _mended(context: Context, flow: Flow, *, is_only: bool) -> Flow:
    api = context.api.name
    operation = context.operations[flow.goal]
    if any(wording.title_faults(flow, api)):
        titles = (_titled(context, flow, title) for title in _titles(flow, operation, is_only=is_only))
        fine = (wanted for wanted in titles if not any(wording.title_faults(wanted, api)))
        flow = next(fine, None) or _titled(context, flow, _plain_title(flow, operation))
    if is_only and not _is_of_values(flow):
        flow = _said_by_id(context, _saying_more(context, flow, operation), operation)
        told = with_own_verb(flow, operation)
        wanted = _named(context, told) if told is not flow else flow
        flow = flow if any(wording.title_faults(wanted, api)) else wanted
    return _named_as_titled(context, flow)


def _named_as_titled(context: Context, flow: Flow) -> Flow:
    """`take_vm_coredump` for `set_vm_coredump`: the method's word gives way to what the title says is done."""
    api = context.api.name
    verb = words.split(flow.id.removeprefix(f"{words.of_api(api)}_"))[:1]
    is_thing = ends_in_parameter(path_of(flow.goal))  # where nothing but the method says `submit`
    plain = GENERAL | _WRITING if verb == ("set",) else GENERAL if verb == ("submit",) and is_thing else None
    if flow.intent != "act" or plain is None or words.split(flow.title)[0] in plain:
        return flow
    named = _named(context, flow)
    return flow if any(wording.name_faults(named.id, path_of(flow.goal), api)) else named


def _saying_more(context: Context, flow: Flow, operation: Operation) -> Flow:
    """Under its summary where that says what is done (`Export images` for `Get image`), or with what (`… from …`)."""
    if flow.intent not in ("act", "report", "create", "describe", "delete", "update"):
        return flow
    verb, *rest = words.split(flow.title)
    body = operation.body.schema if operation.body is not None else None
    element = context.schemas.element(body) or body
    named = (*context.schemas.members(element), context.schemas.component(element))
    about = frozenset(word for name in (*named, context.api.name) for word in words.split(name))
    for title in from_summary(operation, about | _FILLING):
        said = words.split(title)
        is_other = verb in GENERAL and said[0] not in GENERAL | _TELLING
        if flow.intent == "update":  # `Queue image` for `PUT /cache/{image_id}`
            is_other = verb in ("update", "replace", "add") and said[0] not in _WRITING
        if flow.intent == "delete":  # `Remove a repository from a team`, which stays; `Delete image from cache`
            is_other = "from" in said and (said[0] in _TAKING_OUT or is_kept(rest, said))
        if flow.intent == "create":  # what belongs to something is added to it, and is no new thing
            is_other = said[0] == "add" and "to" in said
        if flow.intent in ("describe", "report") and rest[-1:]:  # `Get info`, `Get system df`: words that say little
            is_vague = rest[-1] in _VAGUE or (len(rest[-1]) < _SHORT and rest[-1] not in words.ACRONYMS)
            is_other = is_other or (is_vague and len(said) > len(rest) + 1)
        is_fuller = said[0] == verb and not _BETWEEN & {*rest} and bool(_TOWARDS & {*said})
        is_fuller = (is_fuller and flow.intent not in ("delete", "update")) or (
            flow.intent in ("act", "describe", "report") and says_more(rest, verb, said)
        )
        is_fuller = is_fuller or (flow.intent == "report" and says_plainly(rest, verb, said))
        is_ordered = flow.intent == "act" and said[0] == verb and is_in_order(rest, said[1:])
        # `Unseal the Vault` for `Unseal sys`: the part of the address is no word of who describes it.
        is_instead = flow.intent == "act" and said[0] == verb and {*rest}.isdisjoint(said)
        wanted = replace(flow, title=texts.opened(title))
        if flow.intent in ("delete", "update"):
            wanted = replace(wanted, description=beginning(flow, wanted.title))
        wanted = _named(context, wanted) if is_ordered else wanted
        if (is_other or is_fuller or is_instead or is_ordered) and not any(
            wording.title_faults(wanted, context.api.name)
        ):
            return wanted
    if flow.intent == "delete":
        return _ended(context, flow, operation)
    if flow.intent == "act" and verb == "submit" and ends_in_parameter(operation.path):
        return _done_by_sending(context, flow, operation)
    return _done_by_reading(context, flow, operation)


def _said_by_id(context: Context, flow: Flow, operation: Operation) -> Flow:
    """Under the operation's id, where that says more: of what is done, and of reads that are of no collection."""
    resource = next((r for r in context.by_noun.get(flow.resource, ()) if flow.goal in (r.list, r.read)), None)
    is_managed = resource is not None and bool((resource.list and resource.id_parameter) or resource.delete)
    title = fuller(flow.title, operation)
    is_named = flow.resource in context.profile.vocabulary  # by a person, who has the last word
    if not title or is_managed or is_named or flow.intent not in ("act", "report", "find", "describe"):
        return flow
    wanted = _named(context, replace(flow, title=texts.opened(title)))
    is_fine = not any(wording.title_faults(wanted, context.api.name))
    return wanted if is_fine and not any(wording.name_faults(wanted.id, path_of(flow.goal), context.api.name)) else flow


def _done_by_sending(context: Context, flow: Flow, operation: Operation) -> Flow:
    """`Rename instance` for `Submit instance`, where the text begins with what is done, and goes on too long."""
    verb = verb_of_text(operation)
    wanted = _doing(flow, verb)
    is_said = bool(verb) and verb not in GENERAL | _TELLING
    return wanted if is_said and not any(wording.title_faults(wanted, context.api.name)) else flow


def _doing(flow: Flow, verb: str) -> Flow:
    """The flow with another verb in its title."""
    return replace(flow, title=texts.opened(" ".join([verb, *flow.title.split(" ")[1:]])))


def _done_by_reading(context: Context, flow: Flow, operation: Operation) -> Flow:
    """`Ping vmm` for `Get vmm ping`, where the description begins with the word at the address's end."""
    verb, *rest = words.split(flow.title)
    if (
        flow.intent not in ("describe", "report")
        or verb != "get"
        or not rest[1:]
        or verb_of_text(operation) != rest[-1]
    ):
        return flow
    wanted = _named(context, replace(flow, title=texts.opened(" ".join([rest[-1], *rest[:-1]]))))
    return flow if any(wording.title_faults(wanted, context.api.name)) else wanted


def _ended(context: Context, flow: Flow, operation: Operation) -> Flow:
    """`Cancel attempt` for `Delete attempt`, where the description's first word is one for how something ends.

    The verb alone is taken over, so that no prose comes into titles; the class stays that of a deletion.
    """
    verb = verb_of_text(operation)
    wanted = _doing(flow, verb)
    if verb not in _ENDING or " " not in flow.title or any(wording.title_faults(wanted, context.api.name)):
        return flow
    said = texts.purpose(operation)
    return replace(_named(context, wanted), description=beginning(flow, said.rstrip(".") or wanted.title))


def _titled(context: Context, flow: Flow, title: str) -> Flow:
    """Under the title; its name follows where it is at fault itself."""
    titled = replace(flow, title=texts.opened(title))
    is_fine = not any(wording.name_faults(flow.id, path_of(flow.goal), context.api.name))
    return titled if is_fine and _begins_with_verb(context, titled) else _named(context, titled)


def _begins_with_verb(context: Context, flow: Flow) -> bool:
    """False for a name whose first word is a noun here, though it can be a verb: `power_outlet_templates`."""
    first = words.split(flow.id.removeprefix(f"{words.of_api(context.api.name)}_"))[:1]
    return wording.AS_NOUNS.isdisjoint(first) or first == words.split(flow.title)[:1]


def _named(context: Context, flow: Flow, apart: str = "") -> Flow:
    """Under the name that its title makes; `apart` comes early in it, so that it is not cut off."""
    said = [w for w in words.split(flow.title) if w not in wording.EMPTY_WORDS]
    first = [w for w in words.split(apart) if w not in wording.EMPTY_WORDS]
    said = [*said[:1], *first, *(w for w in said[1:] if w not in first)]
    return replace(flow, id=texts.flow_id(context.api.name, " ".join(said), ""))


def _titles(flow: Flow, operation: Operation, *, is_only: bool) -> Iterator[str]:
    """Wordings in order of how well a person would read them."""
    plain = re.sub(r" \d+(?=$|:)", "", flow.title)
    if "/actions/" in flow.goal:
        plain = re.sub(r" (?:own|actions?)\b", "", plain)
    yield _without_repeats(plain)
    yield _verb_first(plain, _held(operation.path) | done_to(operation))
    if flow.title.startswith("Health of "):
        yield f"check {flow.title[0].lower()}{flow.title[1:]}"
    is_main = flow.intent in ("act", "report", "create", "update", "delete", "find", "describe")
    if not is_only:  # several workflows of one operation: what tells them apart stands in their titles
        yield _without_repeats(_plain_title(flow, operation))
        return
    if is_main and not _is_of_values(flow):
        yield from from_summary(operation)
        yield from from_id(operation)
        says_nothing = _verb(flow, operation) == _METHOD_VERBS["POST"]
        yield from (from_within_id(flow, operation) if says_nothing else ())
    yield _by_path(flow, operation)
    if is_main and not _is_of_values(flow):
        yield from from_within_id(flow, operation)
    yield _without_repeats(_plain_title(flow, operation))


def _is_of_values(flow: Flow) -> bool:
    """One of several workflows of one operation, told apart by what they send."""
    return ":" in flow.title or "(" in flow.title


def _without_repeats(title: str) -> str:
    """The title without words that come again: the last one stays, which names the thing; of the verb the first."""
    verb, *rest = [word for word in title.replace(":", " ").split(" ") if word]
    seen = _parts(verb)
    said: list[str] = []
    for word in reversed(rest):
        parts = _parts(word)
        if not parts or not parts <= seen:
            said.insert(0, word)
        seen |= parts
    place = 1 if said[:1] in (["all"], ["several"]) else 0
    if said[place : place + 1] and said[place] in _BETWEEN:  # what stood before it was said again behind it
        del said[place]
    return " ".join([verb, *said])


def _held(path: str) -> frozenset[str]:
    """The things of which the address names one: `/pulls/{index}` is about a pull, and nobody pulls."""
    parts = segments(path)
    held = [words.singular(a) for a, b in pairwise(parts) if parameter_of(b) and not parameter_of(a)]
    return frozenset(word for each in held for word in (each.lower(), *words.split(each)))


def _verb_first(title: str, nouns: frozenset[str] = frozenset()) -> str:
    """`System erase` is to erase the system: the first verb that harms or helps comes to the front.

    What says in which way (`smart reboot`) stays before it. `nouns`: words that are none of the verbs here.
    """
    said = [word for word in title.replace(":", " ").split(" ") if word]
    if said[0].lower() in wording.MANNERS and len(said) > 1:
        return title
    if words.split(title)[:1] == ("un",) and len(said) > 1:
        return _without_repeats(" ".join([f"un{said[1]}", *said[2:]]))
    known = wording.KNOWN_VERBS - wording.AS_NOUNS - nouns
    at = next((n for n, word in enumerate(said[:5]) if n and word in known), 0)
    first = said[0] if said[0].isupper() else said[0].lower()
    return _without_repeats(" ".join([said[at], first, *said[1:at], *said[at + 1 :]])) if at else title


def _parts(word: str) -> set[str]:
    return {words.singular(w) for w in words.split(word)} - wording.EMPTY_WORDS


def _verb(flow: Flow, operation: Operation) -> str:
    said = words.split(last_word(operation.path).rpartition(".")[2])
    is_act = operation.method == "POST" or (flow.intent == "act" and operation.method in ("PUT", "PATCH"))
    if is_act and said and base_of(said[0]) == said[0]:
        return words.spoken(last_word(operation.path).rpartition(".")[2])
    is_verb = flow.intent in ("create", "delete", "find", "describe", "update")
    if is_verb and not (flow.intent == "update" and operation.method == "PUT"):
        return flow.intent
    told = words.split(operation.summary or operation.description)[:1]
    if operation.method == "GET" and told and base_of(told[0]) == "list" and flow.intent == "report":
        return "find"
    if operation.method == "POST" and told and base_of(told[0]) not in ("", "get", "list", "read"):
        return base_of(told[0])
    return _verb_of(operation.method)


def _by_path(flow: Flow, operation: Operation) -> str:
    """`Get status of node`: the verb, the last things of the path, and whose they are."""
    verb = _verb(flow, operation)
    told = (p for p in segments(operation.path) if p.lower() not in _SILENT and not is_version(p))
    literal = [p for p in told if not parameter_of(p)]
    things = [words.spoken(words.singular(part.rpartition(".")[2])) for part in reversed(literal)]
    spoken = {words.singular(w) for w in words.split(verb)}
    fresh: list[str] = []
    for thing in (_without_verb(thing, verb, operation) for thing in things):
        parts = {words.singular(w) for w in words.split(thing)}
        if not parts & spoken and len(fresh) < 2:
            fresh.append(thing)
            spoken |= parts
    if verb == "find" and fresh:
        fresh[0] = words.plural(fresh[0])
    named = [words.spoken(words.singular(part)) for part in operation.operation_id.split(".")[-2:-1]]  # `jobs.pause`
    return f"{verb} {' of '.join(fresh or named or [flow.resource])}"


def _without_verb(thing: str, verb: str, operation: Operation) -> str:
    """`route` of `maproute`, where the text says that a route is mapped."""
    rest = thing.removeprefix(verb)
    is_joined = bool(rest) and rest != thing and not rest.startswith(" ")
    return rest if is_joined and rest in words.split(operation.summary or operation.description) else thing


def _plain_title(flow: Flow, operation: Operation) -> str:
    return f"{_verb_of(operation.method)} {flow.title[:1].lower()}{flow.title[1:]}"


def _alike(flows: Sequence[Flow], kept: frozenset[str]) -> dict[int, str]:
    """Number of the flow → the words that tell its title from those that say the same."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, flow in enumerate(flows):
        groups.setdefault(wording.weight(flow.title), []).append(number)
    names = [flow.title for flow in flows]
    return _words_apart([same for same in groups.values() if len(same) > 1], flows, names, kept)


def _same_ids(flows: Sequence[Flow], kept: frozenset[str]) -> dict[int, str]:
    groups: dict[str, list[int]] = {}
    for number, flow in enumerate(flows):
        groups.setdefault(flow.id, []).append(number)
    return _words_apart([same for same in groups.values() if len(same) > 1], flows, [flow.id for flow in flows], kept)


def _words_apart(
    groups: Sequence[Sequence[int]], flows: Sequence[Flow], names: Sequence[str], kept: frozenset[str]
) -> dict[int, str]:
    found: dict[int, str] = {}
    for group in groups:
        several = [n for n in group if _is_of_all(flows, n, group) and flows[n].id not in kept]
        found |= dict.fromkeys(several, "@several")
        same = [n for n in group if n not in several]
        if len(same) < 2:
            continue
        apart = told_apart({str(n): names[n] for n in same}, {str(n): path_of(flows[n].goal) for n in same})
        ordered = sorted(
            same, key=lambda n: (flows[n].id not in kept, len(segments(path_of(flows[n].goal))), flows[n].goal)
        )
        depths = [len(segments(path_of(flows[n].goal))) for n in ordered]
        is_told = depths[0] == depths[1] and not is_by_place(apart.get(str(ordered[0]), ""))
        is_told = is_told and not any(_is_same_place(flows, n, ordered[0]) for n in ordered[1:])
        named = ordered[0 if is_told else 1 :]
        if sorted(apart.values()) == ["any", "list"]:  # one of many and the list of them: the list alone says so
            named = [n for n in named if apart[str(n)] == "list"]
        found |= {n: apart.get(str(n), "") for n in named if flows[n].id not in kept}
        found |= {n: _by_method(flows, n, ordered[0]) for n in ordered[1:] if _is_same_place(flows, n, ordered[0])}
    return found


def _is_of_all(flows: Sequence[Flow], one: int, same: Sequence[int]) -> bool:
    """Whether it does to a collection what another one does to an item in it."""
    if ends_in_parameter(path_of(flows[one].goal)) or is_pass_through(path_of(flows[one].goal)):
        return False
    begin = address_of(path_of(flows[one].goal)).rstrip("/") + "/{"
    return any(path_of(flows[other].goal).startswith(begin) for other in same if other != one)


def _is_same_place(flows: Sequence[Flow], one: int, other: int) -> bool:
    return path_of(flows[one].goal) == path_of(flows[other].goal)


def _by_method(flows: Sequence[Flow], one: int, other: int) -> str:
    """Two methods on one address: the verb of the method tells them apart."""
    own = flows[one].goal.partition(" ")[0]
    return f"@{_verb_of(own)}" if own != flows[other].goal.partition(" ")[0] else ""


def _with_words(context: Context, flow: Flow, said: str) -> Flow:
    if said == "@several":
        verb, *things = flow.title.split(" ")
        return _named(context, replace(flow, title=" ".join([verb, "several", *things])), "several")
    if said.startswith("@"):
        rest = flow.title.split(" ")[1:] or [flow.title.lower()]
        return _named(context, replace(flow, title=texts.opened(" ".join([said[1:], *rest]))))
    owner = _owner(context, flow) if said in ("own", "list") else ""
    if owner:
        named = _named(context, replace(flow, title=_without_repeats(f"{flow.title} of own")), "own")
        return replace(named, title=_of_one_owner(flow.title, owner))
    if set(map(words.singular, words.split(said))) <= words.singulars(flow.title):
        return replace(_named(context, flow, said), title=flow.title)  # it says so already
    spoken = words.spoken(said) if said != "list" else "lists"
    between = "for" if " of " in flow.title or said == "list" else "of"
    joined = _without_repeats(f"{flow.title} {between} {spoken}")
    return _named(context, replace(flow, title=joined), said)


def _owner(context: Context, flow: Flow) -> str:
    """What the thing that the flow is about belongs to, as people call it; "" for what stands at the top."""
    path = path_of(flow.goal)
    above = [prefix for prefix, _ in item_prefixes(path) if prefix != path]
    found = context.by_item.get(shape(above[-1])) if above else None
    is_its = found is not None and segments(found.item)[:1] == segments(path)[:1]  # `/{mount}/keys` is any mount's
    return found.name if found is not None and is_its else ""


def _of_one_owner(title: str, owner: str) -> str:
    """`Find default scopes of one client`; where the title names the owner itself, `Export one image`."""
    verb, *things = [word for word in title.split(" ") if word not in ("a", "an", "the")]
    if " ".join(things) == owner:
        return f"{verb} one {owner}"
    begin, _, last = title.rpartition(" of ")
    is_said = bool(begin) and set(last.split(" ")) <= set(owner.split(" "))
    return _without_repeats(f"{begin if is_said else title} of one {owner}")
