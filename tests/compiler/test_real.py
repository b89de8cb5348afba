"""The real descriptions, unedited: what people's own automation does is found again, and nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.reports.report import as_json
from compiler.verification import compile_spec


def compiled(spec: Path) -> dict[str, Any]:
    return as_json(compile_spec(CompileRequest(spec))[0])


def score(shared: Path, truth: str, report: dict[str, Any], folder: Path) -> dict[str, Any]:
    candidates = folder / "report.json"
    candidates.write_text(json.dumps(report))
    command = [sys.executable, str(shared / "quality/score.py"), str(shared / "quality" / truth), str(candidates)]
    command += ["--spec", str(shared / "specs/hypercore/openapi.json"), "--base", "/rest/v1"]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["profile", "no-profile"])
def test_the_changes_of_peoples_automation_are_found_with_what_they_need(
    shared: Path, vendors_hypercore: Compiled, tmp_path: Path, profile: str
) -> None:
    is_told = profile == "profile"
    report = as_json(vendors_hypercore) if is_told else compiled(shared / "specs/hypercore/openapi.json")
    found = score(shared, "hypercore_chains.json", report, tmp_path)
    assert found["found_at_80"] >= 0.9
    assert found["edge_recall"] >= 0.8


@pytest.mark.slow
def test_whole_tasks_of_several_changes_are_found(shared: Path, vendors_hypercore: Compiled, tmp_path: Path) -> None:
    assert score(shared, "hypercore_tasks.json", as_json(vendors_hypercore), tmp_path)["share"] >= 0.8


@pytest.mark.slow
def test_the_big_description_with_missing_files_keeps_every_operation(vendors_idrac: Compiled) -> None:
    report = as_json(vendors_idrac)
    assert report["spec"]["operations"] == 714
    assert report["coverage"]["in_workflows"] >= 660
    assert all(entry["why"] for entry in report["coverage"]["left_out"])
    assert any(d["code"] == "file-missing" or "missing" in d["code"] for d in report["diagnostics"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    [
        pytest.param("redfish-small/openapi.yaml", 0.9, marks=pytest.mark.long),
        ("odd/powerstore-swagger20.json", 0.9),
        pytest.param("odd/powerscale.json", 0.9, marks=pytest.mark.long),
        ("odd/keycloak-dangling-ref.json", 0.9),
        ("odd/openstack-image-31.yaml", 0.9),
    ],
)
def test_descriptions_that_nobody_prepared_give_proved_workflows_for_most_operations(
    shared: Path, name: str, least: float
) -> None:
    report = compiled(shared / "specs" / name)
    told = report["coverage"]
    usable = told["operations"] - sum("alias" in e["why"] or "deprecated" in e["why"] for e in told["left_out"])
    assert told["in_workflows"] / usable >= least
