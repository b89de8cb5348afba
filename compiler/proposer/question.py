"""One question about one subject, and what a model said to it.

A closed question offers its answers; it is asked twice, the second time with them turned round, and only what is said
both times counts. A question without offered answers wants sentences, and is asked once. Values only: how they are put
to a model is `prompts`, what counts is `compiler.proposals`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

YES, NO = "yes", "no"
NONE_OF_THESE = "none of these"
LEAST_OF_A_BATCH = 5  # answers; fewer may be alike by chance
_MOST_BY_POSITION = 0.8


class QuestionKind(StrEnum):
    """What is asked. The subjects: a resource's address for nouns, ids of flows joined by `|` for the others, and a
    clause of an operator's sentence for pieces."""

    NOUN = "noun"
    RANK = "rank"
    TASK = "task"
    ORDER = "order"
    PIECE = "piece"
    SENTENCE = "sentence"


@dataclass(frozen=True, slots=True)
class Question:
    """`facts`: all that the model is told of the subject. `options`: the answers there are; none: a sentence is wanted.

    `expected`: the answer of a question that the compiler can answer itself: whoever is wrong about such tells nothing.
    """

    kind: QuestionKind
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    expected: str = ""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """`said`: to the options as they are, and to them turned round; without options twice the same. `asked`: the digest
    of all that was told and asked. `model`: its name, with its digest where the server tells one.
    """

    kind: QuestionKind
    subject: str
    options: tuple[str, ...]
    said: tuple[str, str]
    asked: str
    model: str

    @property
    def agreed(self) -> str:
        """The option that was chosen both times, "" where there is none."""
        return self.said[0] if self.said[0] == self.said[1] and self.said[0] in self.options else ""

    @property
    def is_by_position(self) -> bool:
        """Whether the same place was chosen both times, whatever stood there."""
        turned = self.options[::-1]
        places = (self.options.index(self.said[0]), turned.index(self.said[1])) if self._are_known else (0, 1)
        return len(self.options) > 1 and places[0] == places[1] and self.said[0] != self.said[1]

    @property
    def _are_known(self) -> bool:
        return set(self.said) <= set(self.options)


def fault_of(answer: ModelAnswer) -> str:
    """Why a single closed answer does not count, "" where it does."""
    if answer.agreed:
        return ""
    if not set(answer.said) <= set(answer.options):
        return "none of the answers that were offered"
    return "another answer when the order was turned round"


def misled(answers: Sequence[ModelAnswer], known: Sequence[Question]) -> str:
    """Why answers of one kind do not count: some of those whose answer is known are wrong; "" where all are right."""
    expected = {question.subject: question.expected for question in known}
    asked = [one for one in answers if one.subject in expected]
    wrong = sum(one.agreed != expected[one.subject] for one in asked)
    return f"no information: {wrong} of {len(asked)} answers that are known were wrong" if wrong else ""


def without_information(answers: Sequence[ModelAnswer]) -> str:
    """Why answers to questions of one kind tell nothing together, "" where they tell something."""
    if len(answers) < LEAST_OF_A_BATCH:
        return ""
    if sum(one.is_by_position for one in answers) >= _MOST_BY_POSITION * len(answers):
        return "no information: chosen by position, whatever stood there"
    if len({one.options for one in answers}) == 1 and len({one.said for one in answers}) == 1:
        return f"no information: “{answers[0].said[0]}” to every question"
    return ""
