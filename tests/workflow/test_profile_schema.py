"""The published schema of profiles says what the typed form says, and takes the profiles that are shipped."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from workflow.errors import ProfileError
from workflow.profiles.profile import Profile, parse_profile
from workflow.profiles.profile_schema import DIALECT, profile_schema, schema_text

SPECS = Path(__file__).parents[2] / "specs"
PUBLISHED = SPECS / "profile.schema.json"


def shipped(api: str) -> dict[str, Any]:
    data = yaml.load((SPECS / api / "profile.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    assert isinstance(data, dict)
    return data


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in {"Profile": schema, **schema["$defs"]}.items():
        yield from ((f"{name}.{field}", said) for field, said in part["properties"].items())


def test_the_published_schema_is_the_one_of_the_typed_form() -> None:
    assert PUBLISHED.read_text() == schema_text(), (
        "python -m workflow.profiles.profile_schema > specs/profile.schema.json"
    )


def test_the_schema_is_one_of_its_dialect() -> None:
    assert profile_schema()["$schema"] == DIALECT
    jsonschema_rs.meta.validate(json.loads(PUBLISHED.read_text()))


def test_every_field_and_every_part_is_described() -> None:
    schema = profile_schema()
    assert [name for name, said in fields(schema) if not said.get("description")] == []
    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []


def test_no_title_only_repeats_a_name() -> None:
    schema = profile_schema()
    assert [name for name, said in fields(schema) if isinstance(said.get("title"), str)] == []
    # Fields that are called so are still there.
    assert "title" in schema["properties"]
    assert "title" in schema["$defs"]["Compose"]["properties"]


@pytest.mark.parametrize("api", ["hypercore", "idrac"])
def test_the_shipped_profiles_fit_the_published_schema(api: str) -> None:
    jsonschema_rs.validator_for(json.loads(PUBLISHED.read_text())).validate(shipped(api))


@pytest.mark.parametrize(
    "wrong",
    [{"colour": "red"}, {"api": "Shop API"}, {"format": "other/1"}, {"limits": {"connections": 0}},
     {"risks": [{"operation": "DELETE /x", "risk": "awful", "why": "?"}]}, {"jobs": [{"name": "task"}]}],
)  # fmt: skip
def test_what_the_typed_form_refuses_the_schema_refuses(wrong: dict[str, Any]) -> None:
    validator = jsonschema_rs.validator_for(json.loads(PUBLISHED.read_text()))
    data = {"api": "shop", **wrong}
    with pytest.raises(ValueError):
        Profile.model_validate(data)
    assert not validator.is_valid(data)


@pytest.mark.parametrize(
    ("wrong", "pointer", "mends"),
    [
        ({"sates": []}, "/sates", "no field `sates` here; `states` is the nearest"),
        ({"gone": [{"status": [403]}]}, "/gone/0/status", "`statuses` is the nearest"),
        ({"protocol": {"request_header": {}}}, "/protocol/request_header", "`request_headers` is the nearest"),
        ({"verbs": {"zzz": 1}}, "/verbs/zzz", "there are post_on_item_updates, prefer, distinct"),
        ({"states": [{"resource": "a"}]}, "/states/0/field", "`field` is missing here; say it (Pointer to the state"),
        (
            {"states": [{"resource": "a", "field": "/s", "transitions": [{"op": "x", "to": "up"}]}]},
            "/states/0/transitions/0/op",
            "no field `op` here",
        ),
        ({"compare": [{"member": "/a", "by": "same"}]}, "/compare/0/by", "`rewritten`: it cannot be compared"),
    ],
)
def test_an_error_of_a_profile_says_which_field_mends_it(wrong: dict[str, Any], pointer: str, mends: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(mends)) as told:
        parse_profile({"api": "shop", **wrong}, "profile.yaml")
    assert told.value.pointer == pointer
