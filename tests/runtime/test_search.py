"""What a question asks for, and which of many workflows fits it: by kind, by words, as the catalog changes."""

from dataclasses import replace

import pytest

from workflow.search.findable import Findable, WorkflowFacts
from workflow.search.index import Index
from workflow.search.names import with_names
from workflow.search.question import heard, understood
from workflow.search.saying import plainly
from workflow.search.spelling import spelt


def one(name: str, intent: str, *, risk: str = "change", api: str = "lab", inputs: str = "") -> Findable:
    title = name.replace("_", " ")
    return Findable(f"{api}_{name}", WorkflowFacts(api, risk, intent, "things"), 0.5, name, title, "", title, inputs)


PODS = (
    one("find_pods", "find", risk="read"),
    one("describe_pod", "describe", risk="read"),
    one("create_pod", "create"),
    one("update_pod", "update", inputs="cpu memory"),
    one("delete_pod", "delete", risk="destroy"),
    one("remove_all_pods", "act", risk="destroy"),
    one("power_off_node", "act", risk="disrupt"),
    one("delete_pod_schedule", "delete", risk="destroy"),
)


@pytest.mark.parametrize(
    ("said", "wants"),
    [
        ("which pods are there", "know"),
        ("Is the node up?", "know"),
        ("show me the pods", "look"),
        ("please delete a pod", "delete"),
        ("can you get rid of the pod", "delete"),
        ("how do i add a disk", "create"),
        ("make the disk bigger", "update"),
        ("give it two more CPUs", "update"),
        ("turn the node off", "act"),
        ("VirDomain", "name"),
        ("any pods left over", "know"),
        ("dead node?", "know"),
        ("give me the pod's address", "look"),
        ("do a clean reboot", "act"),
        ("give the node a reboot", "act"),
        ("make the pod private", "update"),
        ("make a pod", "create"),
        ("pod needs 4 more cores", "update"),
        ("pod is broken, delete it", "delete"),
        ("send alerts to the new address", "create"),
        ("reset somebody's password", "update"),
        ("", "act"),
    ],
)
def test_what_is_wanted_is_told_by_how_a_sentence_begins(said: str, wants: str) -> None:
    assert understood(said).wants == wants


@pytest.mark.parametrize(
    ("said", "wants"),
    [
        ("stop mailing bob", "delete"),
        ("delete the pod that nobody needs any more", "delete"),
        ("make a copy of the pod", "act"),
        ("give the pod another disk", "create"),
        ("disable the alarm", "update"),
        ("switch the boot mode to uefi", "update"),
        ("switch the node to maintenance and turn it on", "act"),
        ("mount the new image", "act"),
        ("take the screen, I want to see the console", "look"),
        ("give me a public address", "create"),
        ("give me a list of pods", "look"),
        ("add server web01 to the pool", "act"),
        ("add a disk to the server", "create"),
        ("note in the journal that it was replaced", "create"),
        ("the config app has to go", "delete"),
    ],
)
def test_what_is_wanted_is_told_by_the_verb_and_not_by_a_word_further_on(said: str, wants: str) -> None:
    assert understood(said).wants == wants


def test_what_only_says_where_why_or_in_which_state_counts_less_than_what_is_meant() -> None:
    shares = {" ".join(idea.said): idea.share for idea in understood("delete paused pods on the node when idle").ideas}
    assert shares["pod"] == 1
    assert shares["paus"] < 1
    assert shares["node"] < 1
    assert shares["idl"] < shares["node"]


@pytest.mark.parametrize(
    ("said", "first"),
    [("pod overview", "find_pods"), ("the pods of today", "find_pods"), ("boost the pod", "update_pod")],
)
def test_words_without_a_verb_ask_and_an_unknown_verb_before_a_thing_wants_a_change(said: str, first: str) -> None:
    assert Index(PODS).search(said)[0] == f"lab_{first}"


