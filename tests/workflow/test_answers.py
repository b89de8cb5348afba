"""Good replies to a change that say of the whole, or of each request of a batch, that it was refused."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended
from tests.workflow.documents import plan, step
from workflow.answers import refuses_all
from workflow.events import ResponseArrived

DONE = {"status": 201, "body": {"id": "a"}}
REFUSED = {"status": 403, "body": {"message": "not yours"}}
BROKEN = {"status": 503, "body": {"message": "later"}}


def answered(body: Any, outcome: str, code: str = "", status: int = 200) -> Any:
    made = plan(step("batch", "post", "/batch"))
    run = Dialogue(made)
    return ended(run.say(ResponseArrived("batch", status, {}, body, ("403, not yours",))), outcome, code)


def test_a_batch_of_which_every_request_was_refused_changed_nothing_and_has_failed() -> None:
    end = answered({"responses": [REFUSED, REFUSED]}, "failed", "refused_within")
    assert (end.failure.done, end.failure.may_be_done, end.failure.not_done) == ((), (), ("batch",))
    assert "each of its 2 parts" in end.failure.message
    assert end.failure.said == ("403, not yours",)


def test_a_batch_of_which_one_request_was_refused_is_done_in_part() -> None:
    end = answered({"responses": [DONE, REFUSED]}, "partial", "partly_refused")
    assert end.failure.done == ("batch",)


def test_of_a_request_of_a_batch_that_the_server_failed_at_nobody_knows() -> None:
    end = answered({"responses": [REFUSED, BROKEN]}, "unknown", "refused_within")
    assert end.failure.may_be_done == ("batch",)


REFUSALS = {
    "success is false": {"success": False, "message": "no"},
    "an error and nothing else": {"error": {"code": 7, "message": "no"}, "status": 200},
    "errors beside no data": {"errors": [{"message": "no"}], "data": None},
    "a list of refusals": [REFUSED],
}
NO_REFUSALS = {
    "an error beside what was made": {"error": "a warning", "id": 7},
    "no errors": {"errors": [], "data": {"id": 7}},
    "a thing with a state": {"id": 7, "ok": True},
    "things with a status that is none of HTTP": [{"id": 7, "status": 500}],
    "nothing": None,
}


@pytest.mark.parametrize("body", REFUSALS.values(), ids=REFUSALS)
def test_a_good_answer_that_says_that_it_was_refused_is_a_failure(body: Any) -> None:
    assert refuses_all(body) is not None
    answered(body, "failed", "refused_within")


@pytest.mark.parametrize("body", NO_REFUSALS.values(), ids=NO_REFUSALS)
def test_any_other_good_answer_is_none(body: Any) -> None:
    assert refuses_all(body) is None


def test_what_the_document_says_of_such_an_answer_goes_before() -> None:
    wanted = [{"condition": "$response.body#/ok == false"}]
    made = plan(step("close", "post", "/door", successCriteria=wanted))
    ended(Dialogue(made).answer("close", 200, {"ok": False}), "succeeded")
