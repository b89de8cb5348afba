"""A run's journal for a replay: each event and the command that followed, without secrets and within a size.

Kept in memory until the run's end, which takes it along in its own transaction; a durable run's turns travel with its
checkpoints meanwhile. Masked is what the vault knows, what stands under a name that the profile calls secret, and that
value wherever else it turns up, also in an address. Where something is masked, the commands kept are those that follow
from the masked events; if these are of another kind than what was done, the journal says that it cannot be replayed.
Called by `journal`, `run_loop` and `durable_run`. Here never lives the replay (`workflow.running.replay`).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from runtime.engines.engine import Order
from runtime.secrets import MASK, Vault, as_dict
from workflow.programs.state import State
from workflow.requests.events import Command, Event, to_json
from workflow.running.replay import answers, plain

Json = Any
Turn = dict[str, Json]
FORMAT = 1
# Dozens of ordinary replies; kept for months by the thousand, more would be what the database mostly holds.
MOST_BYTES = 256 * 1024
# Deeper than what any device says, and far from where Python gives up.
_PLAIN, _LISTS = (int, float, type(None)), (list, tuple)
MOST_LEVELS = 100
# Each is looked for in every text.
MOST_SECRETS = 100
TOO_BIG = f"its journal is too big: more than {MOST_BYTES // 1024} kB of replies and requests"
NOT_KEPT = "a part of it was carried out by a process that kept no journal"
SECRET_HEADERS = ("set-cookie", "cookie", "authorization", "x-auth-token")
# Of an event, what says what it is, and comes from the document or from us.
STRUCTURE = ("type", "step_id", "status", "reason", "is_sent", "has_happened")
# Of a command, what must be the same although something is masked.
SHAPE = ("type", "step_id", "attempt", "method", "path_template", "seconds", "outcome")


class Recording:
    """`start`: the state that the first event meets, where that is not a new run's."""

    def __init__(self, order: Order, vault: Vault) -> None:
        self._order = order
        self._vault = vault
        self._turns: list[Turn] = []
        self._texts: list[bytes] = []  # the same as JSON: written once, looked through and kept
        self._checkpointed = 0
        self._left = MOST_BYTES
        self._why = ""
        self.start: State | None = None

    def add(self, event: Event, command: Command) -> None:
        """Keeps a turn, unless the journal has become too big."""
        self._add({"event": to_json(event), "command": to_json(command)})

    def _add(self, turn: Turn) -> None:
        if self._why:
            return
        text = _written(turn, self._left)
        if text is None:
            self._give_up(TOO_BIG)
        else:
            self._left -= len(text)
            self._turns.append(turn)
            self._texts.append(text)

    def _give_up(self, why: str) -> None:
        self._why = why
        self._turns.clear()
        self._texts.clear()

    def mark(self) -> None:
        """What was added so far needs no checkpoint."""
        self._checkpointed = len(self._turns)

    def fresh(self) -> Json:
        """What was added since the last checkpoint, without secrets."""
        turns = [] if self._why else self._clean(self._turns[self._checkpointed :])
        self.mark()
        return {"turns": turns, "cannot": self._why}

    def go_on_behind(self, saved: Json) -> None:
        """Takes up what another process added."""
        if saved is None or saved["cannot"]:
            self._give_up(NOT_KEPT if saved is None else saved["cannot"])
            return
        for turn in saved["turns"]:
            self._add(turn)
        self.mark()

    def stored(self) -> str:
        """The journal as it is kept, one line of JSON: its turns, or why it cannot be replayed."""
        turns = b"[]" if self._why else self._replayable()
        text = b'{"format":%d,"turns":%b,"cannot":%b}' % (FORMAT, turns, _json(self._why))
        if len(text) > MOST_BYTES:
            self._give_up(TOO_BIG)
            return self.stored()
        return text.decode()

    def _replayable(self) -> bytes:
        """Its turns without secrets, as JSON."""
        if not self._may_hold_secrets():
            return b"[" + b",".join(self._texts) + b"]"
        return _json(self._masked())

    def _masked(self) -> list[Turn]:
        turns = self._clean(self._turns)
        if MASK not in json.dumps(turns):
            return turns
        made = list(answers(self._order.program, [turn["event"] for turn in turns], self.start))
        for number, turn in enumerate(turns):
            if number >= len(made) or _shape(made[number]) != _shape(plain(turn["command"])):
                step = turn["command"].get("step_id") or "its end"
                self._give_up(f"what is masked in its journal decides how it goes on, at {step}")
                return []
        commands = self._clean_commands(made)
        return [{"event": turn["event"], "command": command} for turn, command in zip(turns, commands, strict=True)]

    # Masking

    def _may_hold_secrets(self) -> bool:
        """False where a look at the text shows that there are none: of most runs, and far faster than to mask them."""
        names = frozenset(name.lower() for name in (*self._order.secret_names, *SECRET_HEADERS))
        # Where something is escaped, a secret may look otherwise.
        return any(b"\\u" in text or self._vault.may_stand_in(text, names) for text in self._texts)

    def _clean(self, turns: list[Turn]) -> list[Turn]:
        if not self._may_hold_secrets():
            return list(turns)
        hidden = self._hidden()
        if hidden is None:
            self._give_up("its replies hold too many secrets to look for each")
            return []
        events = [self._clean_event(turn["event"], hidden) for turn in turns]
        commands = self._clean_commands([turn["command"] for turn in turns], hidden)
        return [{"event": event, "command": command} for event, command in zip(events, commands, strict=True)]

    def heard_secrets(self) -> Vault:
        """What the device sent under secret names so far: it is none of what may be told, wherever it turns up."""
        return (self._hidden() if self._may_hold_secrets() else None) or Vault({})

    def _hidden(self) -> Vault | None:
        """What stands under secret names in all that was kept, in every spelling; None: too much to look for."""
        names = frozenset(name.lower() for name in self._order.secret_names)
        headers = names | frozenset(SECRET_HEADERS)
        found: dict[str, None] = {}
        for turn in self._turns:
            event = turn["event"]
            found |= dict.fromkeys(under(event.get("headers"), headers))
            found |= dict.fromkeys(under({**event, "headers": None}, names))
        if len(found) > MOST_SECRETS:
            return None
        vault = Vault({})
        for text in found:
            vault.remember(text)
        return vault

    def _clean_event(self, event: Turn, hidden: Vault) -> Turn:
        names = self._order.secret_names
        told = {}
        for name, member in event.items():
            if name in STRUCTURE:
                told[name] = member
            else:
                more = (*names, *SECRET_HEADERS) if name == "headers" else names
                told[name] = hidden.redact(self._vault.redact(member, more))
        return told

    def _clean_commands(self, commands: list[Json], hidden: Vault | None = None) -> list[Json]:
        kept = ("type", "step_id", "method", "path_template", "outcome", "attempt")
        names, other = self._order.secret_names, hidden or Vault({})
        return [
            {
                name: member if name in kept else other.redact(self._vault.redact(member, names))
                for name, member in each.items()
            }
            for each in commands
        ]


