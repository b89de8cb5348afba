"""What a good answer accounts for: failed parts, numbers, words, and things that it leaves out."""

from typing import Any

import pytest

from workflow.replies.accounts import (
    counted_failures,
    failed_parts,
    is_empty_page,
    left_out,
    names_nothing,
    waits_for_restart,
    warnings_of,
    without_failures,
)
from workflow.replies.answers import refuses_all


@pytest.mark.parametrize(
    "job",
    [
        {"state": "COMPLETED", "results": [{"item": "disk 1", "state": "OK"}, {"item": "disk 2", "state": "FAILED"}]},
        {"state": "COMPLETED", "message": "ok", "errorCount": 1},
        {"state": "done", "failed": 2, "succeeded": 3},
        {"state": "done", "message": "Completed with errors"},
        {"state": "done", "message": "1 of 3 failed"},
        [{"state": "done", "message": "Partially applied"}],
        {"type": "sync", "metadata": {"status": "Success", "metadata": {"return": 3}}},
        {"state": "done", "result": {"exit_code": 1}},
    ],
)
def test_a_job_that_ended_well_tells_which_parts_failed(job: Any) -> None:
    assert failed_parts(job)
    assert isinstance(job, list) or not failed_parts(without_failures({**job, "message": ""}))


@pytest.mark.parametrize(
    "job",
    [
        {"state": "COMPLETED", "message": "Completed without errors. 0 failed, 2 succeeded.", "errorCount": 0},
        {"state": "COMPLETED", "results": [{"item": "disk 1", "state": "COMPLETED"}], "message": None},
        {"state": "done", "errors": [], "progress": 100},
        {"type": "sync", "metadata": {"status": "Success", "metadata": {"return": 0}}},
    ],
)
def test_a_job_of_which_nothing_failed_tells_of_no_parts(job: Any) -> None:
    assert failed_parts(job) == ()


def test_a_report_counts_failures_and_a_thing_counts_what_it_likes() -> None:
    assert counted_failures({"status": "ok", "succeeded": 0, "failed": 1, "message": "locked by bob"}) == ("failed 1",)
    assert counted_failures({"modified": 0}) == ("modified 0",)
    told = {"processed_items": 0, "reload": True, "detail": "Deleted 0 tasks"}
    assert counted_failures(told) == ("processed items 0",)
    assert counted_failures({**told, "processed_items": 2}) == counted_failures({**told, "colour": "red"}) == ()
    assert counted_failures({"id": "eth0", "mtu": 1500, "errors": 12}) == ()
    assert counted_failures({"status": "ok", "failed": 0}) == ()


def test_an_answer_that_names_fewer_things_than_were_asked_for_leaves_some_out() -> None:
    sent = {"ids": ["v-1", "v-3"]}
    assert left_out({"deleted": ["v-1"]}, sent) == (2, ("v-3",))
    assert left_out({"deleted": []}, sent) == (2, ("v-1", "v-3"))
    assert left_out({"deleted": 1}, sent) == (2, ())
    assert left_out({"deleted": ["v-3", "v-1"]}, sent) is None
    assert left_out({"deleted": ["elsewhere"]}, sent) is None
    assert left_out({"tags": ["v-1"]}, sent) is None


def test_a_report_of_what_was_done_that_lists_fewer_things_than_were_sent_leaves_some_out() -> None:
    two = [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]
    orders = {"actions": [{"action": "create", "entities": two}, {"action": "delete", "entities": ["c"]}]}

    def report(*done: str, errors: tuple[str, ...] = ()) -> dict[str, Any]:
        return {"create": {"success": [*done], "errors": [*errors]}, "delete": {"success": ["c"], "errors": []}}

    assert left_out(report("b"), orders) == (3, ("a",))
    assert left_out(report("a", "b"), orders) is None
    assert left_out(report("elsewhere"), orders) is None
    assert left_out(report("b", errors=("a is locked",)), orders) is None
    assert left_out({"success": ["b"], "errors": []}, two) == (2, ("a",))
    assert left_out({"success": ["b"]}, two) is None


def test_a_page_with_a_total_of_nothing_is_empty_and_a_thing_with_an_empty_list_is_none() -> None:
    assert is_empty_page({"racks": [], "total_entries": 0})
    assert is_empty_page({"data": [], "meta": {"total": 0}})
    assert not is_empty_page({"racks": [], "total_entries": 2})
    assert not is_empty_page({"servers": []})
    assert not is_empty_page({"id": "r-1", "racks": [], "total": 0})
    assert not is_empty_page({"errors": [], "total": 0})
    assert not is_empty_page([])


def test_a_list_of_fewer_things_than_were_named_leaves_some_out() -> None:
    assert left_out([], {"names": ["lab"], "slots": 2}) == (1, ("lab",))
    assert left_out([{"name": "lab", "limit": 3}], {"names": ["lab", "rack"]}) == (2, ("rack",))
    assert left_out([{"id": "b-1", "size": 2}], [{"id": "b-1", "size": 2}, {"id": "b-2", "size": 3}]) == (2, ("b-2",))
    assert left_out([{"name": "lab"}], {"names": ["lab"]}) is None
    assert left_out([], {"slots": 2}) is None
    assert left_out([], [{"name": "new"}]) is None


def test_an_answer_of_empty_lists_and_counts_of_nothing_names_nothing_unless_they_are_of_what_went_wrong() -> None:
    assert names_nothing({"task_instances": [], "total_entries": 0})
    assert names_nothing({"success": [], "errors": []})
    assert names_nothing({"create": {"success": [], "errors": []}, "update": None})
    assert not names_nothing({"create": {"success": ["a"], "errors": []}, "update": None})
    assert not names_nothing({"errors": [], "error_count": 0})
    assert not names_nothing({"instances": ["i-1"], "errors": []})
    assert not names_nothing({"id": "b-1", "items": []})
    assert not names_nothing({"removed": 0})
    assert not any(map(names_nothing, ({}, [], None, "")))


def test_a_job_that_needs_a_restart_says_so_and_one_that_needs_none_does_not() -> None:
    assert waits_for_restart({"message": "Staged. A reboot is required to apply the update."})
    assert waits_for_restart({"message": "It is in force after the next restart."})
    assert not waits_for_restart({"message": "Done. No reboot is required."})
    assert not waits_for_restart({"message": "The reboot is over."})


def test_what_a_job_warns_of_is_told_in_its_own_sentences() -> None:
    assert warnings_of({"warnings": ["not quiesced", {"message": "slow"}]}) == ("not quiesced", "slow")
    assert warnings_of({"warnings": 2}) == ()


def test_of_answers_some_of_which_say_no_more_than_that_they_are_fine_not_all_are_refusals() -> None:
    assert refuses_all([{"id": "v-1", "status": 200}, {"id": "v-3", "status": 423, "message": "locked"}]) is None
