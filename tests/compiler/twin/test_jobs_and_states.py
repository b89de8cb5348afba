"""Jobs, power states and nested devices, on the shipped description whose changes are all jobs."""

from typing import Any

import pytest

from compiler.twin import Tempo


@pytest.fixture
def running(hypercore: Any) -> str:
    return next(vm["uuid"] for vm in hypercore.get("/VirDomain").body if vm["state"] == "RUNNING")


@pytest.fixture
def stopped(hypercore: Any) -> str:
    return next(vm["uuid"] for vm in hypercore.get("/VirDomain").body if vm["state"] == "SHUTOFF")


def act(device: Any, *pairs: tuple[str, str]) -> Any:
    return device.post("/VirDomain/action", [{"virDomainUUID": vm, "actionType": kind} for vm, kind in pairs])


def state(device: Any, vm: str) -> str:
    return str(device.get(f"/VirDomain/{vm}").body[0]["state"])


def job(device: Any, tag: str) -> dict[str, Any]:
    return dict(device.get(f"/TaskTag/{tag}").body[0])


def create(device: Any, **members: Any) -> Any:
    return device.post("/VirDomain", {"dom": {"name": "new", "mem": 1024, **members}, "options": {}}).body


def test_a_job_goes_from_queued_over_running_to_complete_as_it_is_asked_about(hypercore: Any, stopped: str) -> None:
    tag = act(hypercore, (stopped, "START")).body["taskTag"]
    assert [job(hypercore, tag)["state"] for _ in range(4)] == ["QUEUED", "RUNNING", "COMPLETE", "COMPLETE"]


def test_the_effect_comes_when_the_job_is_over_and_not_before(hypercore: Any, stopped: str) -> None:
    tag = act(hypercore, (stopped, "START")).body["taskTag"]
    seen = []
    for _ in range(3):
        seen.append(state(hypercore, stopped))
        job(hypercore, tag)
    assert (seen, state(hypercore, stopped)) == (["SHUTOFF"] * 3, "RUNNING")


def test_a_job_that_nobody_asks_about_ends_with_time(hypercore: Any, stopped: str) -> None:
    act(hypercore, (stopped, "START"))
    hypercore.wait(9.0)
    assert state(hypercore, stopped) == "SHUTOFF"
    hypercore.wait(1.0)
    assert state(hypercore, stopped) == "RUNNING"


def test_a_job_told_to_fail_says_why_and_changes_nothing(hypercore: Any, stopped: str) -> None:
    hypercore.twin.fail_next_job("no room on the cluster")
    tag = act(hypercore, (stopped, "START")).body["taskTag"]
    hypercore.wait()
    assert job(hypercore, tag)["state"] == "ERROR"
    assert job(hypercore, tag)["formattedMessage"] == "no room on the cluster"
    assert state(hypercore, stopped) == "SHUTOFF"


def test_only_the_next_job_is_told_to_fail(hypercore: Any, stopped: str) -> None:
    hypercore.twin.fail_next_job()
    act(hypercore, (stopped, "START"))
    hypercore.wait()
    act(hypercore, (stopped, "START"))
    hypercore.wait()
    assert state(hypercore, stopped) == "RUNNING"


def test_on_a_device_whose_jobs_fail_all_of_them_do(shipped: Any, stopped: str) -> None:
    from compiler.proofs.proof import VirtualClock
    from compiler.twin import Twin, TwinRequest

    clock = VirtualClock()
    twin = Twin(*shipped("hypercore"), now=clock, failing_jobs=True)
    body = [{"virDomainUUID": stopped, "actionType": "START"}]
    reply = twin.handle(TwinRequest("POST", "/VirDomain/action", (), twin.authorization(), body, True))
    clock.advance(60)
    answer = twin.handle(TwinRequest("GET", f"/TaskTag/{reply.body['taskTag']}", (), twin.authorization()))
    assert answer.body[0]["state"] == "ERROR"


def test_a_new_vm_is_not_there_before_its_job_is_over(hypercore: Any) -> None:
    made = create(hypercore)
    assert hypercore.get(f"/VirDomain/{made['createdUUID']}").body == []
    hypercore.wait()
    assert hypercore.get(f"/VirDomain/{made['createdUUID']}").body[0]["name"] == "new"


