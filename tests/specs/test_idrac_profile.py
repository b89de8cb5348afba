"""The iDRAC profile names only what there is, and says something about all that needs it.

Judged against our own description and, where it is at hand, against the vendor's: the profile serves both.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler import pipeline
from tests.needs import VENDOR_FILES, VENDOR_FOLDER
from workflow.profiles.profile import Profile, RiskRule, read_profile

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "specs/idrac"
VENDORS = VENDOR_FOLDER / "specs/idrac/openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")
SYSTEM = "/redfish/v1/Systems/{ComputerSystemId}"
IDRAC = "/redfish/v1/Managers/{ManagerId}"
# Nobody may find one of these classed below `destroy`: what they take does not come back.
DESTRUCTIVE = (
    r"Erase|Wipe|Decommission|ResetConfig|ResetCfg|ResetToDefaults|ResetKeys|ResetBios|ChangePassword|ClearForeignConfig"
    r"|ClearLog|DeleteJobQueue|\.ImportSystemConfiguration$|Initialize|Format|ConvertTo|\.Delete\w+$|RemoveControllerKey"
)


@pytest.fixture(scope="module")
def document() -> Any:
    return load(FOLDER / "openapi.yaml")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read_profile(FOLDER / "profile.yaml")


@pytest.fixture(scope="module")
def vendor_keys() -> set[str]:
    VENDOR_FILES.or_skip()
    return keys_of(load(VENDORS))


def load(path: Path) -> Any:
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def keys_of(document: Any) -> set[str]:
    return {f"{m.upper()} {path}" for path, item in document["paths"].items() for m in METHODS if m in item}


def named(profile: Profile) -> set[str]:
    """Every operation that the profile names."""
    session = profile.auth.session
    assert session
    found = {session.login, session.logout or "", *profile.auth.open_operations, *profile.verbs.idempotent}
    for job in profile.jobs:
        found |= {*job.operations, job.poll, *job.other_views, job.result_view or job.poll}
    for state in profile.states:
        found |= {*state.needs, *(move.operation for move in state.transitions)}
    for settings in profile.pending_settings:
        found |= {settings.job_operation or session.login, settings.applied_by or session.login}
    return found


def patterns(profile: Profile) -> list[str]:
    rules = (*profile.risks, *profile.leave_out, *profile.actions, *profile.pending_settings)
    return [rule.pattern for rule in rules if rule.pattern] + [p for job in profile.jobs for p in job.never]


def matching(profile: Profile, key: str) -> list[RiskRule]:
    return [rule for rule in profile.risks if rule.pattern and re.search(rule.pattern, key)]


def is_left_out(profile: Profile, key: str) -> bool:
    return any(rule.pattern and re.search(rule.pattern, key) for rule in profile.leave_out)


def nouns(document: Any) -> set[str]:
    paths = (path.partition("/Actions/")[0] for path in document["paths"])
    return {word for path in paths for word in path.split("/")[2:] if not word.startswith("{")}


def passwords(node: Any, name: str = "") -> Iterator[str]:
    """Names of members that the description marks as passwords."""
    if isinstance(node, dict):
        if node.get("format") == "password":
            yield name
        for key, value in node.items():
            yield from passwords(value, key)


def test_every_operation_that_the_profile_names_is_in_our_description(profile: Profile, document: Any) -> None:
    assert named(profile) <= keys_of(document)


@pytest.mark.slow
def test_every_operation_that_the_profile_names_is_in_the_vendors(profile: Profile, vendor_keys: set[str]) -> None:
    assert named(profile) <= vendor_keys


def test_every_pattern_fits_something(profile: Profile, document: Any, vendor_keys: set[str]) -> None:
    known = vendor_keys | keys_of(document)
    assert [p for p in patterns(profile) if not any(re.search(p, key) for key in known)] == []


def test_every_action_of_the_vendor_is_classed_once_or_left_out(profile: Profile, vendor_keys: set[str]) -> None:
    actions = {key for key in vendor_keys if key.startswith("POST ") and "/Actions/" in key}
    assert len(actions) > 200
    for key in actions:
        classes = [rule.risk for rule in matching(profile, key) if not rule.when]
        assert len(classes) == 1 or (not classes and is_left_out(profile, key)), (key, classes)


def test_no_operation_has_rules_of_two_classes(profile: Profile, document: Any, vendor_keys: set[str]) -> None:
    for key in vendor_keys | keys_of(document):
        assert len({rule.risk for rule in matching(profile, key) if not rule.when}) <= 1, key


def test_what_destroys_is_classed_so(profile: Profile, document: Any, vendor_keys: set[str]) -> None:
    known = {key for key in vendor_keys | keys_of(document) if key.startswith("POST ")}
    found = {key for key in known if re.search(DESTRUCTIVE, key.rpartition("/")[2]) and "Fabrics" not in key}
    assert len(found) > 25
    for key in found:
        assert [rule.risk for rule in matching(profile, key) if not rule.when] == ["destroy"], key


def test_questions_asked_by_post_are_reads_and_a_preview_is_one(profile: Profile) -> None:
    for action in (
        f"POST {IDRAC}/Actions/Oem/EID_674_Manager.ImportSystemConfigurationPreview",
        f"POST {SYSTEM}/Oem/Dell/DellRaidService/Actions/DellRaidService.GetAvailableDisks",
    ):
        assert [rule.risk for rule in matching(profile, action)] == ["read"]


def test_powering_on_is_a_change_and_every_other_reset_a_disruption(profile: Profile) -> None:
    rules = matching(profile, f"POST {SYSTEM}/Actions/ComputerSystem.Reset")
    assert [(rule.risk, rule.when) for rule in rules] == [
        ("change", {"/ResetType": ("On", "ForceOn")}),
        ("disrupt", {}),
    ]


def test_every_reset_of_the_server_has_a_transition_and_only_known_states(profile: Profile, document: Any) -> None:
    schemas = document["components"]["schemas"]
    (state,) = profile.states
    power = set(schemas["ComputerSystem"]["properties"]["PowerState"]["enum"]) - {None}
    moves = state.transitions
    assert {move.when["/ResetType"] for move in moves} == set(schemas["ResetType"]["enum"])
    assert {state.initial, *(move.to for move in moves), *(s for move in moves for s in move.from_states)} <= power


def test_every_state_of_a_job_is_waited_for_or_final(profile: Profile, document: Any) -> None:
    known = document["components"]["schemas"]["DellJob"]["properties"]["JobState"]["enum"]
    for job in profile.jobs:
        assert sorted((*job.waiting, *job.succeeded, *job.failed)) == sorted(known), job.name


def test_any_change_may_be_answered_by_a_job_and_those_of_our_description_say_where(
    profile: Profile, document: Any
) -> None:
    usual = profile.jobs[-1]
    assert (usual.any_change, usual.operations, usual.never) == (True, (), ())
    for path, item in document["paths"].items():
        for method in ("post", "patch", "delete"):
            accepted = item.get(method, {}).get("responses", {}).get("202")
            assert accepted is None or "Location" in accepted["headers"], f"{method} {path}"


def test_pending_settings_fit_what_our_description_takes(profile: Profile, document: Any) -> None:
    schemas = document["components"]["schemas"]
    for settings in profile.pending_settings:
        assert settings.job_body.keys() <= schemas["DellJobCreate"]["properties"].keys()
        assert settings.applied_with["ResetType"] in schemas["ResetType"]["enum"]
        if settings.is_optional:
            member = schemas["VolumeCreate"]["properties"][settings.apply_member]
            assert settings.apply_body in schemas[member["$ref"].rpartition("/")[2]]["enum"]
        elif settings.apply_member:
            assert isinstance(settings.apply_body, dict)
            assert settings.apply_body["ApplyTime"] in schemas["ApplyTime"]["enum"]
            assert settings.apply_member in schemas["BiosSettingsUpdate"]["properties"]


def test_every_noun_of_our_paths_has_an_operators_word(profile: Profile, document: Any) -> None:
    assert nouns(document) - {"Oem", "Dell", "MultipartUpload"} <= profile.vocabulary.keys()


def test_natural_keys_are_members_of_what_they_name(profile: Profile, document: Any) -> None:
    compared = 0
    for path, item in document["paths"].items():
        noun = path.rpartition("/{")[0].rpartition("/")[2]
        if path.endswith("}") and noun in profile.identity.natural_keys and "get" in item:
            reply = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            members = document["components"]["schemas"][reply.rpartition("/")[2]]["properties"]
            assert profile.identity.natural_keys[noun][0] in members, (path, noun)
            compared += 1
    assert compared > 20


def test_singles_are_the_members_that_our_examples_list(profile: Profile, document: Any) -> None:
    for path, member in profile.singles.items():
        if path in document["paths"]:
            content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
            assert [one["@odata.id"].rpartition("/")[2] for one in content["example"]["Members"]] == [member]


def test_every_member_with_a_password_is_a_secret(profile: Profile, document: Any) -> None:
    assert set(passwords(document["components"]["schemas"])) <= set(profile.secrets)


def test_two_connections_are_the_most(profile: Profile) -> None:
    assert profile.limits.connections == 2


@pytest.mark.slow
def test_every_name_given_and_every_pin_is_a_workflow_of_our_description(profile: Profile) -> None:
    api = pipeline.dump(pipeline.CompileRequest(FOLDER / "openapi.yaml"), pipeline.PASSES[-1])
    flows = {flow.id for flow in api.flows}
    assert {*profile.overrides.rename.values(), *profile.overrides.pin} <= flows
