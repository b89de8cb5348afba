"""Ranks: only neighbours near the end of the catalog, by two places at most, nothing that interrupts or destroys up."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from compiler.ir.model import Flow
from compiler.proposals.ranks import MOST_PLACES, known_of, ranked
from compiler.proposer.proposer import Asker
from compiler.proposer.question import ModelAnswer, Question
from workflow.risks import Risk

DIGEST = "sha256:" + "0" * 64


def flow(number: int, risk: Risk = Risk.READ, *, is_core: bool = False) -> Flow:
    name = f"do_{number:02}"
    return Flow(
        name, "act", f"Do {number:02}", "", risk, "GET /x", "x", (), rank=round(0.9 - 0.01 * number, 4), is_core=is_core
    )


FLOWS = tuple(flow(n, is_core=n < 10) for n in range(20))


class Says(Asker):
    """Answers each question by what `says` makes of it and of whether it is turned round."""

    def __init__(self, says: Callable[[tuple[str, ...]], str], *, knows: bool = True) -> None:
        """`knows`: whether it is right about what is known."""
        super().__init__()
        self.says, self.knows = says, knows
        self.asked: list[Question] = []

    def ask(self, questions: Sequence[Question]) -> list[ModelAnswer]:
        self.asked += questions
        return [
            ModelAnswer(
                q.kind, q.subject, q.options, (self._said(q, q.options), self._said(q, q.options[::-1])), DIGEST, "s"
            )
            for q in questions
        ]

    def _said(self, question: Question, options: tuple[str, ...]) -> str:
        return question.expected if question.expected and self.knows else self.says(options)


def order(flows: Sequence[Flow]) -> list[str]:
    return [one.id for one in sorted(flows, key=lambda f: (-f.rank, f.id))]


def after(flows: Sequence[Flow], says: Callable[[tuple[str, ...]], str], pins: Sequence[str] = ()) -> list[Flow]:
    found = ranked(flows, pins, Says(says))
    return [replace(one, rank=found.ranks.get(one.id, one.rank)) for one in flows]


def last_by_name(options: tuple[str, ...]) -> str:
    return max(options)


def first_by_name(options: tuple[str, ...]) -> str:
    return min(options)


def test_neighbours_change_places_where_the_lower_is_done_more_often() -> None:
    found = order(after(FLOWS[:4], lambda options: "Do 01" if "Do 01" in options else min(options)))
    assert found == ["do_01", "do_00", "do_02", "do_03"]


def test_who_agrees_with_the_order_changes_nothing() -> None:
    assert ranked(FLOWS, (), Says(first_by_name)).ranks == {}


def test_nothing_moves_by_more_than_two_places() -> None:
    before, now = order(FLOWS), order(after(FLOWS, last_by_name))
    moved = [abs(before.index(name) - now.index(name)) for name in before]
    assert max(moved) == MOST_PLACES == 2


def test_the_ranks_stay_what_they_are_and_change_hands() -> None:
    assert sorted(one.rank for one in after(FLOWS, last_by_name)) == sorted(one.rank for one in FLOWS)


@pytest.mark.parametrize("risk", [Risk.DISRUPT, Risk.DESTROY])
def test_what_interrupts_or_destroys_is_never_lifted(risk: Risk) -> None:
    flows = [replace(one, risk=risk) if n % 3 == 1 else one for n, one in enumerate(FLOWS)]
    before, now = order(flows), order(after(flows, last_by_name))
    dangerous = [one.id for one in flows if one.risk is risk]
    assert all(now.index(name) >= before.index(name) for name in dangerous)


def test_a_pin_is_not_asked_about_and_stays() -> None:
    asker = Says(last_by_name)
    found = ranked(FLOWS, ["do_09"], asker)
    assert "do_09" not in found.ranks
    assert not any("do_09" in question.subject for question in asker.asked)


def test_those_nearest_the_end_of_the_catalog_are_asked_about_first() -> None:
    asker = Says(first_by_name)
    ranked([flow(n, is_core=n < 30) for n in range(60)], (), asker)
    assert [bool(question.expected) for question in asker.asked[:5]] == [True] * 4 + [False]
    assert asker.asked[4].subject in ("do_30|do_31", "do_29|do_30")
    asked = {name for question in asker.asked[4:] for name in question.subject.split("|")}
    assert asked <= {f"do_{n:02}" for n in range(17, 44)}


def test_who_chooses_by_position_changes_nothing_and_is_told_so() -> None:
    found = ranked(FLOWS[:10], (), Says(lambda options: options[0]))
    assert found.ranks == {}
    assert {entry.reason for entry in found.entries} == {"no information: chosen by position, whatever stood there"}
    assert len(found.entries) < 12, "after the first round no more is asked"


def test_garbage_changes_nothing() -> None:
    found = ranked(FLOWS, (), Says(lambda _: "everything", knows=False))
    assert found.ranks == {}
    assert not any(entry.is_accepted for entry in found.entries)


def test_two_of_one_title_are_not_asked_about() -> None:
    asker = Says(first_by_name)
    ranked([replace(one, title="Same") for one in FLOWS], (), asker)
    assert asker.asked == []


def test_who_is_wrong_about_what_everybody_knows_changes_nothing_and_is_asked_no_more() -> None:
    asker = Says(last_by_name, knows=False)
    found = ranked(FLOWS, (), asker)
    assert found.ranks == {}
    assert len(asker.asked) == 4
    assert {entry.reason for entry in found.entries} == {"no information: 4 of 4 answers that are known were wrong"}


def test_what_is_known_is_not_always_said_first() -> None:
    known = [one for one in known_of(FLOWS) if one.expected]
    assert {one.options.index(one.expected) for one in known} == {0, 1}