def test_to_a_number_is_a_change_of_a_value_whatever_the_verb() -> None:
    assert understood("boost web01 to 8 cores").wants == "update"


def test_whose_it_is_is_no_word_to_look_for() -> None:
    assert [idea.said for idea in understood("change somebody's password").ideas][-2:] == [("somebodi",), ("password",)]


def test_what_people_say_finds_the_words_of_apis_and_not_the_other_way_round() -> None:
    assert ("statist",) in understood("how busy is it").ideas[0].others
    assert all(("busi",) not in idea.others for idea in understood("show statistics").ideas)


def test_what_a_reply_tells_finds_a_read_for_who_asks_and_nothing_for_who_wants_a_change() -> None:
    told = replace(one("describe_pod", "describe", risk="read"), tells="serial number")
    index = Index([told, one("update_rack", "update", inputs="serial number")])
    assert index.search("what is the serial number")[0] == "lab_describe_pod"
    assert index.search("set the serial number") == ["lab_update_rack"]


def test_a_word_is_as_rare_as_it_is_in_the_api_that_is_asked_about() -> None:
    pods = [one(f"move_pod_{number}", "act") for number in range(8)]
    ones = [*pods, one("move_rack_schedule_row_aisle_door", "act")]
    crowd = [one(f"update_box_{number}", "update", api="other") for number in range(2000)]
    alone, among = Index(ones), Index([*ones, *crowd])
    assert among.search("move the pod schedule", api="lab") == alone.search("move the pod schedule")


def test_the_halves_of_a_phrase_may_stand_apart_and_mean_what_its_other_words_mean() -> None:
    idea = understood("turn the big server off").ideas[0]
    assert idea.said == ("turn", "off")
    assert ("shutdown",) in idea.others


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("instal a shelf", "instal a shelf"),
        ("chnage the shelf", "chang the shelf"),
        ("delet the shelff", "delet the shelf"),
        ("shwo it", "shwo it"),  # too short to be sure
        ("move it to Shelff", "move it to Shelff"),  # a name
        ("call it xylophone", "call it xylophone"),
    ],
)
def test_a_word_with_one_wrong_letter_is_the_one_that_is_known(said: str, meant: str) -> None:
    assert spelt(said, lambda stem: stem == "shelf", heard()) == meant


def test_a_typing_mistake_finds_what_is_meant() -> None:
    assert Index(PODS).search("chnage a pod's memroy")[0] == "lab_update_pod"


def test_what_is_called_by_its_initials_is_found() -> None:
    claims = [one("find_volume_claims", "find", risk="read"), one("find_volumes", "find", risk="read")]
    assert Index([*PODS, *claims]).search("which vcs are there")[0] == "lab_find_volume_claims"


def test_only_who_may_want_a_trial_is_offered_one_first() -> None:
    index = Index([one("test_disk", "act"), one("check_disk", "act"), one("delete_disk", "delete", risk="destroy")])
    assert index.search("delete the disk for testing")[0] == "lab_delete_disk"
    assert index.search("try the disk")[0] == "lab_test_disk"


def test_who_asks_for_several_is_shown_a_list() -> None:
    assert understood("which pods are ready").asks_many
    assert not understood("which status does it have").asks_many
    assert not understood("is the pod ready").asks_many


