"""What concerns the description as a whole: name, base path, security, and the profile's say in them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.errors import LimitError
from compiler.frontend import ReadLimits, load_api
from compiler.frontend.load import base_path, security
from compiler.ir.model import Api
from workflow.profiles.profile import Profile, parse_profile

PATHS = {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}}


def load(folder: Path, *, profile: Profile | None = None, **members: Any) -> Api:
    spec = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": PATHS, **members}
    (folder / "api.json").write_text(json.dumps(spec))
    return load_api(folder / "api.json", profile=profile).api


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([], ""),
        ([{"url": "/"}], ""),
        ([{"url": "https://host"}], ""),
        ([{"url": "/rest/v1"}], "/rest/v1"),
        ([{"url": "rest/v1/"}], "/rest/v1"),
        ([{"url": "https://host:8443/api/"}, {"url": "/other"}], "/api"),
        ([{"url": "{s}://{h}/{b}", "variables": {"s": {"default": "https"}, "b": {"default": "x/y"}}}], "/x/y"),
        ([{"url": "https://host/{version}"}], ""),
        ([{"url": "http://[broken"}], ""),
        ([{"url": 7}], "/7"),
        (["text"], ""),
        ("text", ""),
    ],
)
def test_the_base_path_comes_from_the_first_server(servers: Any, expected: str) -> None:
    assert base_path({"openapi": "3.0.0", "servers": servers}, None) == expected


def test_the_profile_knows_better() -> None:
    profile = parse_profile({"api": "mine", "base_path": "/redfish/"}, "test")

    assert base_path({"servers": [{"url": "/wrong"}]}, profile) == "/redfish"


def test_the_profile_names_the_api_and_else_its_title_does(tmp_path: Path) -> None:
    info = {"title": "Acme (R) Storage: REST-API, 2nd edition, for the whole family", "version": 2}

    assert load(tmp_path, info=info).name == "acme-storage-2nd-edition-for"
    assert load(tmp_path, info=info).version == "2"
    assert load(tmp_path, info=info, profile=parse_profile({"api": "acme"}, "test")).name == "acme"


@given(title=st.text(max_size=60))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_name_of_any_title_is_one_that_a_profile_may_have(title: str, tmp_path: Path) -> None:
    assert parse_profile({"api": load(tmp_path, info={"title": title}).name}, "test")


def test_a_description_without_a_title_is_called_after_its_file(tmp_path: Path) -> None:
    assert load(tmp_path, info=[]).title == "api"


def test_security_is_said_in_words_with_the_required_ways_first() -> None:
    schemes = {
        "a": {"type": "oauth2"},
        "b": {"type": "http", "scheme": "Bearer"},
        "c": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "d": {"type": "http", "scheme": "basic"},
        "e": "text",
    }
    data = {"components": {"securitySchemes": schemes}, "security": [{"d": []}, {"c": [], "gone": []}]}

    assert security(data) == ("basic", "api_key header X-Key", "oauth2", "bearer", "unknown")


def test_a_description_without_operations_says_so(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps({"openapi": "3.1.0", "webhooks": {}}))
    loaded = load_api(tmp_path / "api.json")

    assert loaded.api.operations == ()
    assert "no-operations" in [one.code for one in loaded.diagnostics]


def test_limits_are_a_value_that_callers_may_widen(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(json.dumps({"openapi": "3.1.0", "paths": PATHS}))

    with pytest.raises(LimitError):
        load_api(tmp_path / "api.json", limits=ReadLimits(json_bytes=10))
    with pytest.raises(LimitError):
        load_api(tmp_path / "api.json", limits=ReadLimits(operations=0))
    assert len(load_api(tmp_path / "api.json", limits=ReadLimits(operations=1)).api.operations) == 1


def test_files_together_are_bounded(tmp_path: Path) -> None:
    schemas = {str(n): {"$ref": f"{n}.json#/x"} for n in range(5)}
    for n in range(5):
        (tmp_path / f"{n}.json").write_text(json.dumps({"x": {"enum": list(range(50))}}))
    reply = {"description": "", "content": {"application/json": {"schema": {"properties": schemas}}}}
    (tmp_path / "api.json").write_text(
        json.dumps({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": reply}}}}})
    )

    assert load_api(tmp_path / "api.json").api.schemas
    for tight in (ReadLimits(files=3), ReadLimits(total_nodes=100), ReadLimits(total_bytes=500), ReadLimits(lookups=4)):
        with pytest.raises(LimitError):
            load_api(tmp_path / "api.json", limits=tight)