def _written(turn: Turn, most: int) -> bytes | None:
    """The turn as JSON; None where it is more than `most`, or deeper than anybody writes."""
    try:
        text = orjson.dumps(turn, default=as_dict, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half a character, a number without end, a hundred levels
        if weight(turn, most) > most:
            return None
        text = _json(turn)
    return text if len(text) <= most else None


def _json(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def weight(value: Json, most: int) -> int:
    """About how many characters `value` has as JSON; more than `most` as soon as it is, or when it is too deep."""
    total, waiting = 0, [(value, 0)]
    while waiting:
        each, level = waiting.pop()
        if isinstance(each, str):
            total += len(each) + 2
        elif isinstance(each, _PLAIN):  # before mappings, of which to be none takes the longest to find out
            total += 6
        elif isinstance(each, _LISTS):
            total += len(each)
            waiting += [(item, level + 1) for item in each]
        elif isinstance(each, dict) or isinstance(each, Mapping):  # noqa: SIM101  the first is far faster alone
            total += sum(map(len, each)) + 4 * len(each)
            waiting += [(member, level + 1) for member in each.values()]
        else:
            total += 6
        if total > most or level > MOST_LEVELS:
            return most + 1
    return total


def under(value: Json, names: frozenset[str]) -> Iterator[str]:
    """The texts anywhere beneath members called so; `names` in lower case."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _texts(member) if name.lower() in names else under(member, names)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from under(item, names)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)
    elif value is not None and not isinstance(value, bool) and str(value) not in ("", MASK):
        yield str(value)


def _shape(command: Json) -> Json:
    return command and {name: command.get(name) for name in SHAPE}
