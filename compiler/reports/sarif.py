"""SARIF 2.1.0: what code scanning of GitHub, GitLab and editors reads. One run, a rule a kind, a result a finding.

Files are named relative to the folder at hand, as they are in a checkout. A finding keeps its fingerprint while lines
move: it is made of the rule, the pointer and the words.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from compiler.reports.cases import Notice, ReportCase
from compiler.reports.places import Places
from workflow.visible import visible

# The standard's own name for its schema; nobody fetches it here.
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def as_sarif(
    command: str, version: str, cases: Sequence[ReportCase], new: Places, old: Places | None = None
) -> dict[str, Any]:
    """`command`: whose findings they are; `old`: where what is gone stood."""
    notices = [notice for case in cases for notice in case.notices]
    rules = sorted({notice.rule for notice in notices})
    driver = {"name": f"switchgear {command}", "version": version, "rules": [_rule(rule, notices) for rule in rules]}
    results = [_result(notice, rules, old if old and notice.is_of_old else new) for notice in notices]
    return {
        "version": "2.1.0",
        "$schema": SCHEMA,
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(rule: str, notices: Iterable[Notice]) -> dict[str, Any]:
    remedy = next((notice.remedy for notice in notices if notice.rule == rule and notice.remedy), "")
    return {"id": rule, **({"help": {"text": visible(remedy)}} if remedy else {})}


def _result(notice: Notice, rules: Sequence[str], places: Places) -> dict[str, Any]:
    place = places.of(notice.pointer)
    region = {} if place.line is None else {"region": {"startLine": place.line}}
    logical = {"logicalLocations": [{"fullyQualifiedName": notice.pointer}]} if notice.pointer else {}
    told = f"{notice.message}\nWhat to do: {notice.remedy}" if notice.remedy else notice.message
    known_by = "\0".join((notice.rule, notice.pointer, notice.message))
    return {
        "ruleId": notice.rule,
        "ruleIndex": rules.index(notice.rule),
        "level": notice.severity.value,
        "message": {"text": visible(told)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, **region}, **logical}],
        "partialFingerprints": {"finding/v1": hashlib.sha256(known_by.encode()).hexdigest()},
    }


def _uri(file: Path) -> str:
    """Relative where it lies below the folder at hand; else as a `file` address."""
    whole, here = file.resolve(), Path.cwd().resolve()
    return quote(whole.relative_to(here).as_posix()) if whole.is_relative_to(here) else whole.as_uri()
