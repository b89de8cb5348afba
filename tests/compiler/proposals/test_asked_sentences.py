"""What operators ask for with `--ask`, over the shipped APIs, with a model that chooses all right.

What is possible becomes the workflow that is meant, or is one already; what is not is refused with a reason. The model
here knows the answer and can only say it where it is offered: so this measures clauses, search, planner and twin.
"""

from pathlib import Path

import pytest
import yaml

from compiler.compiled import Compiled
from compiler.proposals.asked import Apis, AskOutcome, understand_sentence
from compiler.proposer.question import NONE_OF_THESE, Question, QuestionKind
from tests.compiler.proposals.compiled_specs import Scripted

SENTENCES = yaml.safe_load(Path(__file__).with_name("asked_sentences.yaml").read_text())
# At least: of the sentences that are looked at, all; of those kept apart, what they had when they were first run.
FLOORS = {("hypercore", "tuned"): 1.0, ("hypercore", "kept"): 0.8, ("idrac", "tuned"): 1.0, ("idrac", "kept"): 0.86}


def knowing(titles: list[str]) -> Scripted:
    """Says the first title that is right where it is offered, else that there is none; the order stands as it is."""

    def says(question: Question, _turned: bool) -> str:
        if question.kind is QuestionKind.ORDER:
            return question.options[0]
        return next((each for each in titles if each in question.options), NONE_OF_THESE)

    return Scripted(says)


def is_right(outcome: AskOutcome, wanted: list[str], compiled: Compiled) -> bool:
    api = compiled.api.name
    if not wanted:
        return outcome.workflow is None and not outcome.exists and bool(outcome.refusal)
    chosen = [piece.chosen.id.removeprefix(f"{api}_") if piece.chosen else "" for piece in outcome.pieces]
    is_meant = len(chosen) == len(wanted) and all(c in w.split() for c, w in zip(chosen, wanted, strict=True))
    return is_meant and (outcome.workflow is not None or bool(outcome.exists))


@pytest.mark.slow
@pytest.mark.parametrize(("api", "half"), FLOORS)
def test_what_is_possible_is_made_and_what_is_not_is_refused(
    api: str, half: str, request: pytest.FixtureRequest
) -> None:
    compiled: Compiled = request.getfixturevalue(api)
    apis = Apis([compiled])
    titles = {one.flow.id.removeprefix(f"{api}_"): apis.title_of(one.flow) for one in compiled.workflows}
    wrong = []
    for sentence, wanted in SENTENCES[api][half]:
        right = [titles[each] for any_of in wanted for each in any_of.split()]
        outcome = understand_sentence(sentence, apis, knowing(right))
        if not is_right(outcome, wanted, compiled):
            offered = [[apis.title_of(flow) for flow in piece.offered] for piece in outcome.pieces]
            wrong.append((sentence, outcome.refusal or outcome.exists, offered))
    share = 1 - len(wrong) / len(SENTENCES[api][half])
    told = wrong if half == "tuned" else [sentence for sentence, *_ in wrong]
    assert share >= FLOORS[api, half], f"{share:.2f}: {told}"


@pytest.mark.slow
@pytest.mark.parametrize("api", SENTENCES)
def test_whatever_a_model_chooses_nothing_impossible_becomes_a_workflow(
    api: str, request: pytest.FixtureRequest
) -> None:
    compiled: Compiled = request.getfixturevalue(api)
    apis = Apis([compiled])
    impossible = [said for half in SENTENCES[api].values() for said, wanted in half if not wanted]
    for sentence in impossible:
        outcome = understand_sentence(sentence, apis, Scripted(lambda question, _: question.options[0]))
        assert outcome.workflow is None, sentence
