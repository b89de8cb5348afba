"""JUnit's XML, which GitLab, Jenkins and most others show as a list of tests: a case is one that holds or has failed.

What was found about a case that holds is its output. Characters that XML has no place for are shown as escapes.
"""

from collections.abc import Sequence
from xml.etree import ElementTree

from compiler.reports.cases import Notice, ReportCase
from workflow.visible import visible


def as_junit(command: str, cases: Sequence[ReportCase]) -> str:
    """One suite, named for the command."""
    failed = str(sum(case.is_failed for case in cases))
    count = {"tests": str(len(cases)), "failures": failed, "errors": "0", "skipped": "0"}
    root = ElementTree.Element("testsuites", {"name": "switchgear", **count})
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"switchgear {command}", **count})
    for case in cases:
        _add(suite, case)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _add(suite: ElementTree.Element, case: ReportCase) -> None:
    names = {"classname": f"switchgear.{case.group}", "name": visible(case.name)}
    element = ElementTree.SubElement(suite, "testcase", names)
    lines = "\n".join(_line(notice) for notice in case.notices)
    if case.is_failed:
        first = visible(case.notices[0].message) if case.notices else "it fails"
        ElementTree.SubElement(element, "failure", {"message": first, "type": case.group}).text = lines
    elif lines:
        ElementTree.SubElement(element, "system-out").text = lines


def _line(notice: Notice) -> str:
    where = f"{notice.pointer}: " if notice.pointer and notice.pointer not in notice.message else ""
    remedy = f" ({notice.remedy})" if notice.remedy else ""
    return visible(f"{notice.severity.value}: {where}{notice.message}{remedy}")
