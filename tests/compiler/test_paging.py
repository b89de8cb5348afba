"""Collections in pages: how they are recognised, and that the proof finds out whoever reads one page only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.arazzo import document_of
from compiler.compiled import Compiled
from compiler.ir.model import EMPTY, Paging
from compiler.pipeline import CompileRequest
from compiler.proofs.proving import Prover
from compiler.verification import compile_spec

THING = {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}


def compiled(
    folder: Path,
    *parameters: str,
    beside: tuple[str, ...] = (),
    profile: dict[str, Any] | None = None,
    header: str = "",
) -> Compiled:
    """A collection whose list takes these query parameters and has these texts beside its items."""
    members = {"items": {"type": "array", "items": THING}, **{name: {"type": "string"} for name in beside}}
    found = _reply({"type": "object", "properties": members})
    if header:
        found["200"]["headers"] = {header: {"schema": {"type": "string"}}}
    query = [{"name": n, "in": "query", "schema": {"type": "integer" if n == "page" else "string"}} for n in parameters]
    item_id = {"name": "thingId", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {
        "/things": {"get": {"parameters": query, "responses": found}},
        "/things/{thingId}": {
            "parameters": [item_id],
            "get": {"responses": _reply(THING)},
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
    }
    spec = folder / "api.yaml"
    spec.write_text(yaml.safe_dump({"openapi": "3.1.0", "info": {"title": "shop", "version": "1"}, "paths": paths}))
    told = folder / "told.yaml"
    told.write_text(yaml.safe_dump({"api": "shop", **(profile or {})}))
    return compile_spec(CompileRequest(spec, told))[0]


def _reply(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def paging_of(result: Compiled) -> Paging | None:
    return result.api.resources[0].paging


@pytest.mark.parametrize(
    ("parameters", "beside", "header", "way"),
    [
        (("offset", "limit"), (), "", ("items", "offset", "", "limit")),
        (("first", "max"), (), "", ("items", "first", "", "max")),
        (("page", "per_page"), (), "", ("pages", "page", "", "per_page")),
        (("marker", "limit"), ("next",), "", ("last", "marker", "/id", "limit")),
        (("resume", "limit"), ("resume",), "", ("token", "resume", "/resume", "limit")),
        ((), ("items@odata.nextLink",), "", ("link", "", "/items@odata.nextLink", "")),
        ((), (), "Link", ("link", "", "header.link", "")),
        ((), ("next",), "", ("link", "", "/next", "")),
    ],
)
def test_how_a_collection_goes_on_is_told_by_its_parameters_and_its_reply(
    tmp_path: Path, parameters: tuple[str, ...], beside: tuple[str, ...], header: str, way: tuple[str, ...]
) -> None:
    result = compiled(tmp_path, *parameters, beside=beside, header=header)
    found = paging_of(result)
    assert found is not None
    assert (found.by, found.parameter, found.at, found.size_parameter) == way
    assert found.evidence
    assert {one.flow.goal for one in result.workflows} >= {"GET /things", "DELETE /things/{thingId}"}
    for one in result.workflows:
        assert "on the last page" in [run["case"] for run in one.proof["runs"]], one.flow.id


def test_a_limit_or_a_name_alone_is_no_way_to_the_next_page(tmp_path: Path) -> None:
    result = compiled(tmp_path, "limit", "name")
    assert paging_of(result) is None
    assert {step.pages["by"] for one in result.workflows for step in one.flow.steps if step.pages} == {"reply"}


def test_the_profile_has_the_last_word(tmp_path: Path) -> None:
    rule = {"by": "items", "parameter": "from", "size_parameter": "n", "size": 7, "most": 3}
    found = paging_of(compiled(tmp_path, "offset", "limit", profile={"paging": [rule]}))
    assert found is not None and (found.parameter, found.size_parameter, found.size, found.most) == ("from", "n", 7, 3)
    assert paging_of(compiled(tmp_path, "offset", "limit", profile={"paging": [{"by": "none"}]})) is None


def test_a_list_that_is_given_out_tells_where_to_go_on(tmp_path: Path) -> None:
    result = compiled(tmp_path, "offset", "limit")
    find = next(one.flow for one in result.workflows if one.flow.intent == "find")
    assert set(find.outputs) == {"items", "incomplete", "next"}
    assert [given.name for given in find.inputs] == ["offset"]  # how many a page is the step's business


def test_a_lookup_that_reads_one_page_only_is_not_verified(tmp_path: Path) -> None:
    result = compiled(tmp_path, "offset", "limit")
    flow = next(one.flow for one in result.workflows if one.flow.intent == "describe")
    careless = replace(flow, steps=tuple(replace(step, pages=EMPTY) for step in flow.steps))
    assert result.profile is not None
    proof = Prover(result.api, result.profile).prove(careless, document_of(result.api, careless, result.profile))
    assert not proof.is_verified
    assert proof.reason == "on the last page: ended failed not_found"


def test_an_api_whose_lists_are_whole_is_read_once(hypercore: Compiled) -> None:
    assert all(resource.paging is None for resource in hypercore.api.resources)
    pages = [step.pages for one in hypercore.workflows for step in one.flow.steps if step.pages]
    assert {each["by"] for each in pages} == {"reply"}  # which sends nothing but the list's own request
    assert all("parameter" not in each for each in pages)
