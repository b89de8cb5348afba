"""Whose arrival is read next, and whose a connection is: so a crowd keeps nobody waiting (THREATS F2)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from runtime.admission.arrivals import FEW, MOST_UNBEGUN, Arrivals
from runtime.admission.first_bytes import guess
from runtime.caller import Caller


@dataclass(eq=False)
class Waiting:
    """A connection of which it is only noted when it is read."""

    line: str
    heard: list[tuple[str, bytes]]
    comes_first: bool = False

    def read(self, data: bytes) -> None:
        self.heard.append((self.line, data))


def rounds(turns: list[Callable[[], None]], heard: list[Any]) -> list[int]:
    """How many were read after each turn of the loop, until nothing is to be done any more."""
    counts = []
    while turns:
        turns.pop(0)()
        counts.append(len(heard))
    return counts


async def test_in_a_turn_of_the_loop_one_arrival_is_read_and_next_of_whoever_has_the_fewest_waiting() -> None:
    turns: list[Callable[[], None]] = []
    heard: list[tuple[str, bytes]] = []
    arrivals = Arrivals(soon=turns.append, later=lambda _, what: turns.append(what))
    bad = [Waiting("bad", heard) for _ in range(4)]
    good = Waiting("good", heard)
    for each in bad:
        arrivals.take(each, b"1")
    arrivals.take(good, b"a")
    arrivals.take(good, b"b")
    arrivals.take(bad[1], b"2")
    arrivals.forget(bad[2])
    assert heard == [("bad", b"1")]
    assert max(after - before for before, after in pairwise(rounds(turns, heard))) == 1
    assert heard[1:] == [("good", b"ab"), ("bad", b"12"), ("bad", b"1")]
    arrivals.take(good, b"c")
    assert heard[-1] == ("good", b"c"), "without a crowd nobody waits"


async def test_a_crowd_rests_between_two_while_others_and_admins_go_on() -> None:
    turns: list[Callable[[], None]] = []
    pauses: list[Callable[[], None]] = []
    heard: list[tuple[str, bytes]] = []
    arrivals = Arrivals(soon=turns.append, later=lambda _, what: pauses.append(what))
    for _ in range(3):
        arrivals.take(Waiting("bad", heard), b"1")
    rounds(turns, heard)
    assert len(heard) == 3, "while nobody else is there it goes on"
    arrivals.take(Waiting("good", heard), b"1")
    heard.clear()
    for _ in range(5):
        arrivals.take(Waiting("bad", heard), b"1")
    rounds(turns, heard)
    assert len(heard) == 1, "one of those that wait, and then a rest"
    for _ in range(FEW):
        arrivals.take(Waiting("boss", heard, comes_first=True), b"2")
    arrivals.take(Waiting("good", heard), b"3")
    rounds(turns, heard)
    assert [line for line, _ in heard[1:]] == ["boss"] * FEW + ["good"]
    for _ in range(2 * FEW):
        arrivals.take(Waiting("boss", heard, comes_first=True), b"2")
    arrivals.take(Waiting("good", heard), b"3")
    rounds(turns, heard)
    assert [line for line, _ in heard[2 + FEW :]] == ["boss", "good"], "a flood of theirs is a flood"
    while pauses:
        pauses.pop()()
        rounds(turns, heard)
    assert Counter(line for line, _ in heard) == {"bad": 5, "boss": 3 * FEW, "good": 2}


async def test_of_whoever_has_many_calls_that_wait_for_their_turn_nothing_more_is_read() -> None:
    turns: list[Callable[[], None]] = []
    pauses: list[Callable[[], None]] = []
    heard: list[tuple[str, bytes]] = []
    unbegun = {"bad": MOST_UNBEGUN}
    arrivals = Arrivals(lambda line: unbegun.get(line, 0), turns.append, lambda _, what: pauses.append(what))
    for line in ("bad", "bad", "good"):
        arrivals.take(Waiting(line, heard), b"1")
    rounds(turns, heard)
    assert [line for line, _ in heard] == ["good"]
    unbegun["bad"] -= 1
    pauses.pop()()
    rounds(turns, heard)
    assert [line for line, _ in heard][:2] == ["good", "bad"]


def test_the_first_bytes_show_whose_a_connection_probably_is() -> None:
    known = {b"secret": Caller("ann", "operator"), b"key": Caller("boss", "admin")}.get

    def of(head: str, address: str = "192.0.2.1") -> tuple[str, str, bool]:
        found = guess(head.replace("\n", "\r\n").encode(), address, known)
        return found.owner, found.line, found.comes_first

    assert of("GET /runs HTTP/1.1\nAuthorization: Bearer secret\n\n") == ("ann", "ann", False)
    assert of("GET /runs HTTP/1.1\nhost: a\nauthorization:bearer key\n") == ("boss", "boss", True)
    assert of("GET /docs HTTP/1.1\nauthorization: Basic YTpzZWNyZXQ=\n") == ("ann", "ann", False)
    assert of("GET /runs HTTP/1.1\ncookie: a=b; __Host-switchgear-session=key; c=d\n") == ("boss", "boss", True)
    assert of("GET /health HTTP/1.1\n\n") == ("", "watch from 192.0.2.1", True)
    assert of("GET /ready HTTP/1.1\nauthorization: Bearer key\n\n") == ("boss", "watch from 192.0.2.1", True)
    for head in ("GET /runs HTTP/1.1\nauthorization: Bearer other\n", "POST /login HTTP/1.1\n", "\x16\x03\x01"):
        assert of(head) == ("", "from 192.0.2.1", False)
    assert of("", "2001:db8::1")[1] == of("", "2001:db8::2")[1] != of("", "2001:db8:0:1::1")[1]
    assert of("", "::ffff:192.0.2.1") == of("")