def test_a_contracted_is_is_one_and_no_possessive() -> None:
    assert understood("what's wrong with the pod").ideas[0].said == ("what", "is", "wrong")


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("On which node is it?", "which node is it?"),
        ("in what order does it boot", "what order does it boot"),
        ("a 500gb disk and 4vcpus", "a 500 disk and 4 vcpus"),
        ("use 10.0.0.53 as nameserver", "set 10 nameserver"),
        ("give the box 10.0.0.9", "change ip address of the box to 10"),
        ("it hangs, just restart it please", "it hangs, restart it please"),
        ("kick the pod off its node", "evict the pod from its node"),
        ("kick off a snap", "kick off a snap"),
        ("boot from network on 10g port", "boot from network on 10 port"),
        ("turn 2fa on", "turn 2fa on"),
        ("send alarms to noc@example.com", "send alarms to mailbox"),
        (r"export it to \\filer\backup", "export it to share"),
        ("change its mac to 52:54:00:12:34:56", "change its mac to 0"),
        ("an address of 10.1.0.0/16", "an address of cidr"),
        ("mount ubuntu-22.04.iso", "mount iso"),
        ("a network called frontend for apps", "a network for apps"),
        ("rename srv-tmp to srv-archive", "rename srv-tmp"),
        ("are there updates available in it", "are there updates in it"),
        ("point the cluster at our ntp", "set our ntp on the cluster"),
        ("which rack is server7 in?", "where server7 in rack?"),
        ("is 10.1.1.7 taken", "is ip address taken"),
    ],
)
def test_what_is_said_is_put_plainly(said: str, plain: str) -> None:
    assert plainly(said) == plain


def test_a_name_of_two_words_is_found_by_the_one_that_people_write() -> None:
    index = Index([*PODS, one("delete_file_system", "delete", risk="destroy")])
    assert index.search("delete the old filesystem")[0] == "lab_delete_file_system"


def test_what_something_is_wanted_for_counts_less_than_what_is_wanted() -> None:
    shares = {idea.said[0]: idea.share for idea in understood("send an nmi to get a crash dump").ideas}
    assert shares["nmi"] == 1
    assert shares["crash"] < 1


def test_what_is_told_before_an_order_with_an_unknown_verb_counts_less() -> None:
    shares = {idea.said[0]: idea.share for idea in understood("the mail server hangs, frobnicate the disk").ideas}
    assert shares["frobnic"] == shares["disk"] == 1
    assert shares["hang"] < 1


def test_two_words_are_looked_for_as_the_one_that_apis_make_of_them() -> None:
    assert ("configmap",) in understood("change the config map").ideas[1].others


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("which pods are there", "find_pods"),
        ("delete a pod", "delete_pod"),
        ("delete all pods", "remove_all_pods"),
        ("get rid of an old pod", "delete_pod"),
        ("give the pod more memory", "update_pod"),
        ("a new pod", "create_pod"),
        ("turn the node off", "power_off_node"),
    ],
)
def test_of_what_has_the_same_words_the_kind_decides(said: str, first: str) -> None:
    assert Index(PODS).search(said)[0] == f"lab_{first}"


def test_a_question_is_answered_by_no_change_where_any_read_has_to_do_with_it() -> None:
    found = Index(PODS).search("what deletes pods")
    assert found
    assert set(found) <= {"lab_find_pods", "lab_describe_pod"}
    assert Index(PODS).search("is the node off") == ["lab_power_off_node"]


def test_an_index_that_follows_the_catalog_finds_what_is_there_and_nothing_that_is_gone() -> None:
    index = Index(PODS)
    pods = [each for each in PODS if each.name != "delete_pod"]
    more = one("drain_node", "act")
    index = index.hold([*pods, more])
    assert "lab_delete_pod" not in index.search("delete a pod")
    assert index.search("drain the node")[0] == "lab_drain_node"
    assert index.hold([more]).search("node pod") == ["lab_drain_node"]
    assert index.hold(PODS).search("delete a pod")[0] == "lab_delete_pod"


def test_what_comes_and_goes_between_two_like_questions_is_found_and_is_not() -> None:
    index = Index(PODS[:1])
    for known in (PODS[:1], PODS, PODS[1:]):
        index = index.hold(known)
        for _ in range(2):
            assert index.search("pod") == Index(known).search("pod")


