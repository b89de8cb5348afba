"""Which workflows are listed as tools: all while they fit, the core when they do not; and when clients hear of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from runtime.catalog.listing import DEFAULT, UNBOUNDED, Budget, Candidate, listing_of
from runtime.catalog.snapshot import RESERVED_NAMES
from workflow.budget import MOST_TOKENS, MOST_TOOLS, RESERVED_TOKENS, RESERVED_TOOLS

ROOM = MOST_TOKENS - RESERVED_TOKENS
MANY = MOST_TOOLS + 5


def candidates(count: int, *, core: int = 0, api: str = "toy", tokens: int = 10) -> list[Candidate]:
    """The first `core` of them are core; ranks fall."""
    return [Candidate(f"{api}_{n}", api, n < core, 1 - n / 1000, tokens) for n in range(count)]


def listed_names(ones: Iterable[Candidate], budget: Budget = DEFAULT) -> frozenset[str]:
    return listing_of(ones, budget).names


def test_all_are_listed_while_they_fit() -> None:
    few = candidates(MOST_TOOLS - RESERVED_TOOLS)
    assert listed_names(few) == {one.name for one in few}


@pytest.mark.parametrize("too_much", [{"count": MANY}, {"count": 5, "tokens": ROOM // 4}])
def test_of_what_does_not_fit_the_core_is_listed(too_much: Any) -> None:
    assert listed_names(candidates(core=3, **too_much)) == {"toy_0", "toy_1", "toy_2"}


def test_without_any_core_nothing_of_what_does_not_fit_is_listed() -> None:
    assert listed_names(candidates(MANY)) == frozenset()


def test_too_many_core_ones_are_listed_by_rank_as_far_as_they_fit() -> None:
    ones = candidates(MANY, core=MANY, tokens=ROOM // 10)
    assert listed_names(reversed(ones)) == {one.name for one in ones[:10]}
    small = candidates(MANY, core=MANY, tokens=1)
    assert len(listed_names(small)) == MOST_TOOLS - RESERVED_TOOLS


def test_of_a_small_api_beside_a_big_one_all_is_listed_while_there_is_room() -> None:
    big, small = candidates(MANY, core=2, api="big"), candidates(4, api="small")
    assert listed_names([*big, *small]) == {"big_0", "big_1", *(one.name for one in small)}


def test_everything_is_listed_where_that_is_asked_for() -> None:
    assert len(listed_names(candidates(MANY), UNBOUNDED)) == MANY


def test_twenty_apis_share_one_budget_so_that_each_has_a_tool() -> None:
    many = [one for number in range(20) for one in candidates(MANY, core=20, api=f"api{number:02}", tokens=100)]
    listing = listing_of(many)
    assert len(listing.names) <= MOST_TOOLS - RESERVED_TOOLS
    cost = RESERVED_TOKENS + len(listing.searched) // 4 + 100 * len(listing.names)
    assert cost <= MOST_TOKENS
    assert {name.partition("_")[0] for name in listing.names} == {f"api{number:02}" for number in range(20)}


def test_an_api_that_is_used_more_gets_more_of_the_turns_but_never_all() -> None:
    used = [replace(one, uses=50) for one in candidates(MANY, core=MANY, api="used")]
    names = listed_names([*used, *candidates(MANY, core=MANY, api="new")])
    mine = [name for name in names if name.startswith("used")]
    assert len(names) / 2 < len(mine) < len(names)


def test_what_is_used_most_is_listed_before_what_ranks_higher() -> None:
    ones = candidates(MANY, core=MANY)
    ones[-1] = replace(ones[-1], uses=9)
    assert ones[-1].name in listed_names(ones, Budget(tools=RESERVED_TOOLS + 1))


def test_a_line_for_each_api_says_what_can_be_searched_and_is_cut_where_there_are_many() -> None:
    things = [replace(one, thing="VM") for one in candidates(MANY, core=1, api="one")]
    assert listing_of([*things, *candidates(3, api="two")]).searched == f"one {MANY} (VM); two 3"
    assert listing_of(things).searched == ""
    many = [Candidate(f"a_rather_long_name_{n}_x", f"a_rather_long_name_{n}", True, 1.0, 10) for n in range(500)]
    searched = listing_of(many).searched
    assert searched.endswith("more APIs")
    assert len(searched) < MOST_TOKENS


def test_a_smaller_budget_is_kept_to() -> None:
    assert len(listed_names(candidates(MANY, core=MANY), Budget(tools=8))) == 8 - RESERVED_TOOLS
    assert len(listed_names(candidates(MANY, core=MANY, tokens=100), Budget(tokens=RESERVED_TOKENS + 600))) == 6


@pytest.fixture
async def crowded(house: Any, device: Any) -> Any:
    """More approved than fits: two core ones, the others not."""
    await house.target(device.url)
    await house.approve("find")
    await house.approve("stop")
    for number in range(MOST_TOOLS):
        await house.approve("find", number, is_core=False)
    await house.service.live.reload()
    return house


async def test_a_snapshot_lists_the_core_and_holds_the_rest(crowded: Any) -> None:
    catalog = crowded.service.live.now
    assert [entry.name for entry in catalog.listed] == ["toy_find_vm", "toy_stop_vm"]
    assert catalog.hides_some
    assert len(catalog.entries) == MOST_TOOLS + 2


async def test_the_version_stays_when_only_something_hidden_changes(crowded: Any) -> None:
    before = crowded.service.live.now.version
    await crowded.approve("find", 99, is_core=False)
    hidden = (await crowded.service.live.reload()).version
    await crowded.approve("list")
    assert hidden == before != (await crowded.service.live.reload()).version


async def test_the_version_differs_when_the_tools_that_search_appear(house: Any) -> None:
    await house.approve("find", 10)
    first = (await house.service.live.reload()).listed[0]
    for number in range(11, 10 + min(ROOM // first.prepared.tokens, MOST_TOOLS - RESERVED_TOOLS)):
        await house.approve("find", number)
    before = await house.service.live.reload()
    await house.approve("find", 99, is_core=False)
    after = await house.service.live.reload()
    assert before.listed == after.listed
    assert (before.hides_some, after.hides_some) == (False, True)
    assert before.version != after.version


async def test_the_version_stays_when_a_device_moves_and_differs_when_clients_see_another_one(lab: Any) -> None:
    first = lab.service.live.now.version
    await lab.service.targets.remove("lab")
    await lab.target("http://127.0.0.1:2")
    moved = await lab.service.live.reload()
    assert moved.version == first
    assert moved.entries["toy_find_vm"].target(None).base_url == "http://127.0.0.1:2"
    await lab.target("http://127.0.0.1:3", "other")
    assert (await lab.service.live.reload()).version != first


async def test_many_targets_are_not_all_named_in_every_tool(lab: Any) -> None:
    for number in range(8):
        await lab.target(f"http://127.0.0.1:{number + 1}", f"rack-{number}")
    entry = (await lab.service.live.reload()).entries["toy_find_vm"]
    assert "enum" not in entry.input_schema["properties"]["target"]
    assert "lab" in entry.input_schema["properties"]["target"]["description"]
    assert entry.target("rack-7").name == "rack-7"


async def test_a_workflow_cannot_take_the_name_of_a_tool_of_the_server(house: Any, tools: Any) -> None:
    content = tools.toy_content("list")
    taken = type(content)(
        content.document, {**content.tool, "name": RESERVED_NAMES[2]}, content.operations, content.profile_digest
    )
    submitted = await house.service.revisions.submit(
        "toy", "toy-list-vms", taken, intent="find", risk="read", resource="vms",
        is_core=True, rank=1.0, proof=None, actor="test",
    )  # fmt: skip
    revision = submitted.revision
    await house.service.revisions.decide(
        revision.id, "approve", actor="t", role="admin", reason="", digest=revision.digest
    )
    catalog = await house.service.live.reload()
    assert dict(catalog.entries) == {}
    assert "the server itself" in catalog.refusals[0].reason