def test_a_device_for_a_vm_whose_job_is_under_way_is_refused(hypercore: Any) -> None:
    made = create(hypercore)
    disk = {"virDomainUUID": made["createdUUID"], "type": "VIRTIO_DISK", "capacity": 1024}
    assert hypercore.post("/VirDomainBlockDevice", disk).status == 400
    hypercore.wait()
    assert hypercore.post("/VirDomainBlockDevice", disk).status == 200


def test_a_second_change_of_the_same_vm_before_the_first_is_over_is_a_500(hypercore: Any, stopped: str) -> None:
    hypercore.patch(f"/VirDomain/{stopped}", {"description": "one"})
    assert hypercore.patch(f"/VirDomain/{stopped}", {"description": "two"}).status == 500
    hypercore.wait()
    assert hypercore.patch(f"/VirDomain/{stopped}", {"description": "two"}).status == 200


@pytest.mark.parametrize(
    ("kinds", "then"),
    [
        (["START"], "RUNNING"),
        (["START", "PAUSE"], "PAUSED"),
        (["START", "SHUTDOWN"], "SHUTOFF"),
        (["START", "PAUSE", "START"], "RUNNING"),
        (["START", "REBOOT"], "RUNNING"),
        (["START", "STOP"], "SHUTOFF"),
    ],
)
def test_power_states_move_as_the_profile_says(hypercore: Any, stopped: str, kinds: list[str], then: str) -> None:
    for kind in kinds:
        assert act(hypercore, (stopped, kind)).status == 200
        hypercore.wait()
    assert state(hypercore, stopped) == then


@pytest.mark.parametrize("kind", ["SHUTDOWN", "STOP", "PAUSE", "REBOOT", "RESET", "NMI"])
def test_an_action_in_the_wrong_state_is_refused_with_the_state_it_needs(
    hypercore: Any, stopped: str, kind: str
) -> None:
    reply = act(hypercore, (stopped, kind))
    assert reply.status == 400
    assert "SHUTOFF" in reply.body["error"]
    assert "RUNNING" in reply.body["error"]


def test_one_request_may_move_several_vms(hypercore: Any, running: str, stopped: str) -> None:
    assert act(hypercore, (stopped, "START"), (running, "SHUTDOWN")).status == 200
    hypercore.wait()
    assert (state(hypercore, stopped), state(hypercore, running)) == ("RUNNING", "SHUTOFF")


def test_of_several_vms_one_in_the_wrong_state_stops_all(hypercore: Any, running: str, stopped: str) -> None:
    assert act(hypercore, (running, "SHUTDOWN"), (stopped, "SHUTDOWN")).status == 400
    hypercore.wait()
    assert state(hypercore, running) == "RUNNING"


def test_an_action_on_an_unknown_vm_is_refused(hypercore: Any) -> None:
    assert act(hypercore, ("nobody", "START")).status == 400


def test_a_running_vm_cannot_be_deleted(hypercore: Any, running: str) -> None:
    reply = hypercore.delete(f"/VirDomain/{running}")
    assert (reply.status, "SHUTOFF" in reply.body["error"]) == (400, True)


def test_a_network_interface_of_a_running_vm_cannot_be_deleted(hypercore: Any, running: str) -> None:
    devices = hypercore.get("/VirDomainNetDevice").body
    nic = next(n["uuid"] for n in devices if n["virDomainUUID"] == running)
    assert hypercore.delete(f"/VirDomainNetDevice/{nic}").status == 400


def test_disks_sent_inside_a_new_vm_are_disks_of_their_own_too(hypercore: Any) -> None:
    made = create(hypercore, blockDevs=[{"type": "VIRTIO_DISK", "capacity": 4096}])["createdUUID"]
    hypercore.wait()
    inside = hypercore.get(f"/VirDomain/{made}").body[0]["blockDevs"]
    outside = [d for d in hypercore.get("/VirDomainBlockDevice").body if d["virDomainUUID"] == made]
    assert inside == outside
    assert inside[0]["capacity"] == 4096


def test_a_disk_added_later_is_shown_inside_its_vm_and_goes_with_it(hypercore: Any, stopped: str) -> None:
    disk = {"virDomainUUID": stopped, "type": "VIRTIO_DISK", "capacity": 77}
    made = hypercore.post("/VirDomainBlockDevice", disk).body["createdUUID"]
    hypercore.wait()
    assert made in [d["uuid"] for d in hypercore.get(f"/VirDomain/{stopped}").body[0]["blockDevs"]]
    hypercore.delete(f"/VirDomain/{stopped}")
    hypercore.wait()
    assert hypercore.get(f"/VirDomainBlockDevice/{made}").body == []