@pytest.mark.parametrize(
    "said", ["delete a pod", "which pods are there", "power off the node", "pods", "nothing of it"]
)
@pytest.mark.parametrize("most", [1, 2, 3, 50])
def test_the_best_few_are_the_first_of_all(said: str, most: int) -> None:
    more = (replace(one(f"see_pod_{number}", "find", risk="read"), rank=number / 30) for number in range(30))
    index = Index([*PODS, *more])
    found = index.search(said)
    assert index.best(said, most=most) == (found[:most], len(found))


def test_an_api_and_a_class_are_kept_to() -> None:
    index = Index([*PODS, one("find_pods", "find", risk="read", api="other")])
    assert index.search("which pods are there", api="other") == ["other_find_pods"]
    assert index.search("pods", risk="disrupt") == []


def test_what_ends_is_undone_by_what_is_called_the_opposite() -> None:
    led = (one("blink_led", "act"), one("unblink_led", "act"), one("find_leds", "find", risk="read"))
    assert Index(led).search("stop blinking it")[0] == "lab_unblink_led"


def test_a_name_that_nobody_knows_is_of_the_main_things() -> None:
    found = Index((one("find_vms", "find", risk="read"), one("find_users", "find", risk="read"))).search("is web01 up")
    assert found == ["lab_find_vms"]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("stop srv-tmp", "stop srvtmp0"),
        ("start web-04 now", "start web04 now"),
        ("a read-only user", "a read-only user"),
        ("vm test-vm-7", "vm testvm7"),
        ("raid-5", "raid5"),
    ],
)
def test_a_word_with_hyphens_that_nobody_knows_is_one_name(said: str, written: str) -> None:
    assert with_names(said, {"read", "onli"}.__contains__, frozenset({"test", "vm", "user"})) == written


def test_what_is_said_twice_counts_once() -> None:
    first, again = (idea for idea in understood("mount the iso in the dvd").ideas if idea.said in {("iso",), ("dvd",)})
    assert again.share < first.share / 2


def test_to_take_something_out_nothing_is_made() -> None:
    disks = (one("create_disk", "create"), one("clone_disk", "act"), one("delete_disk", "delete", risk="destroy"))
    assert Index(disks).search("detach the scratch disk")[-1] == "lab_create_disk"


def test_who_asks_how_a_thing_is_asks_for_its_state_more_than_for_the_thing() -> None:
    shares = {idea.said[0]: idea.share for idea in understood("is the cluster healthy").ideas}
    assert shares["cluster"] < shares["healthi"] == 1


def test_how_something_is_done_counts_less_than_what_is_done() -> None:
    shares = {idea.said[0]: idea.share for idea in understood("shut the pod down cleanly").ideas}
    assert shares["cleanli"] < shares["pod"]


def test_what_does_more_than_is_asked_comes_behind_what_does_just_that() -> None:
    nics = (one("create_vm_with_disk_and_nic", "create"), one("create_nic", "create"))
    assert Index(nics).search("add a second nic")[0] == "lab_create_nic"


def test_a_name_behind_what_it_is_of_is_looked_for_as_nothing_else() -> None:
    ones = (one("delete_volume", "delete", risk="destroy"), one("delete_server", "delete", risk="destroy"))
    assert Index(ones).search("delete volume web01") == ["lab_delete_volume", "lab_delete_server"]


def test_the_best_of_many_are_the_best_of_all() -> None:
    """Looking first at what has the rarer ideas leaves none out."""
    things = ("pod", "node", "disk", "user", "vm", "image", "port", "rule")
    many = [
        one(f"{verb}_{thing}_{extra}", verb, risk="read" if verb == "find" else "change", inputs=" ".join(things[:at]))
        for verb in ("find", "create", "update", "delete")
        for at, thing in enumerate(things)
        for extra in things
        if extra != thing
    ]
    index = Index(many)
    for verb in ("find", "update", "which", "delete all"):
        for thing in (*things, "pod of the node", "disk with image", "everything"):
            said = f"{verb} {thing}"
            whole, count = index.best(said)
            assert index.best(said, most=10) == (whole[:10], count), said
