"""What nobody's API says in the words that people use: other forms of a word, groups of people, what should be so."""

from dataclasses import replace

import pytest

from workflow.search.findable import Findable, WorkflowFacts
from workflow.search.forms import forms_of
from workflow.search.index import Index
from workflow.search.question import heard, understood
from workflow.search.saying import plainly
from workflow.search.worth import facts_of


def one(name: str, intent: str, *, risk: str = "change", vendor: str = "") -> Findable:
    title = name.replace("_", " ")
    facts = WorkflowFacts("lab", risk, intent, "things")
    return Findable(f"lab_{name}", facts, 0.5, name, title, "", title, "", vendor=vendor)


SCRAPERS = (
    one("create_scraper", "create"),
    one("delete_scraper", "delete", risk="destroy"),
    one("find_metrics", "find", risk="read"),
    one("delete_check", "delete", risk="destroy"),
)


def test_what_somebody_does_finds_the_thing_that_is_called_by_who_does_it() -> None:
    assert Index(SCRAPERS).search("scrape some metrics")[0] == "lab_create_scraper"


def test_a_word_of_which_another_form_is_known_is_written_right_and_no_other_word() -> None:
    assert "lab_delete_check" not in Index(SCRAPERS).search("scrape it")


def test_other_forms_are_made_of_long_words_alone() -> None:
    assert "owner" in forms_of("ownership")
    assert "scraper" in forms_of("scrape")
    assert forms_of("use") == ()
    assert forms_of("web01") == ()


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("put alice into the admins group", "add member alice to the admins group"),
        ("kick bob out of the org", "remove member bob from the org"),
        ("scrape http://node:9100/metrics", "scrape 0"),
        ("as he can't post", "as he ca not post"),
        ("mount http://repo/a.iso", "mount http://repo/iso"),
    ],
)
def test_groups_of_people_denials_and_addresses_are_put_plainly(said: str, plain: str) -> None:
    assert plainly(said) == plain


@pytest.mark.parametrize("said", ["the mileage should read 120000 km", "keep it in the pool for 90 days instead"])
def test_what_should_be_so_or_instead_is_set(said: str) -> None:
    assert understood(said).wants == "update"


def test_whoever_names_several_things_behind_another_word_is_shown_a_list() -> None:
    assert understood("show me traffic flows").asks_many
    assert not understood("show me the traffic flow").asks_many


@pytest.mark.parametrize("said", ["topics of last week", "topic summary for May"])
def test_what_was_or_is_told_in_short_is_answered_by_no_change(said: str) -> None:
    topics = (one("invite_to_topic", "act"), one("find_posts", "find", risk="read", vendor="posts of a topic"))
    assert Index(topics).search("topic", risk="change") == ["lab_invite_to_topic"]
    assert Index(topics).search(said) == ["lab_find_posts"]


def test_what_runs_a_removal_removes_and_a_format_says_nothing_of_what_is_done() -> None:
    assert facts_of(one("run_delete", "act")).kind.does == "delete"
    assert facts_of(one("log_out_json", "act")).says == facts_of(one("log_out", "act")).says


def test_of_many_with_the_same_words_the_few_best_are_the_best_of_all() -> None:
    many = [replace(one(f"restart_pod_{number}", "act"), rank=number / 1000) for number in range(700)]
    index = Index(many)
    assert index.best("restart a pod", most=5)[0] == index.search("restart a pod")[:5]


def test_who_signs_somebody_out_finds_a_log_out_written_in_two_words() -> None:
    index = Index((one("log_out_member", "act"), one("suspend_member", "act")))
    assert index.search("sign bob out")[0] == "lab_log_out_member"


def test_the_first_question_of_a_process_waits_for_no_words_to_be_learnt() -> None:
    heard.cache_clear()
    Index()
    assert heard.cache_info().currsize == 1
