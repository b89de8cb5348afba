"""What people write in a chat, without a verb or with a word of their own for it, finds what they mean."""

import pytest

from workflow.search.findable import Findable, WorkflowFacts
from workflow.search.index import Index
from workflow.search.names import with_names
from workflow.search.question import heard, understood
from workflow.search.saying import plainly


def one(name: str, intent: str, *, risk: str = "change") -> Findable:
    title = name.replace("_", " ")
    return Findable(f"lab_{name}", WorkflowFacts("lab", risk, intent, "things"), 0.5, name, title, "", title, "")


@pytest.mark.parametrize(
    "said",
    [
        "nic of web01 into vlan 12",
        "bios to factory",
        "port 12 to vlan 30",
        "controller to static 10.0.0.50",
        "traps to 10.0.0.9",
    ],
)
def test_a_thing_and_what_is_to_become_of_it_wants_a_change_without_a_verb(said: str) -> None:
    assert understood(said).wants == "set"


@pytest.mark.parametrize("said", ["boost web01 to 8 cores", "show routes to 10.0.0.0/8", "which nic is in vlan 12"])
def test_with_a_verb_or_a_question_it_wants_what_that_says(said: str) -> None:
    assert understood(said).wants != "set"


def test_what_is_to_be_set_is_changed_or_made_and_not_looked_at() -> None:
    index = Index(
        (one("find_routes", "find", risk="read"), one("create_route", "create"), one("update_route", "update"))
    )
    assert index.search("route to 10.9.0.0/16")[-1] == "lab_find_routes"


@pytest.mark.parametrize("said", ["hyperthreading off", "rescue mode on"])
def test_a_thing_and_off_or_on_is_an_order(said: str) -> None:
    switch = said.rpartition(" ")[2]
    assert understood(said).ideas[0].said == ("turn", switch)


@pytest.mark.parametrize("said", ["virtual cd out", "node 3 out of the pool"])
def test_a_thing_and_out_is_to_be_taken_out(said: str) -> None:
    assert understood(said).undoes


@pytest.mark.parametrize("said", ["sign bob out", "let the worker go on", "zones out of order are deleted"])
def test_a_phrase_with_its_verb_is_taken_for_none(said: str) -> None:
    assert not understood(said).undoes
    assert understood(said).ideas[0].said != ("turn", "on")


@pytest.mark.parametrize("said", ["free memory per node", "labels on issue 5", "updates in the queue"])
def test_what_is_free_and_several_things_called_like_a_verb_are_asked_for(said: str) -> None:
    assert understood(said).wants == "know"


@pytest.mark.parametrize("said", ["free 10.1.2.3", "free up memory", "label issue 5"])
def test_what_is_freed_or_labelled_is_done(said: str) -> None:
    assert understood(said).wants != "know"


@pytest.mark.parametrize("said", ["hyperthreading off?", "is dhcp on", "what is on", "show web01 on"])
def test_a_question_that_ends_so_is_none(said: str) -> None:
    assert understood(said).ideas[0].said != ("turn", said.rstrip("?").rpartition(" ")[2])


@pytest.mark.parametrize("said", ["notifications i haven't read", "the jobs stuck in the queue", "disks without a vm"])
def test_things_of_which_only_is_said_which_are_asked_for(said: str) -> None:
    assert understood(said).wants == "know"


@pytest.mark.parametrize(
    "said", ["delete jobs that hang", "kills pending", "cancel jobs that hang", "rdns without a zone"]
)
def test_nothing_is_only_asked_for_behind_a_verb_or_of_one_thing(said: str) -> None:
    assert understood(said).wants != "know"


def test_several_things_of_something_are_answered_by_no_change_where_no_verb_stands() -> None:
    index = Index(
        (one("update_zone", "update"), one("create_dns_record", "create"), one("find_zones", "find", risk="read"))
    )
    assert index.search("records of the zone") == ["lab_find_zones"]
    assert "lab_update_zone" in index.search("rdns of the zone")


def test_what_is_got_over_to_another_place_is_moved() -> None:
    question = understood("get sql01 over to the other cluster")
    assert (question.wants, question.is_order) == ("act", True)


def test_a_named_thing_is_sent_somewhere_and_no_stream_of_it_is_made() -> None:
    assert understood("send web01 to another region").wants == "act"
    assert understood("send logs to another region").wants == "create"


def test_who_takes_a_backup_makes_one_and_restores_none() -> None:
    index = Index((one("create_backup", "create"), one("restore_backup", "act", risk="disrupt")))
    assert index.search("take a backup")[0] == "lab_create_backup"


@pytest.mark.parametrize("said", ["daily snaps for all databases", "nightly backup, keep 7"])
def test_what_is_to_be_done_again_and_again_is_made(said: str) -> None:
    assert understood(said).wants == "create"


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("let bob push to infra", "give access to bob for infra"),
        ("open 443 on the firewall", "open port 443 on the firewall"),
        ("open tcp 22", "open port 22"),
        ("move the floating ip over to web-4", "assign the floating ip to web-4"),
    ],
)
def test_access_ports_and_addresses_are_put_plainly(said: str, plain: str) -> None:
    assert plainly(said) == plain


@pytest.mark.parametrize(
    ("said", "named"), [("clone vol-data", "clone volume voldata0"), ("clone web-01", "clone web01")]
)
def test_a_name_that_begins_with_a_short_form_of_its_thing_tells_what_it_is(said: str, named: str) -> None:
    assert with_names(said, lambda _: False, heard()) == named


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("how far is the clone", one("describe_task", "describe", risk="read")),
        ("dns entries", one("find_domain_records", "find", risk="read")),
        ("turn on 2fa", one("enable_tfa", "act")),
        ("who can push to infra", one("find_collaborators", "find", risk="read")),
        ("which wifi is it", one("find_ssids", "find", risk="read")),
        ("what can it go up to", one("get_upgrades", "report", risk="read")),
        ("make room", one("run_garbage_collection", "act")),
        ("kill it hard", one("power_off_node", "act", risk="disrupt")),
        ("cpu temp", one("get_temperatures", "report", risk="read")),
        ("db creds", one("get_credentials", "report", risk="read")),
        ("rebase PR 17", one("update_pull_request", "update")),
        ("cut a release", one("create_release", "create")),
    ],
)
def test_words_that_people_have_of_their_own_are_known(said: str, meant: Findable) -> None:
    assert Index((meant,)).search(said) == [meant.tool]
