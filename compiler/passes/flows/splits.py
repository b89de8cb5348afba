"""Splitting an action by the values of an enumeration when these differ in risk: START is no STOP.

Each class of risk becomes a workflow of its own, so that approving one approves nothing worse. The classes come from
the profile's rules with `when`, else from the words in the values (`compiler.passes.risk`).
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from compiler.ir.model import Effect, Operation
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import Context
from compiler.passes.flows.inputs.bodies import Choice, enumerations, is_action_word
from compiler.passes.flows.wording import linter as wording
from compiler.passes.flows.wording import texts
from compiler.passes.flows.wording.linter import repeated
from compiler.passes.names import words
from compiler.passes.names.paths import last_parameter
from compiler.passes.resources import orders_in_path
from compiler.passes.risk.clauses import head
from compiler.passes.risk.judging import judged
from compiler.passes.risk.texts import own_words
from compiler.passes.risk.values import class_of_word, makes
from workflow.profiles.profile import RiskRule
from workflow.risks import Risk, worst

_SILENT = {Risk.READ: "query", Risk.CHANGE: "control", Risk.DISRUPT: "interrupt", Risk.DESTROY: "destroy"}
_HOW = (("mode",), ("option",))  # of what is made, no order
_STATES = (("state",), ("status",))
_SAYING_NOTHING = frozenset({"action", "actions", "set_state", "set_status", "update_state", "update_status"})
IN_PATH = "path."  # before the name of a parameter, where a value of the address is chosen
_JOINED = 3  # more values than this make a name nobody reads


@dataclass(frozen=True, slots=True)
class Split:
    """One class of an action's values. `verb` names the workflow; in words: `does`, the thing, then `which` values."""

    choice: Choice
    risk: Risk
    verb: str
    does: str
    which: str


def splits_of(context: Context, operation: Operation) -> tuple[Split, ...]:
    """The parts in rising order of risk; empty when nothing has to be split."""
    builder = Builder(context, operation)
    forced = forced_split(context, operation)
    if forced:
        return forced
    body = operation.body
    if operation.method in ("PUT", "PATCH") and body is not None and context.schemas.element(body.schema) is not None:
        return ()  # several things at once, each with values of its own
    if operation.method == "POST" and head(own_words(operation)) in ("create", "make"):
        return ()  # the state is that of the new thing: `POST /createjobqueue` with `{state: ENABLED}`
    is_merged = any(said.operation == operation.key for said in context.profile.overrides.merge)
    for pointer, values in enumerations(builder, operation).items():
        classes = _classes(context, operation, pointer, values)
        if len(classes) > 1 or _has_states(context, operation, pointer):
            verb = texts.verb_of(operation)
            if is_merged:
                return (Split(Choice(pointer, values), worst(classes), verb, verb, ""),)
            return tuple(
                _split(verb, pointer, part, risk)
                for risk, members in classes.items()
                for part in _by_outcome(context, operation, pointer, members)
            )
    return () if is_merged else _of_path(context, operation)


def _of_path(context: Context, operation: Operation) -> tuple[Split, ...]:
    """One part for each order that the end of the address takes: `/pods/{id}/{action}`, which boots or shuts down."""
    values = orders_in_path(operation, context.schemas)
    name = last_parameter(operation.path) if values else ""
    risks = {value: _risk_in_path(context, operation, name, value) for value in values}
    return tuple(_split("action", f"{IN_PATH}{name}", [value], risk) for value, risk in risks.items())


def _risk_in_path(context: Context, operation: Operation, name: str, value: Any) -> Risk:
    """The class of the operation as if its address took nothing but this value; what the profile says stands."""
    if any(
        r.operation == operation.key or (r.pattern and _applies(r.pattern, operation)) for r in context.profile.risks
    ):
        return operation.risk or Risk.CHANGE
    alone = tuple(replace(p, schema={"enum": [value]}) if p.name == name else p for p in operation.parameters)
    told = judged(replace(operation, parameters=alone), Effect.ACT, context.schemas, is_readable=False).risk
    return worst((told, class_of_word(value) or Risk.CHANGE, Risk.CHANGE))


def split_of(context: Context, operation: Operation, pointer: str, value: Any) -> Split:
    """The part of an operation that does what one value says, called by the value alone."""
    return _split("action", pointer, [value], risk_of_value(context, operation, pointer, value))


def value_is_done(value: Any) -> bool:
    """Whether a value is a word for something that is done, and no kind of thing."""
    said = words.split(str(value))
    return bool(said) and (said[0] in wording.KNOWN_VERBS or said[-1] in wording.KNOWN_VERBS)


