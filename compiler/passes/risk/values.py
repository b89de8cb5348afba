"""What the body and the query of an operation let a caller order: a power state, an action by its name, a switch.

Names of members and values of enumerations are read with the words of `lexicon`. A policy for later (`onFailure`,
`restartPolicy`) orders nothing, and what is only made with certain members is not acted upon by them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from compiler.ir.model import Effect, Operation, Schema
from compiler.ir.schemas import SharedSchemas
from compiler.passes.names import words
from compiler.passes.names.paths import last_word, parameter_of, segments
from compiler.passes.risk import lexicon
from compiler.passes.risk.clauses import Deed, deeds, head, tokens_of_name, tokens_of_text
from workflow.documents.operations import SAFE_METHODS
from workflow.risks import Risk, worst

_POWER = frozenset(
    {"power", "powered", "poweredon", "poweron", "powerstate", "targetpowerstate", "desiredpowerstate",
     "requestedpowerstate", "newpowerstate", "powercontrol", "poweraction", "powerstatus"}
)  # fmt: skip
_TARGET = frozenset({"targetstate", "desiredstate", "requestedstate", "runstate", "newstate", "desiredstatus",
                     "targetstatus", "requestedstatus", "runningstate"})  # fmt: skip
_LINES = (frozenset({"online", "offline"}), frozenset({"up", "down"}))  # what a `state` may be brought to
_ORDERS = frozenset({"action", "command", "cmd", "operation", "op", "verb", "request", "signal", "control"})
_ORDERED_BY_PATH = frozenset({"action", "command", "cmd", "operation", "op", "verb"})
_HTTP = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})  # how a hook is called later
_DOING = frozenset({"run", "execute", "perform", "do", "invoke", "trigger"})  # before the name of what is done
_KINDS = frozenset({"type", "mode", "option", "method", "state", "status", "target"})
_LATER = frozenset({"on", "failure", "error", "default", "policy", "protection"})
_LIFECYCLE = frozenset({"reboot", "restart", "shutdown", "poweroff", "stop", "reset", "powercycle", "halt", "suspend"})
_BACK = tuple((word,) for word in ("restore", "rollback", "revert"))
_FROM = frozenset({"from", "to", "snapshot", "backup", "source", "id", "name", "uuid", "point"})
_IF_TRUE = re.compile(r"(?:if|when)(?: set to| this is| it is)? true, (?:this |it )?([a-z]+)\b", re.IGNORECASE)
_DONE_TO = frozenset({"action", "actions", "command", "commands", "cmd", "operation", "operations", "task", "tasks",
                      "control", "request", "requests", "state", "states", "power"})  # fmt: skip


def class_of_word(value: Any) -> Risk | None:
    """The class of one value by its words; CHANGE where they say that something begins, None where they say nothing."""
    said = tokens_of_name(str(value))
    known = lexicon.FORMS_OF_ACTIONS
    is_order = head(said) in known or (said[-1:] and said[-1] in known)  # `FullPowerCycle`, not `LastCrashScreen`
    found = [deed.risk for deed in deeds(said, known)] if is_order else []
    found += [Risk.DISRUPT] if not lexicon.OFF.isdisjoint(said) and lexicon.ON.isdisjoint(said) else []
    begins = not lexicon.ON.isdisjoint(said) or head(said) in lexicon.PLAIN_FORMS
    return worst(found) if found else (Risk.CHANGE if begins else None)


def is_named_as_order(name: str) -> bool:
    """True for `action`, `powerCommand`: the value says what is to be done."""
    return not _ORDERS.isdisjoint(words.split(name)[-1:])


def ordered(operation: Operation, effect: Effect, schemas: SharedSchemas) -> Iterator[Deed]:
    """What the caller can order by the members of the body and by the query."""
    orders = _alternatives(operation, schemas) if effect is Effect.ACT else frozenset()
    for name, member in _members(operation, schemas):
        yield from _of_member(operation, effect, name, member, schemas)
        yield from _orders_in_list(schemas.element(member), schemas)
        if name in orders:
            yield from deeds(tokens_of_name(name))
    yield from _of_alternatives(operation, effect, schemas)
    yield from _of_membership(operation, effect, schemas)
    for parameter in operation.parameters:
        is_form = parameter.name.lower() == "format"  # in which it is answered, and no order to format anything
        if parameter.location == "query" and not is_form:
            yield from _of_member(operation, effect, parameter.name, parameter.schema, schemas)


def ordered_by_path(operation: Operation, schemas: SharedSchemas) -> Iterator[Deed]:
    """What the caller can order by a part of the address: `/vms/{id}/{action}`, `/vms/{id}/state/{state}`.

    Where no values are told, whatever is sent is done; the things of a collection (`/actions/{action}`) order nothing.
    """
    parts = segments(operation.path)
    by_name = {each.name: each.schema for each in operation.parameters if each.location == "path"}
    for at, part in enumerate(parts[1:], 1):
        name = parameter_of(part)
        said = words.split(name)
        values = tuple(v for v in schemas.values(by_name.get(name)) if isinstance(v, str))
        noun = words.singular((words.split(parts[at - 1]) or ("",))[-1])
        is_order = said[-1:] != () and said[-1] in _ORDERED_BY_PATH and noun not in said
        is_state = at == len(parts) - 1 and bool(values) and operation.method not in SAFE_METHODS
        if values and (is_order or is_state):
            yield from _of_values(name, values)
        elif is_order and (bool(parameter_of(parts[at - 1])) or parts[at - 1].lower() in _DOING):
            yield Deed(name, Risk.DISRUPT, "whatever is sent is done")


def names_choices(operation: Operation, schemas: SharedSchemas) -> bool:
    """Whether all that can be ordered is named: by an enumeration, or by members that are orders themselves."""
    return any(schemas.values(member) or _is_order(name) for name, member in _members(operation, schemas))


def members_of(operation: Operation, schemas: SharedSchemas) -> Mapping[str, Schema]:
    """The members of the body, or of its elements, those of all its alternatives included."""
    if operation.body is None:
        return {}
    return schemas.offered(schemas.element(operation.body.schema) or operation.body.schema)[0]


def _alternatives(operation: Operation, schemas: SharedSchemas) -> frozenset[str]:
    """The members by which a body is one of several orders: `{"forceDelete": null}` or `{"reboot": …}`."""
    required = [frozenset(schemas.required(option)) for option in _options(operation, schemas)]
    return frozenset().union(*required) - frozenset.intersection(*required) if len(required) > 1 else frozenset()


def _members(operation: Operation, schemas: SharedSchemas) -> Iterator[tuple[str, Schema]]:
    """Those that can be sent, and those right inside objects."""
    for name, member in members_of(operation, schemas).items():
        yield name, member
        if schemas.kind(member) == "object" and not member.get("readOnly"):
            yield from schemas.members(member).items()


def _options(operation: Operation, schemas: SharedSchemas) -> tuple[Schema, ...]:
    """The alternatives of the body."""
    return schemas.choice(schemas.flat(operation.body.schema if operation.body else None))[1]


def _of_alternatives(operation: Operation, effect: Effect, schemas: SharedSchemas) -> Iterator[Deed]:
    """What each alternative of a body orders by a member that the others have with other values: `type: detach`."""
    for option in _options(operation, schemas) if effect is Effect.ACT else ():
        for name, member in schemas.members(option).items():
            if schemas.values(member):
                yield from _of_member(operation, effect, name, member, schemas)


def _of_membership(operation: Operation, effect: Effect, schemas: SharedSchemas) -> Iterator[Deed]:
    """Whether a server takes part in what it is a member of: a switch at its one address, a mode like `standalone`.

    Members themselves, and clusters in a list, are things of their own.
    """
    parts = segments(operation.path)
    own = [part for part in parts if not lexicon.STANDING.issuperset(tokens_of_name(part))][-1:]
    about = frozenset(() if not own or parameter_of(own[0]) else tokens_of_name(own[0])[-1:])
    if effect is Effect.CREATE or about.isdisjoint(lexicon.MEMBERSHIP | lexicon.STANDBY):
        return
    for name, member in members_of(operation, schemas).items():
        said = frozenset(words.split(name))
        values = frozenset(str(value).lower() for value in schemas.values(member))
        is_switch = schemas.kind(member) == "boolean" and said <= lexicon.MEMBER_OR_NOT
        if is_switch or (values and not values.isdisjoint(lexicon.ALONE)):
            if about <= lexicon.STANDBY:
                yield Deed(name, Risk.DISRUPT, "nothing takes over any more")
            else:
                yield Deed(name, Risk.DESTROY, "a server that is taken out of it begins anew")


def _orders_in_list(element: Schema | None, schemas: SharedSchemas) -> Iterator[Deed]:
    """What each of several orders in one request may be: `{actions: [{action: delete, …}]}`, in all alternatives."""
    found = schemas.flat(element) if element is not None else {}
    _, options, _ = schemas.choice(found)
    for option in (options or (found,)) if schemas.kind(element) in ("object", "") else ():
        for name, member in schemas.members(option).items():
            resolved = schemas.resolve(member)
            values = schemas.values(member) or (resolved.get("const"),)
            if is_named_as_order(name):
                yield from _of_values(name, tuple(value for value in values if isinstance(value, str)))


def _of_member(
    operation: Operation, effect: Effect, name: str, member: Schema, schemas: SharedSchemas
) -> Iterator[Deed]:
    if schemas.is_read_only(member):
        return
    resolved = schemas.resolve(member)
    values = tuple(v for v in schemas.values(schemas.element(member) or member) if isinstance(v, str))
    joined = words.joined(name)
    is_line = joined == "state" and any(line <= {value.lower() for value in values} for line in _LINES)
    if joined in _POWER | _TARGET or is_line:
        yield from _of_state(effect, name, values, schemas.kind(member))
    elif values and _orders(operation, effect, name, values):
        yield from _of_values(name, values)
    elif effect is Effect.UPDATE and schemas.kind(member) == "string" and goes_back(name):
        yield Deed(name, Risk.DESTROY, "what was written since is lost")
    elif effect is Effect.UPDATE and schemas.kind(member) == "boolean" and _when_true(resolved, member):
        said = _when_true(resolved, member)[0]
        yield Deed(f"{name}: true {said.said}", said.risk, said.why)
    elif schemas.kind(member) in ("boolean", "object", "") and _is_switch(operation, effect, name):
        if name != "format" or schemas.kind(member) == "boolean":  # an object tells how something looks
            said = next(deeds(_ordered_words(name)))
            yield Deed(f"{name}", said.risk, said.why)
    elif schemas.kind(member) == "boolean" and says_that_data_are_lost(tokens_of_name(name)):
        yield Deed(name, Risk.DESTROY, "data may be lost")


def goes_back(name: str) -> bool:
    """`restore: snap0` of an update brings back what was, over what is; `restore_policy` does nothing now."""
    said = tokens_of_name(name)
    return said[:1] in _BACK and (len(said) == 1 or said[1] in _FROM)


def _when_true(*schemas: Schema) -> list[Deed]:
    """What a switch does by its own description, and by no word of its name: “If set to `true`, destroys a volume.”"""
    texts = [schema.get("description") for schema in schemas]
    told = [_IF_TRUE.match(" ".join(re.sub(r"[`*]", "", text).split())) for text in texts if isinstance(text, str)]
    verbs = [found[1].lower() for found in told if found is not None]
    known = [lexicon.FORMS[verb] for verb in verbs if verb in lexicon.STRONG_FORMS]
    return [Deed(word.base, word.risk, word.why) for word in known]


def _of_state(effect: Effect, name: str, values: tuple[str, ...], kind: str) -> Iterator[Deed]:
    """What is made in a state interrupts nothing; what is brought into another may."""
    if effect is Effect.CREATE:
        return
    is_off = [value for value in values if class_of_word(value) not in (None, Risk.CHANGE)]
    if is_off or (not values and kind in ("string", "boolean", "integer") and words.joined(name) in _POWER):
        said = f"{name}: {is_off[0]}" if is_off else name
        yield Deed(said, worst(filter(None, map(class_of_word, is_off or ["off"]))), "what has no power does not serve")


def _orders(operation: Operation, effect: Effect, name: str, values: tuple[str, ...]) -> bool:
    """Whether the value says what is to be done now."""
    said = words.split(name)
    if len(said) > 1 and said[-1] == "method" and _HTTP.issuperset(value.upper() for value in values):
        return False
    if not said or not _LATER.isdisjoint(said) or not lexicon.STANDING.isdisjoint(set(said) - _KINDS):
        return False
    place = set(words.split(last_word(operation.path)))
    is_made = effect is Effect.CREATE or head(tokens_of_text(operation.summary)) in words.MAKING
    if is_made and place.isdisjoint(_DONE_TO - {"power", "state", "states"}):
        return False
    is_order = said[-1] in _ORDERS
    lives = any(not _LIFECYCLE.isdisjoint(tokens_of_name(value)) for value in values)
    if effect is Effect.UPDATE or effect is Effect.READ:
        return (is_order and lives) or (said[-1] in _KINDS and lives and not place.isdisjoint(_DONE_TO))
    verbs = sum(1 for value in values if class_of_word(value) is not None and not value.lower().endswith("ing"))
    turns_off = any(value.lower() == "off" for value in values) and place.isdisjoint(lexicon.WATCHED)
    return is_order or 2 * verbs > len(values) or (said[-1] in _KINDS and (lives or turns_off))


def _of_values(name: str, values: tuple[str, ...]) -> Iterator[Deed]:
    for value in values:
        risk = class_of_word(value)
        if risk in (Risk.DISRUPT, Risk.DESTROY):
            yield Deed(f"{name}: {value}", risk, "one of its values says so")


def makes(operation: Operation) -> bool:
    """Whether its text begins with a verb of making: how a backup is made (`mode: stop`) is no deed of its own."""
    summary = operation.summary if operation.summary != operation.name else ""  # which says nothing more
    said = head(tokens_of_text(summary or operation.description))
    return said in words.MAKING or said.removesuffix("s") in words.MAKING  # “Creates or updates a drive”


def says_that_data_are_lost(said: tuple[str, ...]) -> bool:
    """`allowDataLoss`, and not `preventDataLoss`."""
    return not lexicon.LOST.isdisjoint(said) and lexicon.AGAINST.isdisjoint(said)


def _ordered_words(name: str) -> tuple[str, ...]:
    said = tokens_of_name(name)
    return said[1:] if said[:2] == ("allow", "overwrite") else said


def _is_order(name: str) -> bool:
    said = _ordered_words(name)
    return head(said) in lexicon.SWITCHES and (len(said) == 1 or said[1] not in lexicon.STANDING)


def _is_switch(operation: Operation, effect: Effect, name: str) -> bool:
    """A member that does something when it is true: `reboot`, or an action's own `{"os-stop": null}`."""
    said = _ordered_words(name)
    place = set(tokens_of_name(last_word(operation.path)))
    if effect is Effect.CREATE or not place.isdisjoint(lexicon.STANDING) or not any(deeds(said)):
        return False
    is_action = not place.isdisjoint({"action", "actions", "command", "operation"}) and effect is Effect.ACT
    plain = [token for token in said if token not in lexicon.ADVERBS]
    return is_action or (_is_order(name) and set(plain[1:]) <= lexicon.ORDERED)
