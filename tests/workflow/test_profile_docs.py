"""docs/PROFILE.md cannot lag behind the format: every field is in it, and every example is part of a profile."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from workflow.profiles.profile import parse_profile
from workflow.profiles.profile_schema import profile_schema

TEXT = (Path(__file__).parents[2] / "docs/PROFILE.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.M | re.S)


def fields() -> list[str]:
    schema = profile_schema()
    parts = {"Profile": schema, **schema["$defs"]}
    return [f"{part}.{field}" for part, said in parts.items() for field in said["properties"]]


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from keys(value)
    elif isinstance(node, list):
        for one in node:
            yield from keys(one)


@pytest.mark.parametrize("field", fields())
def test_every_field_is_shown_or_named(field: str) -> None:
    name = field.partition(".")[2]
    shown = {key for example in EXAMPLES for key in keys(yaml.safe_load(example))}
    assert name in shown or f"`{name}`" in TEXT or f"`{name}:" in TEXT


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.splitlines()[0]))
def test_every_example_is_part_of_a_profile(example: str) -> None:
    parse_profile({"api": "shop", **yaml.safe_load(example)}, "docs/PROFILE.md")


def test_every_section_of_a_profile_has_an_example() -> None:
    shown = {key for example in EXAMPLES for key in yaml.safe_load(example)}
    assert set(profile_schema()["properties"]) - shown == set()