def forced_split(context: Context, operation: Operation) -> tuple[Split, ...]:
    """One part a value where the profile's overrides ask for it; empty where they don't or there are no values."""
    said = next((s for s in context.profile.overrides.split if s.operation == operation.key), None)
    body = operation.body
    values = context.schemas.values(context.schemas.at(body.schema, said.member)) if said and body else ()
    if said is None or not values:
        return ()
    risks = {value: class_of_value(context, operation, said.member, value) for value in values}
    verb = texts.verb_of(operation)
    return tuple(_split(verb, said.member, [value], risk) for value, risk in risks.items())


def class_of_value(context: Context, operation: Operation, pointer: str, value: Any) -> Risk:
    """Like `risk_of_value`; the operation's own class where the member does not decide what happens."""
    decides = bool(_rules(context, operation, pointer)) or is_action_word(pointer)
    return risk_of_value(context, operation, pointer, value) if decides else operation.risk or Risk.CHANGE


def _by_outcome(context: Context, operation: Operation, pointer: str, values: list[Any]) -> list[list[Any]]:
    """Values that lead to the same state in the same way stay together: one workflow has one outcome."""
    moves = [m for rule in context.profile.states for m in rule.transitions if m.operation == operation.key]
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for value in values:
        own = [m for m in moves if m.when.get(pointer) == value]
        outcome = tuple(sorted({(m.to, m.to in m.from_states) for m in own}))
        groups.setdefault(outcome, []).append(value)
    return list(groups.values())


def _has_states(context: Context, operation: Operation, pointer: str) -> bool:
    return any(
        move.operation == operation.key and pointer in move.when
        for rule in context.profile.states
        for move in rule.transitions
    )


def _classes(context: Context, operation: Operation, pointer: str, values: tuple[Any, ...]) -> dict[Risk, list[Any]]:
    if not _rules(context, operation, pointer) and not is_action_word(pointer):
        return {}
    if not _rules(context, operation, pointer) and words.split(pointer)[-1:] in _HOW and makes(operation):
        return {}
    told = {value: risk_of_value(context, operation, pointer, value) for value in values}
    return {risk: [v for v in values if told[v] is risk] for risk in Risk if risk in told.values()}


def risk_of_value(context: Context, operation: Operation, pointer: str, value: Any) -> Risk:
    """The class of the operation when the body's member at `pointer` has this value."""
    rules = _rules(context, operation, pointer)
    rule = next((r for r in rules if value in r.when[pointer]), None)
    if rule is not None:
        return Risk(rule.risk)
    said = class_of_word(value)
    return worst((said or Risk.CHANGE, _floor(context, operation, is_known=said is not None and not rules)))


def _rules(context: Context, operation: Operation, pointer: str) -> list[RiskRule]:
    exact = [r for r in context.profile.risks if r.operation == operation.key and pointer in r.when]
    wide = [r for r in context.profile.risks if r.pattern and pointer in r.when and _applies(r.pattern, operation)]
    return exact + wide


def _applies(pattern: str, operation: Operation) -> bool:
    return re.search(pattern, operation.key) is not None


def _floor(context: Context, operation: Operation, *, is_known: bool) -> Risk:
    """The least class of a value: the operation's own, unless the value is a word of its own that says less (`start`).

    Words in a value never make harmless what the profile or the operation's own words call destroying.
    """
    rules = context.profile.risks
    if any(r.operation == operation.key or (r.pattern and _applies(r.pattern, operation)) for r in rules if not r.when):
        return operation.risk or Risk.CHANGE
    effect = operation.effect or Effect.ACT
    own = judged(operation, effect, context.schemas, is_readable=True, by_values=False).risk
    return Risk.CHANGE if is_known and own is not Risk.DESTROY else own


def _split(verb: str, pointer: str, values: list[Any], risk: Risk) -> Split:
    """The verb of one class: the value itself where the path's verb says nothing, else verb and value or class."""
    choice = Choice(pointer, tuple(values))
    said = " or ".join(words.spoken(str(v).lower() if str(v).isupper() else str(v)) for v in values)
    is_short = len(values) <= _JOINED and not repeated(words.split(said))
    done = _done(said) if words.split(pointer)[-1:] in _STATES else ""
    if done:  # `state: Paused` pauses it
        return Split(choice, risk, done, done, "")
    if words.snake(verb) in _SAYING_NOTHING:
        named = said if is_short else _SILENT[risk]
        return Split(choice, risk, named, named, "")
    if is_short:
        return Split(choice, risk, f"{verb} {said}", verb, f": {said}")
    return Split(choice, risk, f"{verb} {risk.value}", verb, f" ({risk.value})")


def _done(state: str) -> str:
    """`pause` for `paused`, `stop` for `stopped`: the verb that brings into a state; "" where the word has none."""
    stem = state.lower().removesuffix("d")
    forms = (stem, stem.removesuffix("e"), stem.removesuffix("e")[:-1])
    return next((form for form in forms if stem != state.lower() and form in wording.KNOWN_VERBS), "")
