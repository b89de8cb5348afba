"""What was asked for, held against what the device shows: outcomes, differences, what cannot be seen."""

from typing import Any

from tests.workflow.dialogue import Dialogue, ended, ok, retry, sent
from tests.workflow.documents import inputs, program, step
from workflow.profiles.profile import Profile
from workflow.programs.program import Program
from workflow.replies.device_messages import device_words
from workflow.replies.expectations import told
from workflow.requests.events import EndRun, ResponseArrived, StartTimer, TimerFired

LATE = {"outcome": "unknown", "code": "not_seen", "message": "accepted, and not to be seen"}


def changing(*expects: dict[str, Any], tries: int = 0, after: tuple[dict[str, Any], ...] = ()) -> Program:
    late = retry(tries, 1, **{"x-switchgear": LATE})
    ours = {"role": "read_back", "expects": list(expects), "decides": True}
    return program(
        step("change", "patch", "/vm", requestBody={"payload": {"mem": "$inputs.mem", "name": "$inputs.name"}}),
        step("look", "get", "/vm", successCriteria=ok(), onFailure=[late], **{"x-switchgear": ours}),
        *after,
        inputs=inputs("mem", "name"),
    )


MEM = {"place": "/mem", "asked": "$inputs.mem", "found": "$response.body#/mem"}
NAME = {"place": "/name", "asked": "$inputs.name", "found": "$response.body#/name"}


def shown(made: Program, **body: Any) -> EndRun:
    run = Dialogue(made, mem="2", name="web")
    sent(run.answer("change"), "look")
    command = run.answer("look", 200, body)
    assert isinstance(command, EndRun)
    return command


def test_what_is_shown_as_asked_is_a_verified_success() -> None:
    end = ended(shown(changing(MEM, NAME), mem="2", name="web"), "succeeded")
    assert (end.verified, end.differences, end.done) == ("all", (), ("change",))


def test_what_the_device_ignores_is_no_success() -> None:
    end = ended(shown(changing(MEM), mem="1", name="web"), "failed", "not_taken")
    assert end.differences == ({"place": "/mem", "asked": "2", "found": "1"},)
    assert "mem is 1 (asked for: 2)" in end.failure.message
    assert (end.failure.done, end.failure.may_be_done, end.failure.not_done) == ((), ("change",), ())


def test_a_list_that_was_to_be_emptied_and_was_not_is_no_success() -> None:
    body = {"requestBody": {"payload": {"mem": "$inputs.mem"}}}
    ours = {"x-switchgear": {"role": "read_back", "expects": [MEM]}}
    given = {"type": "object", "properties": {"mem": {"type": "array"}}}
    made = program(step("change", "patch", "/vm", **body), step("look", "get", "/vm", **ours), inputs=given)
    run = Dialogue(made, mem=[])
    run.answer("change")
    end = ended(run.answer("look", 200, {"mem": [{"id": 1}]}), "failed", "not_taken")
    assert end.differences == ({"place": "/mem", "asked": [], "found": [{"id": 1}]},)


def test_a_part_that_was_not_taken_is_named() -> None:
    end = ended(shown(changing(MEM, NAME), mem="1", name="web"), "partial", "partly_taken")
    assert end.verified == "some"
    assert [each["place"] for each in end.differences] == ["/mem"]
    assert end.failure.done == ("change",)


def test_another_form_is_a_success_that_says_how_it_is_shown() -> None:
    end = ended(shown(changing(MEM, NAME), mem=2, name="WEB"), "succeeded")
    assert end.verified == "all"
    assert "/name is shown as WEB" in end.verified_why


def test_what_cannot_be_seen_is_said() -> None:
    secret = {"place": "/password", "asked": "$inputs.name", "text": "a secret is not read back"}
    end = ended(shown(changing(MEM, secret), mem="2"), "succeeded")
    assert end.verified == "some"
    assert "/password" in end.verified_why and "a secret is not read back" in end.verified_why
    blind = {"place": "", "shown": False, "text": "no read shows it"}
    assert ended(shown(changing(blind), mem="2"), "succeeded").verified == "none"


