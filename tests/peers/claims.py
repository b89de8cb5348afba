"""Whether what a call is told is true, by what the server itself shows before and after: the judge of real servers.

Pure. A `Call` says in the server's own terms what has to be so when it was carried out (`shows` at the address `at`,
or `gone`), written by hand from what the server documents; nothing here asks the product what it expects. `judged`
holds what the agent was told against two pictures of the server. Used by `tests/peers/test_claims_*.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow.json.pointers import NOTHING, parse_pointer, resolve

Json = Any
# Every address that matters, with what the server answers there; no entry: it is not there.
Picture = Mapping[str, Json]


@dataclass(frozen=True)
class Call:
    """One call of a workflow. Without `at` it is a read, or an action that leaves nothing to see (`is_traceless`)."""

    workflow: str
    inputs: Mapping[str, Json] = field(default_factory=dict)
    at: str = ""  # may name what the outputs hold: /zones/{item[id]}
    shows: Mapping[str, Json] = field(default_factory=dict)  # pointer in what stands at `at`: the value asked for
    gone: bool = False
    is_traceless: bool = False
    is_impossible: bool = False  # the server refuses it, as it should; nothing may change
    reads: Callable[[Mapping[str, Json], Picture], bool] | None = None  # outputs, picture: is what was read so?
    item: str = ""  # where in the body at `at` the thing stands that differences speak of

    def __str__(self) -> str:
        return f"{self.workflow}({', '.join(f'{name}={value}' for name, value in self.inputs.items())})"


@dataclass(frozen=True)
class Told:
    """What the client was told. The three tuples are names of steps."""

    outcome: str
    text: str = ""
    outputs: Mapping[str, Json] = field(default_factory=dict)
    verified: str = ""
    differences: Sequence[Mapping[str, Json]] = ()
    done: Sequence[str] = ()
    may_be_done: Sequence[str] = ()

    @property
    def is_good(self) -> bool:
        return self.outcome in ("succeeded", "pending")


@dataclass(frozen=True)
class Verdict:
    """`false`: claims that are not true. `unclear`: honest, and less than could be known."""

    call: Call
    told: Told
    false: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        return "false" if self.false else "unclear" if self.unclear else "true"

    def __str__(self) -> str:
        reasons = "; ".join((*self.false, *self.unclear))
        return f"{self.word:8}{self.told.outcome:10}{self.told.verified or '-':5}{self.call}" + (
            f"\n        {reasons}\n        {self.told.text[:700]}" if reasons else ""
        )


def judged(call: Call, told: Told, before: Picture, after: Picture) -> Verdict:
    """The verdict on one call."""
    return Verdict(call, told, tuple(_false(call, told, before, after)), tuple(_unclear(call, told, before, after)))


def _false(call: Call, told: Told, before: Picture, after: Picture) -> Iterator[str]:
    otherwise = _otherwise(call, told, after)
    is_changed = before != after
    if told.outcome == "succeeded" and otherwise:
        yield f"said to have succeeded, and is not so: {otherwise}"
    if call.is_impossible and told.is_good:
        yield "said to have been done, and it cannot be"
    if told.verified == "all" and otherwise:
        yield f"said to be verified, and is not so: {otherwise}"
    if told.is_good and call.reads is not None and not call.reads(told.outputs, after):
        yield f"what was read is not what the server shows: {str(dict(told.outputs))[:300]}"
    if not told.is_good:
        yield from _false_failure(call, told, otherwise, is_changed)
    if call.at:
        yield from _untrue_differences(call, told, after)


def _false_failure(call: Call, told: Told, otherwise: Sequence[str], is_changed: bool) -> Iterator[str]:
    """What an error may not say."""
    is_thought_unchanged = not told.done and not told.may_be_done
    if is_changed and is_thought_unchanged:
        yield "said that nothing was changed, and something was"
    if not is_changed and told.done and not call.is_traceless:
        yield f"said that {', '.join(told.done)} was done, and nothing has changed"
    if told.outcome in ("failed", "partial") and is_changed and _has_target(call) and not otherwise:
        yield f"said to have {told.outcome}, and all that was asked for is so"
    if told.outcome == "partial" and not is_changed:
        yield "said to be done in part, and nothing has changed"


def _unclear(call: Call, told: Told, before: Picture, after: Picture) -> Iterator[str]:
    if told.outcome == "unknown":
        yield "nobody knows how it ended"
    elif told.is_good or told.outcome == "partial" or call.is_impossible:
        return
    elif _has_target(call) and not _otherwise(call, told, after) and before == after:
        yield "it was so already"
    elif before == after:
        yield "given up, though the server can do it"


def _has_target(call: Call) -> bool:
    return bool(call.at) and (call.gone or bool(call.shows))


def _address(call: Call, told: Told) -> str:
    try:
        return call.at.format(**told.outputs)
    except (KeyError, IndexError, TypeError, AttributeError):
        return call.at


def _otherwise(call: Call, told: Told, after: Picture) -> list[str]:
    """What was asked for and is not so, by the server itself."""
    address = _address(call, told)
    if call.gone:
        return [f"{address} is still there"] if address in after else []
    if call.shows and address not in after:
        return [f"{address} is not there"]
    pairs = ((pointer, value, _at(after[address], pointer)) for pointer, value in call.shows.items())
    return [f"{pointer} is {found!r}, not {value!r}" for pointer, value, found in pairs if found != value]


def _untrue_differences(call: Call, told: Told, after: Picture) -> Iterator[str]:
    """Differences that are told and are none, or show what the server does not."""
    body = after.get(_address(call, told), NOTHING)
    for each in told.differences:
        found = NOTHING if body is NOTHING else _at(body, f"{call.item}{each['place']}")
        shown = None if found is NOTHING else found
        if shown != each["found"]:
            yield f"{each['place']} was told as {each['found']!r} and is {shown!r}"
        elif shown == each.get("before", each["asked"]):
            yield f"{each['place']} was told as a difference and is what was asked for"


def _at(value: Json, pointer: str) -> Json:
    return resolve(value, parse_pointer(pointer))
