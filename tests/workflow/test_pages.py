"""Lists in pages: what is asked for next, how pages are put together, and where it ends."""

from typing import Any

import pytest

from tests.workflow.dialogue import Dialogue, ended, sent
from tests.workflow.documents import document, parameter, program, step, workflow
from workflow.checking.checks import check
from workflow.programs.program import Program
from workflow.replies.pages import _once
from workflow.requests.events import Pairs

FOUND = {"context": "$response.body", "selector": "$.items[?@.name == 'web-02'].id", "type": "jsonpath"}
ONE = {
    "context": "$response.body",
    "condition": "$.items[?count($.items[?@.name == 'web-02']) == 1]",
    "type": "jsonpath",
}


def looking(most: int = 5, **pages: Any) -> Program:
    ours = {"effect": "read", "pages": {"members": "/items", "most": most, **pages}}
    outputs = {"outputs": {"id": FOUND}, "successCriteria": [ONE], "x-switchgear": ours}
    look = step("look", parameters=[parameter("limit", "query", 2)], **outputs)
    return program(look, outputs={"id": "$steps.look.outputs.id"})


def page(*names: str, **beside: Any) -> dict[str, Any]:
    return {"items": [{"name": name, "id": f"id-{name}"} for name in names], **beside}


def asked(command: Any, number: int) -> Pairs:
    return sent(command, "look", number).query


BY_ITEMS = {"by": "items", "parameter": "offset"}
WAYS = {
    "items": (BY_ITEMS, {}, {}, ("offset", "2")),
    "pages": ({"by": "pages", "parameter": "page", "first": 1}, {}, {}, ("page", "2")),
    "last": ({"by": "last", "parameter": "marker", "at": "/id"}, {}, {}, ("marker", "id-web-01")),
    "token": ({"by": "token", "parameter": "resume", "at": "/resume"}, {"resume": "t-1"}, {}, ("resume", "t-1")),
    "link": ({"by": "link", "at": "/next"}, {"next": "https://device/api/things?skip=2"}, {}, ("skip", "2")),
    "header": ({"by": "link", "at": "header.link"}, {}, {"link": '</things?after=2>; rel="next"'}, ("after", "2")),
}


@pytest.mark.parametrize("way", WAYS)
def test_pages_are_put_together_before_anything_is_looked_for(way: str) -> None:
    pages, beside, headers, position = WAYS[way]
    run = Dialogue(looking(**pages))
    assert asked(run.first, 1) == (("limit", "2"),)

    command = run.answer("look", 200, page("web-00", "web-01", **beside), **headers)
    assert position in asked(command, 2)

    command = run.answer("look", 200, page("web-02"))
    if way in ("items", "pages", "last"):  # a page with fewer than asked for may still have another after it
        asked(command, 3)
        command = run.answer("look", 200, page())
    assert ended(command, "succeeded").outputs == {"id": "id-web-02"}


def test_a_list_that_is_asked_for_by_post_goes_on_in_its_body() -> None:
    pages = {"by": "items", "parameter": "/page/offset", "within": "body", "members": "/items", "most": 5}
    ours = {"effect": "read", "pages": pages}
    body = {"contentType": "application/json", "payload": {"page": {"limit": 2}}}
    look = step("look", "post", "/things/search", requestBody=body, outputs={"id": FOUND}, **{"x-switchgear": ours})
    run = Dialogue(program(look, outputs={"id": "$steps.look.outputs.id"}))
    assert sent(run.first, "look", 1).body == {"page": {"limit": 2}}
    command = run.answer("look", 200, page("web-00", "web-01"))
    assert sent(command, "look", 2).body == {"page": {"limit": 2, "offset": 2}}
    command = run.answer("look", 200, page("web-02"))
    assert sent(command, "look", 3).body == {"page": {"limit": 2, "offset": 3}}
    assert ended(run.answer("look", 200, page()), "succeeded").outputs == {"id": "id-web-02"}


def test_two_of_one_name_on_different_pages_are_both_seen() -> None:
    run = Dialogue(looking(**BY_ITEMS))
    run.answer("look", 200, page("web-02", "web-01"))
    run.answer("look", 200, page("web-02"))
    ended(run.answer("look", 200, page()), "failed", "unexpected_reply")


def test_a_list_that_is_longer_than_the_bound_fails_and_is_not_taken_for_whole() -> None:
    run = Dialogue(looking(most=2, **BY_ITEMS))
    run.answer("look", 200, page("web-02", "web-01"))
    end = ended(run.answer("look", 200, page("web-03", "web-04")), "failed", "too_many")
    assert "more than 4 items on 2 pages" in end.failure.message


def test_a_list_that_may_be_cut_tells_where_to_go_on() -> None:
    ours = {"effect": "read", "pages": {"members": "", "most": 1, "cut": True, **BY_ITEMS}}
    outputs = {"all": "$response.body", "next": "$response.header.x-next-page"}
    run = Dialogue(
        program(
            step("look", outputs=outputs, **{"x-switchgear": ours}),
            outputs={"all": "$steps.look.outputs.all", "next": "$steps.look.outputs.next"},
        )
    )
    assert ended(run.answer("look", 200, ["a", "b"]), "succeeded").outputs == {"all": ["a", "b"], "next": "2"}


def test_a_device_that_gives_the_same_page_again_does_not_page() -> None:
    run = Dialogue(looking(**BY_ITEMS))
    run.answer("look", 200, page("web-02", "web-01"))
    ended(run.answer("look", 200, page("web-02", "web-01")), "succeeded")


