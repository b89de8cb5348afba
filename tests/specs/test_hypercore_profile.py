"""The HyperCore profile names only what there is, and says something about all that needs it.

Judged against our own description; the vendor's has the same operations and members (test_hypercore_description).
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow.profiles.profile import Profile, RiskRule, read_profile

FOLDER = Path(__file__).parents[2] / "specs/hypercore"


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.load((FOLDER / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read_profile(FOLDER / "profile.yaml")


@pytest.fixture(scope="module")
def keys(document: Any) -> set[str]:
    return {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}


def nouns(document: Any) -> set[str]:
    return {path.split("/")[1] for path in document["paths"]} - {"ping", "login", "logout"}


def members(document: Any) -> set[str]:
    schemas = document["components"]["schemas"].values()
    inline = {"snapUUID", "gpuUUID", "privateKey", "password", "sessionID"}  # members and parameters without a schema
    return inline.union(*(schema.get("properties", {}) for schema in schemas))


def item_members(document: Any, noun: str) -> set[str]:
    reply = document["paths"][f"/{noun}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    schema = document["components"]["schemas"][reply["items"]["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


def matching(profile: Profile, key: str) -> list[RiskRule]:
    return [r for r in profile.risks if r.operation == key or (r.pattern and re.search(r.pattern, key))]


def test_every_operation_that_the_profile_names_exists(profile: Profile, keys: set[str]) -> None:
    named = set(profile.verbs.idempotent) | set(profile.verbs.not_idempotent) | set(profile.auth.open_operations)
    named |= {rule.operation for rule in (*profile.risks, *profile.leave_out) if rule.operation}
    named |= {operation for rule in profile.states for operation in rule.needs}
    named |= {move.operation for rule in profile.states for move in rule.transitions}
    named |= {rule.poll for rule in profile.jobs}
    assert profile.auth.session is not None
    named |= {profile.auth.session.login, profile.auth.session.logout or ""}
    assert named <= keys


def test_every_pattern_fits_some_operation(profile: Profile, keys: set[str]) -> None:
    patterns = [rule.pattern for rule in (*profile.risks, *profile.leave_out) if rule.pattern]
    assert patterns
    assert [p for p in patterns if not any(re.search(p, key) for key in keys)] == []


def test_every_noun_has_an_operators_word(profile: Profile, document: Any) -> None:
    assert set(profile.vocabulary) == nouns(document)


def test_natural_keys_are_members_of_their_items(profile: Profile, document: Any) -> None:
    collections = {noun for noun in nouns(document) if "get" in document["paths"].get(f"/{noun}", {})}
    assert set(profile.identity.natural_keys) == collections - {"NucleusKey", "VirDomainStats"}
    for noun, names in profile.identity.natural_keys.items():
        assert set(names) <= item_members(document, noun), noun


def test_synonyms_of_ids_occur_in_the_description(profile: Profile, document: Any) -> None:
    said = {name for names in profile.identity.synonyms.values() for name in names}
    assert said - members(document) == {"roleUUID"}
    assert set(profile.identity.synonyms) <= nouns(document)


def test_every_change_has_exactly_one_risk_rule(profile: Profile, keys: set[str]) -> None:
    split = "POST /VirDomain/action"
    sessions = {"POST /login", "POST /logout", "OPTIONS /login"}
    left_out = {key for key in keys if "NucleusKey" in key}
    changes = {key for key in keys if not key.startswith("GET")} - sessions - left_out - {split}
    assert {key: len(matching(profile, key)) for key in changes} == dict.fromkeys(changes, 1)
    assert not [key for key in keys if key.startswith("GET") and matching(profile, key)]


def test_every_action_on_a_vm_has_one_risk_and_one_transition(profile: Profile, document: Any) -> None:
    actions = sorted(document["components"]["schemas"]["VirDomainActionType"]["enum"])
    rules = matching(profile, "POST /VirDomain/action")
    assert sorted(value for rule in rules for value in rule.when["/0/actionType"]) == actions
    (state,) = (rule for rule in profile.states if rule.resource == "VirDomain")
    assert sorted(move.when["/0/actionType"] for move in state.transitions) == actions


def test_states_are_values_of_the_states_enum(profile: Profile, document: Any) -> None:
    for rule in profile.states:
        known = set(document["components"]["schemas"][f"{rule.resource}State"]["enum"])
        said = {rule.initial, *(move.to for move in rule.transitions)}
        said |= {state for move in rule.transitions for state in move.from_states}
        said |= {state for states in rule.needs.values() for state in states}
        assert said <= known, rule.resource


def test_every_state_of_a_task_is_waited_for_or_final(profile: Profile, document: Any) -> None:
    (job,) = profile.jobs
    known = document["components"]["schemas"]["TaskState"]["enum"]
    assert sorted((*job.waiting, *job.succeeded, *job.failed)) == sorted(known)


def test_a_session_that_is_over_is_503_and_not_401(profile: Profile) -> None:
    assert profile.auth.session is not None
    assert profile.auth.session.expired_statuses == (503,)


def test_single_members_exist_under_their_ids(profile: Profile, document: Any) -> None:
    for path, identifier in profile.singles.items():
        example = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        assert [item["uuid"] for item in example] == [identifier]
    assert set(profile.sole_members) <= set(document["paths"])


def test_members_whose_values_are_secret_exist_and_none_is_forgotten(profile: Profile, document: Any) -> None:
    assert set(profile.secrets) <= members(document)
    hidden = {
        name
        for schema in document["components"]["schemas"].values()
        for name, member in schema.get("properties", {}).items()
        if member.get("writeOnly") or "password" in name.lower()
    }
    assert hidden <= set(profile.secrets)


def test_the_readme_is_short() -> None:
    assert 5 < len((FOLDER / "README.md").read_text().splitlines()) <= 40
