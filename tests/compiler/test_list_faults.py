"""Lists as devices give them: in pages of every form, not whole, in circles, and replies that are no list at all.

Each row is a device that has 120 things and what three workflows may make of it: finding all things, describing one
that is on the last page, and making sure that one is there that is not. None of them may claim what the list does not
show; making sure never makes a second thing because a list did not come whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from tests.compiler.listing import Answer, List, Query, play, program_of, shop

TOTAL, SIZE = 120, 50
THINGS = [{"id": f"t-{number}", "name": f"thing {number}"} for number in range(TOTAL)]


@dataclass(frozen=True)
class Row:
    """`listed`: how many things are found, None where finding fails. `code`: what looking for a thing that the list
    does not show ends with; "" where the list is whole. `says`: in what is told of either.
    """

    device: List
    listed: int | None = TOTAL
    code: str = ""
    says: str = ""


def paged(where: str, *, total: str = "", size: int = SIZE, things: Any = None, bare: bool = False) -> List:
    """Pages of `size` linked by what `where` says; `total`: the member that counts all."""
    held = THINGS if things is None else things

    def device(query: Query) -> Answer:
        start = int(query.get("skip", "0"))
        more = start + size < len(held)
        headers, beside = LINKS[where](f"skip={start + size}") if more else ({}, {})
        counted = {total: len(held)} if total else {}
        page = held[start : start + size]
        return 200, headers, page if bare else {"items": page, **beside, **counted}

    return device


def header(text: str) -> Any:
    return lambda query: ({"link": text.replace("NEXT", query)}, {})


def body(**members: Any) -> Any:
    return lambda query: ({}, _filled(members, query))


def _filled(value: Any, query: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(member, query) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, query) for member in value]
    return value.replace("NEXT", query) if isinstance(value, str) else value


LINKS: dict[str, Any] = {
    "members@odata.nextLink": body(**{"items@odata.nextLink": "/things?NEXT"}),
    "@odata.nextLink": body(**{"@odata.nextLink": "/things?NEXT"}),
    "another case": body(**{"Items@Odata.NextLink": "/things?NEXT"}),
    "nextLink": body(nextLink="https://device.lab:8443/things?NEXT"),
    "HAL": body(_links={"self": {"href": "/things"}, "next": {"href": "/things?NEXT"}}),
    "JSON:API": body(links={"self": "/things", "next": "/things?NEXT"}),
    "links by relation": body(links=[{"rel": "self", "href": "/things"}, {"rel": "next", "href": "/things?NEXT"}]),
    "a next in paging": body(paging={"next": "/things?NEXT"}),
    "next": body(next="http://device/api/things?NEXT"),
    "a relative next": body(next="?NEXT"),
    "relative to the list": body(next="things?NEXT"),
    "a Link header": header('</things?NEXT>; rel="next"'),
    "several relations": header('</things?NEXT>; rel="prefetch next"'),
    "any letter case": header("</things?NEXT>; REL=Next"),
    "several links": header('</things?skip=0>; rel=first, </things?NEXT>; rel=next, </things?skip=100>; rel="last"'),
    "quoted commas": header(
        '</things?skip=0>; title="one, <two>; rel=\\"next\\", three"; rel=prev, </things?NEXT>;rel=next'
    ),
    "another thing's link": header(
        '</things?skip=7>; rel=next; anchor="/other", </things?NEXT>; rel=next; anchor="/things"'
    ),
    "the first rel counts": header("</things?skip=7>; rel=prev; rel=next, </things?NEXT>; rel=next"),
    "elsewhere": body(next="/others?NEXT"),
    "a date": body(next="2026-11-28"),
}
WHOLE_LINKS = [name for name in LINKS if name not in ("elsewhere", "a date")]


def short(beside: Mapping[str, Any] = {}, headers: Mapping[str, str] = {}) -> List:
    """The first 50, no way on, and what is said beside them."""
    return lambda _query: (200, headers, {"items": THINGS[:SIZE], **beside})


def instead(value: Any, status: int = 200) -> List:
    """Something else in the place of the list."""
    return lambda _query: (status, {}, value)


def to_itself(beside: Mapping[str, Any] = {}) -> List:
    def device(query: Query) -> Answer:
        start = int(query.get("skip", "0"))
        onward = min(start + SIZE, SIZE)
        return 200, {}, {"items": THINGS[start : start + SIZE], "@odata.nextLink": f"/things?skip={onward}", **beside}

    return device


def same_again(query: Query) -> Answer:
    """The same things under ever new addresses."""
    start = int(query.get("skip", "0"))
    return 200, {}, {"items": THINGS[:SIZE], "next": f"/things?skip={start + SIZE}"}


def shifting(query: Query) -> Answer:
    """A thing is put in front while the list is read: the last of each page comes once more."""
    start = max(0, int(query.get("skip", "0")) - (1 if "skip" in query else 0))
    end = start + SIZE
    return 200, {}, {"items": THINGS[start:end], **({"next": f"/things?skip={end}"} if end < TOTAL else {})}


def fails_later(value: Any) -> List:
    """A first page that leads on to what is no list."""
    first = {"items": THINGS[:SIZE], "next": "/things?skip=50"}
    return lambda query: (200, {}, value if query else first)


LAST = [{"error": {"code": 403, "message": "not for you"}}]
INCOMPLETE = "incomplete"
ROWS: dict[str, Row] = {
    **{f"pages by {name}": Row(paged(name)) for name in WHOLE_LINKS},
    "a next that is no address": Row(instead({"items": THINGS, "next": "2026-11-28"})),
    "the next page elsewhere": Row(paged("elsewhere"), SIZE, "list_incomplete", "/others"),
    "OData's count says more": Row(short({"@odata.count": TOTAL}), SIZE, "list_incomplete", "50 of 120"),
    "Redfish's count says more": Row(short({"items@odata.count": TOTAL}), SIZE, "list_incomplete", "50 of 120"),
    "total says more": Row(short({"total": TOTAL}), SIZE, "list_incomplete", "50 of 120"),
    "total_count says more": Row(short({"total_count": TOTAL}), SIZE, "list_incomplete", "50 of 120"),
    "totalResults says more": Row(short({"totalResults": str(TOTAL)}), SIZE, "list_incomplete", "50 of 120"),
    "count says more": Row(short({"count": TOTAL}), SIZE, "list_incomplete", "50 of 120"),
    "a total in meta says more": Row(short({"meta": {"total": TOTAL}}), SIZE, "list_incomplete", "50 of 120"),
    "X-Total-Count says more": Row(short({}, {"x-total-count": str(TOTAL)}), SIZE, "list_incomplete", "50 of 120"),
    "Content-Range says more": Row(short({}, {"content-range": "items 0-49/120"}), SIZE, "list_incomplete", "of 120"),
    "count is of the page": Row(paged("next", total="")),
    "pages and a total": Row(paged("@odata.nextLink", total="@odata.count")),
    "pages with a total beyond": Row(
        paged("next", things=[*THINGS[:100]], total="totalCount"), 100, "not_found", "There is no"
    ),
    "a link to itself": Row(to_itself(), 100, "page_loop", INCOMPLETE),
    "a link to itself, though all came": Row(
        lambda _query: (200, {}, {"items": THINGS, "@odata.count": TOTAL, "@odata.nextLink": "/things"}), TOTAL
    ),
    "the same page for ever": Row(same_again, SIZE, "list_incomplete", INCOMPLETE),
    "a list that shifts": Row(shifting, TOTAL, "", "came on two pages"),
    "one could not be read": Row(instead({"items": [*THINGS[:7], *LAST]}), 8, "list_incomplete", "1 of them could"),
    "one came as null": Row(instead({"items": [*THINGS[:7], None]}), 8, "list_incomplete", "1 of them could"),
    "an error object": Row(instead({"error": {"code": 503, "message": "busy"}}), None, "not_a_list", "object with"),
    "null": Row(instead(None), None, "not_a_list", "null"),
    "no content": Row(instead(None, 204), None, "not_a_list", "204"),
    "HTML": Row(instead("<html><title>Log in</title></html>"), None, "not_a_list", "an HTML page"),
    "a text": Row(instead("ok"), None, "not_a_list", "a text"),
    "an object for a list": Row(instead({"items": {"t-1": THINGS[0]}}), None, "not_a_list", "no list at /items"),
    "a null for a list": Row(instead({"items": None}), None, "not_a_list", "no list at /items"),
    "a null, and a total of none": Row(instead({"items": None, "total": 0}), 0, "not_found", "There is no"),
    "an empty object": Row(instead({}), None, "not_a_list", "an empty object"),
    "a bare list for an object": Row(instead(THINGS[:SIZE]), SIZE, "list_incomplete", "there may be more"),
    "an error on page two": Row(fails_later({"error": "gone"}), None, "not_a_list", "page 2"),
    "an empty list": Row(instead({"items": []}), 0, "not_found", "There is no"),
}  # fmt: skip


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return shop(tmp_path_factory.mktemp("shop"))


def test_there_are_more_than_twenty_faults() -> None:
    assert sum(bool(row.code) for row in ROWS.values()) > 20


@pytest.mark.parametrize("name", ROWS)
def test_finding_gives_what_came_and_says_what_did_not(things: Compiled, name: str) -> None:
    row = ROWS[name]
    played = play(program_of(things, "find"), row.device)
    if row.listed is None:
        assert (played.end.outcome, played.code) == ("failed", "not_a_list")
        assert row.says in played.said
        return
    assert played.end.outcome == "succeeded", played.said
    assert len(played.end.outputs["items"]) == row.listed
    is_short = row.code not in ("", "not_found")
    assert ("incomplete" in played.end.outputs) == is_short
    assert not is_short or (INCOMPLETE in played.said and row.says in played.said)
    assert bool(played.said.strip()) == (is_short or "two pages" in row.says)


@pytest.mark.parametrize("name", ROWS)
def test_what_is_not_listed_is_called_missing_only_where_the_list_is_whole(things: Compiled, name: str) -> None:
    row = ROWS[name]
    played = play(program_of(things, "describe"), row.device, thing="thing 119")
    if row.code:
        assert (played.end.outcome, played.code) == ("failed", row.code)
        assert row.says in played.said
    else:
        assert (played.end.outcome, played.code) == ("succeeded", ""), played.said


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.code not in ("", "not_found")])
def test_nothing_is_made_because_a_list_did_not_show_it(things: Compiled, name: str) -> None:
    played = play(program_of(things, "ensure"), ROWS[name].device, name="thing 119", note="as it should be")
    assert (played.end.outcome, played.code) == ("failed", ROWS[name].code)
    assert played.changes == []


def test_a_thing_that_a_whole_list_does_not_show_is_made(things: Compiled) -> None:
    made = [*THINGS, {"id": "t-0", "name": "thing 900"}]
    asked: list[Query] = []

    def device(query: Query) -> Answer:
        asked.append(query)
        return 200, {}, {"items": THINGS if len(asked) == 1 else made}

    played = play(program_of(things, "ensure"), device, name="thing 900")
    assert played.changes == ["POST"], played.end


def test_in_a_list_that_is_not_whole_only_an_id_says_which_one_is_to_go(things: Compiled) -> None:
    plan, device = program_of(things, "delete"), short({"total": TOTAL})
    by_name = play(plan, device, thing="thing 7")
    assert (by_name.code, by_name.changes) == ("list_incomplete", [])
    by_id = play(plan, device, thing="t-7")
    assert (by_id.end.outcome, by_id.changes) == ("succeeded", ["DELETE"])
    assert "50 of 120" in by_id.end.note


def test_reading_by_name_from_a_list_that_is_not_whole_says_so(things: Compiled) -> None:
    played = play(program_of(things, "describe"), short({"total": TOTAL}), thing="thing 7")
    assert played.end.outcome == "succeeded" and "50 of 120" in played.end.note


def test_two_of_one_name_are_two_even_in_a_list_that_is_not_whole(things: Compiled) -> None:
    twins = {"items": [*THINGS[:5], {"id": "t-900", "name": "thing 3"}], "total": TOTAL}
    assert play(program_of(things, "delete"), instead(twins), thing="thing 3").code == "ambiguous"


def test_a_thing_that_comes_on_two_pages_is_one_thing(things: Compiled) -> None:
    played = play(program_of(things, "delete"), shifting, thing="thing 49")
    assert (played.end.outcome, played.changes) == ("succeeded", ["DELETE"])


@pytest.mark.parametrize("given", ["7", "thing 7"])
def test_ids_that_come_as_numbers_are_the_ids_that_were_given_as_texts(things: Compiled, given: str) -> None:
    numbered = {"items": [{"id": number, "name": f"thing {number}"} for number in range(20)]}
    assert play(program_of(things, "describe"), instead(numbered), thing=given).end.outcome == "succeeded"


def test_the_profile_says_which_number_is_no_total(tmp_path: Path) -> None:
    capacity = instead({"items": THINGS[:4], "total": 64})
    assert "64" in play(program_of(shop(tmp_path), "find"), capacity).end.note
    told = shop(tmp_path, paging={"by": "none", "total": "none"})
    assert play(program_of(told, "find"), capacity).end.note == ""
    at = shop(tmp_path, paging={"by": "none", "total": "/inStock"})
    assert "4 of 9" in play(program_of(at, "find"), instead({"items": THINGS[:4], "inStock": 9})).end.note


def test_a_bare_list_is_followed_by_its_link_header(tmp_path: Path) -> None:
    compiled = shop(tmp_path, members="")
    played = play(program_of(compiled, "find"), paged("several links", bare=True))
    assert len(played.end.outputs["items"]) == TOTAL
    assert play(program_of(compiled, "describe"), instead([]), thing="x").code == "not_found"
    assert play(program_of(compiled, "describe"), instead({"error": "busy"}), thing="x").code == "not_a_list"


def test_a_list_that_was_asked_for_from_its_middle_is_whole_with_the_rest(tmp_path: Path) -> None:
    compiled = shop(tmp_path, paging={"by": "items", "parameter": "offset", "most": 9})
    plan = program_of(compiled, "describe")

    def device(query: Query) -> Answer:
        start = int(query.get("offset", "0"))
        return 200, {}, {"items": THINGS[start : start + SIZE], "total": TOTAL}

    played = play(plan, device, thing="thing 119")
    assert (played.end.outcome, played.end.note) == ("succeeded", "")
    assert [query.get("offset") for query in played.reads[:4]] == [None, "50", "100", "120"]
