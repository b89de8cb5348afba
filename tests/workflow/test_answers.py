"""Good replies to a change that say of the whole, or of each request of a batch, that it was refused."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended
from tests.workflow.documents import program, step
from workflow.replies.answers import complains_alone, refuses_all
from workflow.requests.events import ResponseArrived

DONE = {"status": 201, "body": {"id": "a"}}
REFUSED = {"status": 403, "body": {"message": "not yours"}}
BROKEN = {"status": 503, "body": {"message": "later"}}


def answered(body: Any, outcome: str, code: str = "", status: int = 200) -> Any:
    made = program(step("batch", "post", "/batch"))
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


THERE = {"status": 200, "body": {"id": "was there"}}
ASKED = {"POST": [{"method": "POST", "path": "/a"}, {"method": "POST", "path": "/b"}]}
SET = {"POST": [{"method": "PATCH", "path": "/a"}, {"method": "POST", "path": "/b"}]}


@pytest.mark.parametrize(("requests", "outcome"), [(ASKED, "unknown"), (SET, "partial"), ({}, "unknown")])
def test_what_is_answered_well_beside_a_refusal_is_a_part_only_where_it_says_that_something_was_done(
    requests: Any, outcome: str
) -> None:
    """200 to a POST may come with what was there before; to what sets something it says that it was set."""
    made = program(
        step("batch", "post", "/batch", requestBody={"contentType": "application/json", "payload": requests})
    )
    body = {"responses": [THERE, REFUSED]}
    said = ResponseArrived("batch", 200, {}, body, ("403, not yours",))
    end = ended(Dialogue(made).say(said), outcome, "partly_refused" if outcome == "partial" else "rest_unknown")
    assert (end.failure.done, end.failure.may_be_done) == (
        (("batch",), ()) if outcome == "partial" else ((), ("batch",))
    )
    assert end.failure.said == ("403, not yours",)
    assert (end.failure.doubt is not None) == (outcome == "unknown")


@pytest.mark.parametrize("answers", [[DONE], []])
def test_of_requests_that_are_not_answered_nobody_knows_what_became_of_them(answers: Any) -> None:
    made = program(step("batch", "post", "/batch", requestBody={"contentType": "application/json", "payload": ASKED}))
    said = ResponseArrived("batch", 200, {}, {"responses": answers})
    end = ended(Dialogue(made).say(said), "unknown", "answers_missing")
    assert f"2 requests were sent at once, and {len(answers)} answers came" in end.failure.message
    assert end.failure.may_be_done == ("batch",)


def test_more_answers_than_requests_are_told_and_lists_that_are_no_answers_are_not_counted() -> None:
    made = program(step("batch", "post", "/batch", requestBody={"contentType": "application/json", "payload": ASKED}))
    more = ended(Dialogue(made).say(ResponseArrived("batch", 200, {}, {"responses": [DONE] * 3})), "succeeded")
    assert "2 requests were sent at once, and 3 answers came" in more.note
    ended(Dialogue(made).say(ResponseArrived("batch", 200, {}, {"items": []})), "succeeded")


def test_of_a_member_that_was_refused_alone_nothing_tells_that_a_part_was_taken() -> None:
    body = {"Name@Message.ExtendedInfo": [{"Message": "not writable", "Severity": "Warning"}]}
    answered(body, "unknown", "rest_unknown")


def test_of_a_request_of_a_batch_that_the_server_failed_at_nobody_knows() -> None:
    end = answered({"responses": [REFUSED, BROKEN]}, "unknown", "refused_within")
    assert end.failure.may_be_done == ("batch",)


REFUSALS = {
    "success is false": {"success": False, "message": "no"},
    "an error and nothing else": {"error": {"code": 7, "message": "no"}, "status": 200},
    "errors beside no data": {"errors": [{"message": "no"}], "data": None},
    "a list of refusals": [REFUSED],
    "a list of refusals, each with its message": [{"id": 1, "status": 404, "message": "no such thing"}],
    "a word for it": {"status": "error", "message": "no", "data": None},
    "a result that failed": {"result": "failed", "detail": "no"},
    "a status inside": {"code": 403, "message": "no", "data": None},
}
NO_REFUSALS = {
    "an error beside what was made": {"error": "a warning", "id": 7},
    "no errors": {"errors": [], "data": {"id": 7}},
    "a thing with a state": {"id": 7, "ok": True},
    "things with a status that is none of HTTP": [{"id": 7, "status": 500}],
    "nothing": None,
    "a thing that is in a bad state": {"id": 7, "status": "error", "message": "the disk is full"},
    "a code of its own": {"code": 0, "message": "success", "data": None},
    "a number that is no status": {"code": 20000, "message": "success", "data": None},
}


@pytest.mark.parametrize("body", REFUSALS.values(), ids=REFUSALS)
def test_a_good_answer_that_says_that_it_was_refused_is_a_failure(body: Any) -> None:
    assert refuses_all(body) is not None
    answered(body, "failed", "refused_within")


@pytest.mark.parametrize("body", NO_REFUSALS.values(), ids=NO_REFUSALS)
def test_any_other_good_answer_is_none(body: Any) -> None:
    assert refuses_all(body) is None


COMPLAINT = {"MessageId": "X.1.Busy", "Message": "Unable to reset", "Severity": "Critical"}


def test_of_a_good_answer_that_only_complains_nobody_knows_what_was_done() -> None:
    end = answered({"@Message.ExtendedInfo": [COMPLAINT]}, "unknown", "refused_within")
    assert (end.failure.done, end.failure.may_be_done) == ((), ("batch",))
    assert "Nothing was changed" not in end.failure.remedy
    assert "look at the device" in end.failure.remedy


def test_what_was_accepted_without_a_word_on_which_job_it_is_may_have_been_done() -> None:
    lost = {"outcome": "unknown", "code": "no_handle", "message": "Accepted, and nothing tells which job."}
    end = {"name": "which_job", "type": "end", "criteria": [{"condition": "$statusCode == 202"}], "x-switchgear": lost}
    made = program(step("make", "post", "/door"), step("close", "delete", "/door", onSuccess=[end]))
    run = Dialogue(made)
    run.answer("make", 201)
    told = ended(run.answer("close", 202), "unknown", "no_handle").failure
    assert (told.done, told.may_be_done, told.not_done) == (("make",), ("close",), ())
    assert "call again only if it was not" in told.remedy


@pytest.mark.parametrize(
    "body",
    [
        {"@Message.ExtendedInfo": [COMPLAINT, {"MessageId": "Base.1.0.Success", "Severity": "OK"}]},
        {"@Message.ExtendedInfo": [COMPLAINT], "Id": "7"},
        {"@Message.ExtendedInfo": []},
        [COMPLAINT],
    ],
)
def test_a_complaint_beside_something_else_is_about_a_part(body: Any) -> None:
    assert not complains_alone(body)


def test_what_the_document_says_of_such_an_answer_goes_before() -> None:
    wanted = [{"condition": "$response.body#/ok == false"}]
    made = program(step("close", "post", "/door", successCriteria=wanted))
    ended(Dialogue(made).answer("close", 200, {"ok": False}), "succeeded")


@pytest.mark.parametrize(("status", "outcome"), [(303, "unknown"), (302, "unknown"), (307, "failed"), (404, "failed")])
def test_an_answer_that_leads_to_what_was_done_does_not_say_that_nothing_was(status: int, outcome: str) -> None:
    made = program(step("batch", "post", "/batch"))
    end = ended(Dialogue(made).answer("batch", status, None, location="/x"), outcome, "unexpected_status")
    assert (end.failure.may_be_done == ("batch",)) == (outcome == "unknown")


@pytest.mark.parametrize(
    "body",
    [
        {"code": 4001, "msg": "quota exceeded", "data": None},
        {"statusCode": 409, "message": "locked"},
        {"result": "failed", "reason": "no capacity"},
        {"success": "false", "message": "exists"},
    ],
)
def test_a_number_or_a_word_for_what_went_wrong_with_nothing_beside_it_is_a_refusal(body: Any) -> None:
    answered(body, "failed", "refused_within")


@pytest.mark.parametrize(
    "body",
    [{"code": 1000, "message": "OK"}, {"code": 0, "msg": "exists"}, {"code": 4001, "msg": "x", "data": {"id": 1}}],
)
def test_a_number_with_a_good_word_or_with_what_was_made_is_none(body: Any) -> None:
    assert refuses_all(body) is None


def test_answers_that_tell_by_a_truth_value_how_it_went_are_answers() -> None:
    assert refuses_all({"results": [{"ok": False, "error": "locked"}, {"ok": False}]}) == (400, 400)
    answered({"results": [{"ok": True}, {"ok": False, "error": "locked"}]}, "unknown", "rest_unknown")
    assert refuses_all({"checks": [{"ok": False}]}) is None


def sent_at_once(things: Any, status: int = 400, body: Any = None, kind: str = "application/json") -> Any:
    made = program(step("add", "post", "/leases", requestBody={"contentType": kind, "payload": things}))
    return Dialogue(made).say(ResponseArrived("add", status, {}, body, ("a lease needs a host",)))


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refusal_of_several_things_sent_at_once_may_be_of_one_of_them(status: int) -> None:
    end = ended(sent_at_once([{"host": "a"}, {"host": ""}], status), "unknown", "answers_missing")
    assert (end.failure.done, end.failure.may_be_done) == ((), ("add",))
    assert "does not say whether the others were taken" in end.failure.message
    assert end.failure.said == ("a lease needs a host",)


@pytest.mark.parametrize(
    ("things", "status", "body", "kind"),
    [
        ([{"host": ""}], 400, None, "application/json"),  # one thing is not taken in part
        ([{"host": "a"}, {"host": "b"}], 403, None, "application/json"),  # nobody looked at what was sent
        ([{"host": "a"}, {"host": ""}], 400, {"results": [REFUSED, REFUSED]}, "application/json"),  # it says: all
        ([{"op": "test"}, {"op": "add"}], 409, None, "application/json-patch+json"),  # all of it or nothing
        (["a", "b"], 400, None, "application/json"),  # the values of one thing
    ],
)
def test_a_refusal_of_one_thing_or_of_all_of_them_has_changed_nothing(
    things: Any, status: int, body: Any, kind: str
) -> None:
    end = ended(sent_at_once(things, status, body, kind), "failed", "unexpected_status")
    assert (end.failure.done, end.failure.may_be_done) == ((), ())


PARTED = {"success": ["a"], "errors": [{"error": "b is there", "status_code": 409}]}


@pytest.mark.parametrize("body", [PARTED, {"create": PARTED, "delete": None}], ids=["plain", "by action"])
def test_an_answer_that_lists_what_was_done_and_what_was_not_is_done_in_part(body: Any) -> None:
    assert answered(body, "partial", "partly_refused").failure.done == ("batch",)


@pytest.mark.parametrize("errors", [PARTED["errors"], ["b is there"]])
def test_an_answer_that_only_lists_what_was_not_done_is_a_refusal(errors: Any) -> None:
    answered({"create": {"success": [], "errors": errors}}, "failed", "refused_within")


def test_a_status_that_is_false_beside_a_reason_is_a_refusal_and_what_a_thing_shows_is_none() -> None:
    assert refuses_all({"status": False, "message": "no connection"}) == ()
    assert refuses_all({"status": False, "message": "no connection", "name": "web"}) is None
    assert refuses_all({"status": False}) is None


WHY = {"type": "details", "reason": "it is not paused"}
BEFORE = {"id": "s-1", "type": "RUNNING"}


@pytest.mark.parametrize("state", [None, BEFORE])
def test_a_verdict_that_was_not_granted_is_a_refusal_whatever_is_shown_beside_it(state: Any) -> None:
    end = answered({"state": state, "status": "ABORT", "details": WHY}, "failed", "refused_within")
    assert end.failure.may_be_done == ()


@pytest.mark.parametrize("word", ["REJECT", "wait"])
def test_a_verdict_beside_which_the_thing_is_shown_leaves_open_what_was_done_in_its_place(word: str) -> None:
    answered({"state": None, "status": word, "details": WHY}, "failed", "refused_within")
    end = answered({"state": BEFORE, "status": word, "details": WHY}, "unknown", "refused_within")
    assert end.failure.may_be_done == ("batch",)


def test_what_a_thing_has_become_and_a_verdict_that_was_granted_are_no_refusals() -> None:
    for word in ("ACCEPT", "aborted", "rejected", "abort"):
        assert refuses_all({"state": BEFORE, "status": word}) is None


def test_of_several_verdicts_those_that_were_granted_are_a_part() -> None:
    granted, denied = {"id": "a", "status": "ACCEPT"}, {"id": "b", "status": "ABORT", "details": WHY}
    answered({"results": [granted, denied]}, "partial", "partly_refused")
    assert refuses_all({"results": [denied, denied]}) == (400, 400)
    assert refuses_all({"results": [granted, granted]}) is None