def test_what_a_device_masks_or_need_not_show_is_not_called_a_difference() -> None:
    assert ended(shown(changing(NAME), name="********"), "succeeded").verified == "none"
    assert ended(shown(changing({**NAME, "lenient": True})), "succeeded").verified == "none"
    ended(shown(changing(NAME)), "failed", "not_taken")


def test_what_was_not_asked_for_need_not_hold() -> None:
    optional = {"place": "/x", "asked": "$inputs.x", "found": "$response.body#/x"}
    made = program(
        step("change", "patch", "/vm", requestBody={"payload": {"x": "$inputs.x", "y": "$inputs.y"}}),
        step("look", "get", "/vm", **{"x-switchgear": {"role": "read_back", "expects": [optional]}}),
        inputs={"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}},
    )
    run = Dialogue(made, y="1")
    run.answer("change")
    assert ended(run.answer("look", 200, {"x": "whatever"}), "succeeded").verified == ""


def test_a_late_device_is_read_again_within_the_bound() -> None:
    run = Dialogue(changing(MEM, tries=1), mem="2", name="web")
    sent(run.answer("change"), "look")
    assert run.answer("look", 200, {"mem": "1"}) == StartTimer("look", 1)
    sent(run.say(TimerFired("look")), "look", 2)
    ended(run.answer("look", 200, {"mem": "2"}), "succeeded")


def test_what_cannot_be_read_back_is_unknown_with_the_read_that_would_tell() -> None:
    run = Dialogue(changing(MEM, tries=0), mem="2", name="web")
    sent(run.answer("change"), "look")
    end = ended(run.answer("look", 500), "unknown", "not_seen")
    assert end.failure.may_be_done == ("change",)
    assert (end.failure.doubt.request, end.failure.doubt.look) == ("PATCH /vm", "GET /vm")


def test_after_a_difference_nothing_more_is_changed() -> None:
    made = changing(MEM, NAME, after=(step("more", "post", "/more"),))
    end = ended(shown(made, mem="1", name="web"), "partial", "partly_taken")
    assert end.failure.not_done == ("more",)


def test_a_good_answer_of_which_a_part_was_refused_is_partial_with_the_devices_words() -> None:
    run = Dialogue(program(step("batch", "post", "/batch"), inputs=inputs()))
    body = [{"status": 403, "body": "not yours"}, {"status": 201, "body": {}}]
    said = device_words(Profile(api="toy"), "POST /batch", 200, {}, body)
    end = ended(run.say(ResponseArrived("batch", 200, {}, body, said)), "partial", "partly_refused")
    assert end.failure.said == ("request 1: 403, not yours",)


def test_the_branch_that_was_taken_is_told_with_a_good_end() -> None:
    onward = {"name": "there", "type": "goto", "stepId": "last", "x-switchgear": {"message": "It was there."}}
    made = program(
        step("look", "get", "/vm", onSuccess=[onward]), step("make", "post", "/vm"), step("last", "get", "/vm")
    )
    run = Dialogue(made)
    sent(run.answer("look", 200), "last")
    assert ended(run.answer("last", 200), "succeeded").note == "It was there."


def test_what_is_accepted_and_waits_ends_as_pending_with_the_next_workflow() -> None:
    waits = {
        "name": "waits",
        "type": "end",
        "x-switchgear": {"outcome": "pending", "message": "after a restart", "next": "api_restart"},
    }
    made = program(step("change", "patch", "/vm", onSuccess=[waits]))
    end = ended(Dialogue(made).answer("change"), "pending")
    assert (end.note, end.next, end.done) == ("after a restart", "api_restart", ("change",))


def test_a_wait_that_stands_still_is_left_as_unknown() -> None:
    running = retry(100, 10, "$response.body#/state == 'RUNNING'")
    ours = {"role": "wait", "watches": ["$response.body#/percent"], "stalls_after_s": 20}
    made = program(
        step("change", "post", "/vm"),
        step("wait", "get", "/job", successCriteria=ok("$response.body#/state == 'DONE'"), onFailure=[running],
             **{"x-switchgear": ours}),
    )  # fmt: skip
    run = Dialogue(made)
    sent(run.answer("change"), "wait")
    for number, percent in enumerate((1, 2, 2), 1):
        assert run.answer("wait", 200, {"state": "RUNNING", "percent": percent}) == StartTimer("wait", 10)
        sent(run.say(TimerFired("wait")), "wait", number + 1)
    end = ended(run.answer("wait", 200, {"state": "RUNNING", "percent": 2}), "unknown", "stalled")
    assert end.failure.may_be_done == ("change",)


def test_what_the_answer_of_the_change_itself_shows_otherwise_is_no_part_that_was_taken() -> None:
    answered = {"role": "change", "effect": "create", "idempotent": False, "expects": [MEM, NAME]}
    made = program(
        step("change", "post", "/vms", requestBody={"payload": {"mem": "$inputs.mem"}}, **{"x-switchgear": answered}),
        inputs=inputs("mem", "name"),
    )
    run = Dialogue(made, mem="2", name="web")
    end = ended(run.answer("change", 200, {"mem": "1", "name": "web"}), "failed", "not_taken")
    assert (end.failure.done, end.failure.may_be_done) == ((), ("change",))


def test_a_password_inside_what_is_compared_is_not_looked_for() -> None:
    whole = {"place": "/data", "asked": {"password": "one", "name": "$inputs.name"}, "found": "$response.body"}
    end = ended(shown(changing(whole), password="a hash", name="web"), "succeeded")
    assert end.verified == "some"
    assert "/data/password (a secret is not read back)" in end.verified_why


NEW = {"place": "", "before": "$steps.before.outputs.ids", "found": "$response.body#/id", "text": "the VM was there"}


def creating(before: Any, *shown: Any, tries: int = 0) -> EndRun:
    """A creation with a look before; each of `shown` is what the read-back shows."""
    late = retry(tries, 0, **{"x-switchgear": LATE})
    made = program(
        step("before", "get", "/vm", successCriteria=ok("$statusCode != null"), outputs={"ids": "$response.body#/ids"}),
        step("change", "post", "/vm", requestBody={"payload": {"name": "$inputs.name"}}),
        step("look", "get", "/vm", onFailure=[late], **{"x-switchgear": {"role": "read_back", "expects": [NAME, NEW]}}),
        inputs=inputs("name"),
    )
    run = Dialogue(made, name="web")
    run.answer("before", 200 if before is not None else 403, {"ids": before})
    command = run.answer("change", 201, {})
    for each in shown:
        command = run.answer("look", 200, {"name": "web", "id": each})
    assert isinstance(command, EndRun)
    return command


def test_what_was_there_before_was_not_created() -> None:
    end = ended(creating(["a", "b"], "b"), "failed", "there_already")
    assert "no new one was made: the VM was there" in end.failure.message
    assert (end.failure.done, end.failure.may_be_done, end.failure.not_done) == ((), ("change",), ())
    assert (end.verified, end.differences) == ("some", ())


def test_what_was_not_there_before_is_new_and_so_is_one_of_several() -> None:
    assert ended(creating(["a"], "b"), "succeeded").verified == "all"
    assert ended(creating(["a"], ["a", "b"]), "succeeded").verified == "all"
    assert ended(creating("a", "b"), "succeeded").verified == "all"


def test_of_a_list_that_shows_nothing_nobody_concludes_anything() -> None:
    ended(creating([], "a"), "succeeded")
    ended(creating(None, "a"), "succeeded")


def test_a_new_one_that_is_listed_late_is_waited_for() -> None:
    ended(creating(["a"], "a", ["a", "b"], tries=1), "succeeded")


RUNNING = {"place": "/state", "asked": "on", "found": "$response.body#/state", "assumed": True, "against": ["off"]}


def test_a_state_that_is_assumed_is_missed_only_where_its_opposite_is_shown() -> None:
    end = ended(shown(changing(RUNNING), state="off"), "failed", "not_taken")
    assert end.differences[0]["found"] == "off"
    assert ended(shown(changing(RUNNING), state="ON"), "succeeded").verified == "all"
    end = ended(shown(changing(RUNNING), state="starting"), "succeeded")
    assert (end.verified, "it is shown as starting" in end.verified_why) == ("none", True)


def test_a_state_on_the_way_is_worth_another_look() -> None:
    run = Dialogue(changing(RUNNING, tries=1), mem="2", name="web")
    run.answer("change")
    assert run.answer("look", 200, {"state": "stopping"}) == StartTimer("look", 1)
    run.say(TimerFired("look"))
    ended(run.answer("look", 200, {"state": "off"}), "failed", "not_taken")


TAGS = {"place": "/tags", "asked": "$inputs.name", "found": "$response.body#/tags"}


def test_what_was_put_into_a_list_is_looked_for_in_it() -> None:
    made = changing({**TAGS, "among": "in"})
    assert shown(made, tags=["old", "Web"]).verified == "all"
    assert shown(made, tags=[{"id": "web"}]).verified == "all"
    end = ended(shown(made, tags=["old"]), "failed", "not_taken")
    assert end.differences == ({"place": "/tags", "asked": "web", "found": ["old"]},)
    ended(shown(made), "failed", "not_taken")


def test_what_was_taken_out_of_a_list_is_no_longer_in_it() -> None:
    made = changing({**TAGS, "among": "out"})
    assert shown(made, tags=["old"]).verified == "all"
    assert shown(made, tags=None).verified == "all"
    end = ended(shown(made, tags=["old", "web"]), "failed", "not_taken")
    assert "tags is ['old', 'web'] (asked for: without web)" in end.failure.message


def test_what_is_off_and_left_out_is_not_seen_and_no_difference() -> None:
    made = changing({"place": "/on", "asked": False, "found": "$response.body#/on"}, NAME)
    end = ended(shown(made, name="web"), "succeeded")
    assert (end.verified, "the read does not show it" in end.verified_why) == ("some", True)
    ended(shown(made, name="web", on=True), "partial", "partly_taken")


def test_what_was_made_otherwise_than_asked_for_was_made() -> None:
    made = program(
        step(
            "change",
            "post",
            "/vms",
            requestBody={"payload": {"mem": "$inputs.mem"}},
            **{"x-switchgear": {"effect": "create"}},
        ),
        step("look", "get", "/vms/1", **{"x-switchgear": {"role": "read_back", "expects": [MEM]}}),
        inputs=inputs("mem"),
    )
    for status, outcome, code in ((201, "partial", "partly_taken"), (200, "failed", "not_taken")):
        run = Dialogue(made, mem="2")
        run.answer("change", status)
        ended(run.answer("look", 200, {"mem": "1"}), outcome, code)


def test_what_was_sent_empty_is_not_said_to_be_empty_where_it_is_not() -> None:
    ours = {"role": "read_back", "expects": [{"place": "/map", "asked": "$inputs.map", "found": "$response.body#/map"}]}
    made = program(
        step("change", "patch", "/vm", requestBody={"payload": {"map": "$inputs.map"}}),
        step("look", "get", "/vm", **{"x-switchgear": ours}),
        inputs={"type": "object", "properties": {"map": {"type": "object"}}},
    )
    for shows, verified in (({"a": "1"}, "none"), ({}, "all"), (None, "all")):
        run = Dialogue(made, map={})
        run.answer("change")
        assert ended(run.answer("look", 200, {"map": shows}), "succeeded").verified == verified
    run = Dialogue(made, map={"root": {}})
    run.answer("change")
    end = ended(run.answer("look", 200, {"map": {"root": {"type": "none"}}}), "succeeded")
    assert (end.verified, end.verified_why.count("it was sent empty, and is not empty")) == ("none", 1)


def test_of_what_is_not_shown_nobody_says_that_it_is_as_it_was() -> None:
    hidden, other = shown(changing(MEM), name="web"), shown(changing(MEM), mem="1")
    assert "leaves out what is as by default" in ended(hidden, "failed", "not_taken").failure.remedy
    assert "leaves it as it was" in ended(other, "failed", "not_taken").failure.remedy


def test_an_object_and_a_text_that_reads_like_it_are_told_so_that_they_differ() -> None:
    difference = {"place": "/value", "asked": {"k": 1}, "found": "{'k': 1}"}
    assert told(difference) == """value is "{'k': 1}" (asked for: {"k": 1})"""
