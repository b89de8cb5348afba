"""The very request of one workflow is in the way of the same in another: whatever the workflow is called."""

from dataclasses import replace

from workflow.programs.equivalence import effect_of_request, effect_of_sending
from workflow.requests.events import SendRequest

MADE = SendRequest(
    "create", 1, "POST", "/volumes", "/volumes", (), (), {"name": "fresh", "sizeGb": 5}, "application/json"
)


def effect(command: SendRequest) -> str:
    return effect_of_sending("store", "lab", command, ("password",))


def test_a_request_is_the_same_with_all_that_it_says_and_with_that_alone() -> None:
    other_words = replace(MADE, step_id="make", attempt=3, body={"sizeGb": 5.0, "name": " Fresh ", "password": "x"})
    assert effect(MADE) == effect(other_words)
    for one in (
        replace(MADE, body={"name": "fresh", "sizeGb": 6}),
        replace(MADE, query=(("force", "true"),)),
        replace(MADE, method="PUT"),
        replace(MADE, path="/volumes/1", path_template="/volumes/{id}"),
    ):
        assert effect(one) != effect(MADE)
    assert effect(MADE) != effect_of_request("store", "lab", MADE)


def test_what_the_query_of_a_path_asks_for_is_another_effect_on_the_same_thing() -> None:
    one = replace(MADE, path="/boxes/1", path_template="/boxes/{id}?act=start")
    other = replace(one, path_template="/boxes/{id}?act=stop")
    assert effect_of_request("store", "lab", one) != effect_of_request("store", "lab", other)