def test_a_clone_is_like_its_source_under_another_name(hypercore: Any, stopped: str) -> None:
    source = hypercore.get(f"/VirDomain/{stopped}").body[0]
    made = hypercore.post(f"/VirDomain/{stopped}/clone", {"template": {"name": "copy"}}).body["createdUUID"]
    hypercore.wait()
    copy = hypercore.get(f"/VirDomain/{made}").body[0]
    assert (copy["name"], copy["mem"], copy["uuid"]) == ("copy", source["mem"], made)


def test_an_operation_that_makes_nothing_answers_an_empty_created_id(hypercore: Any, stopped: str) -> None:
    assert act(hypercore, (stopped, "START")).body["createdUUID"] == ""


def test_an_item_comes_as_a_list_of_one_and_an_unknown_one_as_an_empty_list(hypercore: Any, stopped: str) -> None:
    assert len(hypercore.get(f"/VirDomain/{stopped}").body) == 1
    reply = hypercore.get("/VirDomain/nobody")
    assert (reply.status, reply.body) == (200, [])


def test_changing_an_unknown_item_is_an_error_all_the_same(hypercore: Any) -> None:
    assert hypercore.patch("/VirDomain/nobody", {"name": "x"}).status == 404
    assert hypercore.delete("/VirDomain/nobody").status == 404


def test_unknown_query_parameters_and_properties_are_refused(hypercore: Any, stopped: str) -> None:
    assert hypercore.get("/VirDomain", name="web").status == 400
    assert hypercore.patch(f"/VirDomain/{stopped}", {"colour": "red"}).status == 400
    assert hypercore.patch(f"/VirDomain/{stopped}", {"uuid": "other"}).status == 400


def test_a_post_on_an_item_updates_it(hypercore: Any) -> None:
    user = hypercore.get("/User").body[0]
    body = {"username": "ada", "fullName": "Ada L.", "sessionLimit": 4}
    assert hypercore.post(f"/User/{user['uuid']}", body).status == 200
    hypercore.wait()
    assert hypercore.get(f"/User/{user['uuid']}").body[0]["fullName"] == "Ada L."


def test_a_user_with_a_role_that_does_not_exist_is_refused(hypercore: Any) -> None:
    body = {"username": "eve", "password": "example-only", "roleUUIDs": ["nobody"]}
    assert hypercore.post("/User", body).status == 400


def test_a_faster_device_may_be_made(shipped: Any, fast: Tempo, stopped: str) -> None:
    from compiler.twin import Twin, TwinRequest

    twin = Twin(*shipped("hypercore"), now=lambda: 0.0, tempo=fast)
    sent = TwinRequest("PATCH", f"/VirDomain/{stopped}", (), twin.authorization(), {"name": "quick"}, True)
    twin.handle(sent)
    found = twin.handle(TwinRequest("GET", f"/VirDomain/{stopped}", (), twin.authorization()))
    assert found.body[0]["name"] == "quick"


def test_two_vms_made_at_once_have_two_ids_and_an_id_is_never_given_again(hypercore: Any) -> None:
    first, second = create(hypercore)["createdUUID"], create(hypercore)["createdUUID"]
    hypercore.wait()
    hypercore.delete(f"/VirDomain/{second}")
    hypercore.wait()
    assert len({first, second, create(hypercore)["createdUUID"]}) == 3


def test_a_clone_has_disks_of_its_own(hypercore: Any, stopped: str) -> None:
    hypercore.post("/VirDomainBlockDevice", {"virDomainUUID": stopped, "type": "VIRTIO_DISK", "capacity": 99})
    hypercore.wait()
    made = hypercore.post(f"/VirDomain/{stopped}/clone", {"template": {"name": "copy"}}).body["createdUUID"]
    hypercore.wait()
    source, copy = (hypercore.get(f"/VirDomain/{vm}").body[0]["blockDevs"] for vm in (stopped, made))
    assert [d["capacity"] for d in copy] == [d["capacity"] for d in source]
    assert not {d["uuid"] for d in copy} & {d["uuid"] for d in source}