def test_a_next_page_at_another_address_is_not_asked_for() -> None:
    run = Dialogue(looking(by="link", at="/next"))
    ended(run.answer("look", 200, page("web-01", next="/users?x=1")), "failed", "page_elsewhere")


def test_a_page_that_fails_ends_the_run_as_any_reply_does_and_is_told_with_its_number() -> None:
    run = Dialogue(looking(**BY_ITEMS))
    run.answer("look", 200, page("web-02", "web-01"))
    failure = ended(run.answer("look", 500), "failed", "unexpected_status").failure
    assert "was answered with 500 on page 2 of a list, after 2 items, and the step" in failure.message


@pytest.mark.parametrize(
    "pages",
    [
        {"by": "guess", "parameter": "x", "most": 1},
        {"by": "items", "most": 1},
        {"by": "items", "parameter": "x"},
        {"by": "items", "parameter": "x", "most": 1_000_000},
        {"by": "token", "parameter": "x", "most": 1, "at": "no pointer"},
    ],
)
def test_pages_without_a_bound_or_a_way_are_an_error(pages: dict[str, Any]) -> None:
    ours = {"x-switchgear": {"effect": "read", "pages": pages}}
    assert [f.code for f in check(document(workflow(step("look", **ours))))] == ["bad_pages"]


def test_only_a_step_that_changes_nothing_may_be_sent_once_a_page() -> None:
    ours = {"x-switchgear": {"pages": {"most": 1, **BY_ITEMS}}}
    assert "bad_pages" in [f.code for f in check(document(workflow(step("make", "post", **ours))))]


MORE: dict[str, dict[str, Any]] = {
    "a mark": {"has_more": True},
    "a mark in a group": {"meta": {"isTruncated": True}},
    "a token that nobody asked for": {"metadata": {"continue": "abc"}},
    "a number of what is left": {"remainingItemCount": 7},
}
WHOLE: dict[str, dict[str, Any]] = {
    "a mark that says no": {"has_more": False},
    "an empty token": {"metadata": {"continue": ""}},
    "nothing left": {"remainingItemCount": 0},
    "a text": {"more": "see the manual"},
}


@pytest.mark.parametrize("beside", MORE.values(), ids=MORE)
def test_a_list_that_says_that_there_is_more_and_not_where_is_not_whole(beside: dict[str, Any]) -> None:
    end = ended(Dialogue(looking(by="reply")).answer("look", 200, page("web-02", **beside)), "succeeded")
    assert "there may be more" in end.note


@pytest.mark.parametrize("beside", WHOLE.values(), ids=WHOLE)
def test_a_list_that_says_that_this_is_all_is_whole(beside: dict[str, Any]) -> None:
    assert not ended(Dialogue(looking(by="reply")).answer("look", 200, page("web-02", **beside)), "succeeded").note


def test_a_part_of_a_list_is_not_whole() -> None:
    end = ended(Dialogue(looking(by="reply")).answer("look", 206, page("web-02")), "succeeded")
    assert "there may be more" in end.note


def test_what_a_list_names_twice_just_as_it_was_is_one_thing_and_two_of_one_id_are_two() -> None:
    one, other = {"id": 1, "name": "a"}, {"id": 1, "name": "b"}
    assert _once(("id",), [one, dict(one), {"id": 2}]) == [one, {"id": 2}]
    assert _once(("id",), [one, other]) == [one, other]
    assert _once(("id",), [{"name": "a"}, {"name": "a"}]) == [{"name": "a"}, {"name": "a"}]


def test_a_list_that_comes_without_the_envelope_that_is_described_is_that_list() -> None:
    run = Dialogue(looking(by="link", at="/next"))
    end = ended(run.answer("look", 200, page("web-01", "web-02")["items"][1:]), "succeeded")
    assert end.outputs == {"id": "id-web-02"}
    assert "there may be more" in end.note
    ended(Dialogue(looking(by="link", at="/next")).answer("look", 200, [page("web-02")]), "failed", "not_a_list")


BY_COUNT = [WAYS["items"][0], WAYS["pages"][0]]


@pytest.mark.parametrize("pages", BY_COUNT)
def test_a_page_that_was_only_counted_to_and_is_not_there_is_behind_the_last_one(pages: dict[str, Any]) -> None:
    run = Dialogue(looking(**pages))
    asked(run.answer("look", 200, page("web-01", "web-02")), 2)
    end = ended(run.answer("look", 404, {"detail": "Invalid page."}), "succeeded")
    assert end.outputs == {"id": "id-web-02"}
    run = Dialogue(looking(**pages))
    asked(run.answer("look", 200, page("web-01", count=3)), 2)
    ended(
        run.answer("look", 404, {"detail": "Invalid page."}), "failed", "list_incomplete"
    )  # there are more, and they do not come
    ended(Dialogue(looking(**pages)).answer("look", 404, {"detail": "No such site."}), "failed", "unexpected_status")


def test_a_page_that_was_said_to_be_there_and_is_not_is_no_end_of_the_list() -> None:
    run = Dialogue(looking(**WAYS["link"][0]))
    asked(run.answer("look", 200, page("web-02", **WAYS["link"][1])), 2)
    ended(run.answer("look", 404), "failed", "unexpected_status")


@pytest.mark.parametrize("pages", BY_COUNT)
def test_no_page_is_asked_for_after_the_one_whose_next_is_null(pages: dict[str, Any]) -> None:
    end = ended(Dialogue(looking(**pages)).answer("look", 200, page("web-02", next=None, previous=None)), "succeeded")
    assert end.outputs == {"id": "id-web-02"}
    for more in ({"next": None, "has_more": True}, {"previous": None}):
        asked(Dialogue(looking(**pages)).answer("look", 200, page("web-02", **more)), 2)
