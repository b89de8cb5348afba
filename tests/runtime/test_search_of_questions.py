"""Who only wants to see or to read something off is answered by no change, unless one here is called so."""

import pytest

from workflow.search.findable import Findable, WorkflowFacts
from workflow.search.index import Index
from workflow.search.question import understood
from workflow.search.saying import plainly


def one(name: str, intent: str, *, risk: str = "change", api: str = "lab") -> Findable:
    title = name.replace("_", " ")
    return Findable(f"{api}_{name}", WorkflowFacts(api, risk, intent, "things"), 0.5, name, title, "", title, "")


KEYS = (one("find_keys", "find", risk="read"), one("create_key", "create"), one("delete_key", "delete", risk="destroy"))


@pytest.mark.parametrize("said", ["show my keys", "list keys", "let me see the keys", "look at the keys"])
def test_who_has_something_shown_is_answered_by_no_change(said: str) -> None:
    assert Index(KEYS).search(said) == ["lab_find_keys"]


def test_where_a_change_is_called_so_it_may_be_meant() -> None:
    index = Index((one("show_errors_on_lcd", "act"), one("find_errors", "find", risk="read")))
    assert index.search("show the errors on the lcd")[0] == "lab_show_errors_on_lcd"


@pytest.mark.parametrize("said", ["get me a key", "check the key", "fetch the key"])
def test_what_is_got_or_checked_may_be_a_change(said: str) -> None:
    assert "lab_create_key" in Index(KEYS).search(said)


@pytest.mark.parametrize("said", ["key status", "version of the key", "progress of the key", "key usage please"])
def test_what_is_read_off_a_thing_is_answered_by_no_change(said: str) -> None:
    assert Index(KEYS).search(said) == ["lab_find_keys"]


def test_a_change_that_is_called_so_is_found_by_its_verb() -> None:
    index = Index((one("update_version", "update"), one("find_versions", "find", risk="read")))
    assert index.search("update the version")[0] == "lab_update_version"


def test_a_name_written_as_programs_have_it_of_their_environment_is_a_variable() -> None:
    assert plainly("set DATABASE_URL for the shop") == "set the variable for the shop"
    assert plainly("set API keys for http://shop.example/A_B") == "set api keys for 0"
    assert understood("set DATABASE_URL").wants == "update"


def test_who_is_in_something_is_a_member_of_it() -> None:
    index = Index((one("find_members", "find", risk="read"), one("find_tokens", "find", risk="read")))
    assert index.search("who is in our club") == ["lab_find_members"]
