"""Pictures of workflows: what they show, that every text in them stays a text, and that a page may hold them."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.workflow.documents import inputs, parameter, raw, step, workflow
from workflow.graph.drawing import FORMS, Form, draw

Json = Any
HOSTILE = (
    "<script>alert(1)</script>", "</svg><img src=x onerror=alert(1)>", "]]> -->", "&amp;&lt;", '" onload="x', "#quot;",
    "a\u202eb", "a\x00b\x1b[31m", "`code`", "end", "click f1_s1 href \"javascript:x\"", "%%{init: {}}%%", "x\n    evil",
)  # fmt: skip


def end(name: str, outcome: str, message: str, *criteria: str) -> dict[str, Json]:
    own = {"outcome": outcome, "code": name, "message": message}
    return {"name": name, "type": "end", "criteria": [{"condition": each} for each in criteria], "x-switchgear": own}


FIND = step(
    "find", successCriteria=[{"condition": "$statusCode == 200"}],
    onFailure=[end("not_found", "failed", "There is no thing “{$inputs.thing}”.", "$statusCode == 404")],
)  # fmt: skip
CHANGE = step(
    "change", "post", "/things/{id}/start", description="Start the thing.",
    parameters=[parameter("id", "path", "$steps.find.outputs.id")],
    requestBody={"contentType": "application/json", "payload": {"how": "fast", "of": [{"thing": "$inputs.thing"}]}},
    onSuccess=[{"name": "over", "type": "goto", "stepId": "read", "criteria": [{"condition": "$statusCode == 204"}]}],
)  # fmt: skip
WAIT = step(
    "wait", path="/jobs",
    onFailure=[{
        "name": "running", "type": "retry", "retryAfter": 2, "retryLimit": 150,
        "criteria": [{"condition": "$response.body#/state == 'Running'"}],
        "x-switchgear": {"outcome": "unknown", "code": "still_running", "message": "It had not ended."},
    }],
)  # fmt: skip
READ = step("read", onSuccess=[{"name": "done", "type": "end"}])
STEPS = (FIND, CHANGE, WAIT, READ)


def document(*steps: Json, **members: Json) -> dict[str, Json]:
    return raw(workflow(*steps, inputs=inputs("thing", dry={"type": "boolean"}), **members))


def read_aloud(drawn: str, form: Form) -> str:
    """The texts of a picture on one line."""
    if form == "mermaid":
        return re.sub("#([0-9]+);", lambda found: chr(int(found[1])), drawn)
    text = " ".join(ET.fromstring(drawn).itertext()) if form == "svg" else re.sub("\n  │ +", " ", drawn)
    return " ".join(text.split())


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_shows_requests_conditions_waits_and_ends_in_each_form(form: Form) -> None:
    drawn = draw(document(*STEPS), form, risks={"change": "disrupt"}, conditions={"read": ["state is as asked for"]})
    text = read_aloud(drawn, form)
    for shown in (
        "thing*", "disrupt", "POST /things/{id}/start", "Start the thing.", "path id = $steps.find.outputs.id",
        'body.how = "fast"', "body.of[0].thing = $inputs.thing", "There is no thing “{$inputs.thing}”.", "once more",
        "2 s", "150 times", "still_running", "unknown", "state is as asked for",
    ):  # fmt: skip
        assert shown in text, shown


def test_text_keeps_to_80_columns_and_says_where_no_way_leads_on() -> None:
    drawn = draw(document(step("only", path="/" + "long/" * 60), READ), "text")
    assert max(map(len, drawn.splitlines())) <= 80
    assert drawn.count("no way on to the next step") == 1


def saying(text: str) -> dict[str, Json]:
    body = {"payload": {text: text}}
    told = step("change", "post", description=text, requestBody=body, onFailure=[end("x", "failed", text)])
    return document(told, summary=text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_of_a_document_stays_a_text_in_every_form(text: str) -> None:
    said, usual = saying(text), saying("words")
    assert elements(draw(said, "svg")) == elements(draw(usual, "svg"))
    chart = draw(said, "mermaid")
    assert len(chart.splitlines()) == len(draw(usual, "mermaid").splitlines())
    assert not re.search(r"[<>&`%](?!br/>)", chart.replace("<br/>", "").replace("-->", "").replace(".->", ""))
    assert all(line.isprintable() for form in FORMS for line in draw(said, form).splitlines())


def elements(drawn: str) -> set[str]:
    """The kinds of elements and their attributes: nothing that a text could add."""
    return {f"{each.tag} {sorted(each.attrib)}" for each in ET.fromstring(drawn).iter()}


def test_an_svg_has_nothing_that_a_strict_policy_would_refuse() -> None:
    root = ET.fromstring(draw(document(*STEPS), "svg"))
    kinds = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert kinds == {"svg", "title", "g", "rect", "text", "path"}
    names = {name for each in root.iter() for name in each.attrib}
    assert not [name for name in names if name == "style" or name.startswith("on") or "href" in name]


def test_an_svg_is_readable_on_any_ground() -> None:
    """The page's own colours, and plain ones around them for whoever does not know these."""
    root = ET.fromstring(draw(document(*STEPS), "svg"))
    ground, ink = (each for each in root if each.tag.endswith("}g"))
    assert (ground.get("fill"), ground[0].get("fill")) == ("#ffffff", "Canvas")
    assert (ink.get("fill"), ink[0].get("fill")) == ("#1f2328", "CanvasText")
    assert all(text.get("fill") is None for text in root.iter("{http://www.w3.org/2000/svg}text"))


def test_all_of_an_svg_lies_within_its_frame() -> None:
    root = ET.fromstring(draw(document(*STEPS), "svg"))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert float(text.get("x", 0)) + 7.3 * len(text.text or "") < width
        assert float(text.get("y", 0)) < height
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        assert all(float(x) < width for x in re.findall(r"[MH](\d+)", path.get("d", "")))


def test_a_workflow_that_another_one_calls_is_drawn_below_it() -> None:
    called = workflow(step("inner", path="/inner"), workflow_id="second")
    drawn = draw(raw(workflow({"stepId": "call", "workflowId": "second"}), called), "text")
    assert drawn.index("the workflow second") < drawn.index("GET /inner")


def test_a_step_whose_every_success_leads_elsewhere_has_no_arrow_to_the_next() -> None:
    always = [{"name": "over", "type": "goto", "stepId": "read"}]
    lines = draw(document(step("first", onSuccess=always), WAIT, READ), "mermaid").splitlines()
    assert "    f1_s1 --> f1_s3" in lines
    assert "    f1_s1 --> f1_s2" not in lines
