"""What `compile`, `lint` and `diff` tell a CI system: cases, each with what was found about it.

A case fails where the command's exit code is 1 for it, so that both say the same. Nothing here knows a form of output.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from compiler.changes.drift import Change, DriftVerdict, OperationDifference, RevisionStanding
from compiler.compiled import Compiled
from compiler.ir.model import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that was found. `pointer` as in `Diagnostic`; `file`: which of the command's files it is about."""

    rule: str
    severity: Severity
    message: str
    pointer: str
    remedy: str = ""
    is_of_old: bool = False  # of the older description, where two are compared


@dataclass(frozen=True, slots=True)
class ReportCase:
    """`group`: what kind of thing it is (`rule`, `operation`, `workflow`)."""

    group: str
    name: str
    is_failed: bool = False
    notices: tuple[Notice, ...] = ()


def of_lint(found: Sequence[Diagnostic]) -> tuple[ReportCase, ...]:
    """A case a rule; one that holds where nothing was found."""
    return _of_rules(found, lambda one: one.severity is not Severity.NOTE) or (ReportCase("rule", "description"),)


def of_compile(compiled: Compiled, changed: Sequence[str], faults: Iterable[str]) -> tuple[ReportCase, ...]:
    """A case a workflow, failed where it would change; and a case a rule, failed where it is one of `faults`."""
    would, rules = set(changed), set(faults)
    made = tuple(
        ReportCase("workflow", name, name in would, _would_change(name, name in would))
        for name in sorted({one.flow.id for one in compiled.workflows} | would)
    )
    return made + _of_rules(compiled.diagnostics, lambda one: one.code in rules)


def of_diff(
    found: Sequence[OperationDifference], standing: Sequence[RevisionStanding], *, by_workflow: bool
) -> tuple[ReportCase, ...]:
    """A case an operation that is not as it was, and a case an approved workflow; `by_workflow`: these decide."""
    operations = tuple(_operation(each, decides=not by_workflow) for each in found)
    return operations + tuple(_workflow(each) for each in standing)


def _of_rules(found: Sequence[Diagnostic], fails: Callable[[Diagnostic], bool]) -> tuple[ReportCase, ...]:
    rules: dict[str, list[Diagnostic]] = {}
    for one in found:
        rules.setdefault(one.code, []).append(one)
    return tuple(
        ReportCase("rule", rule, any(map(fails, of)), tuple(map(_notice, of))) for rule, of in sorted(rules.items())
    )


def _notice(one: Diagnostic) -> Notice:
    return Notice(one.code, one.severity, one.message, one.pointer, one.remedy)


def _would_change(workflow: str, is_so: bool) -> tuple[Notice, ...]:
    message = f"{workflow} would change: what is stored under this name is another document, or none"
    return (
        Notice("would-change", Severity.ERROR, message, "", "compile without --check, and have it approved"),
    ) * is_so


def _operation(found: OperationDifference, *, decides: bool) -> ReportCase:
    is_gone = found.kind.value == "removed"
    changes = found.changes or (Change(f"the operation is {'gone' if is_gone else 'new'}", is_gone),)
    notices = tuple(_change(found, change, is_gone, decides) for change in changes)
    return ReportCase("operation", found.operation.key, decides and found.breaks, notices)


def _change(found: OperationDifference, change: Change, is_gone: bool, decides: bool) -> Notice:
    grave = Severity.ERROR if decides else Severity.WARNING
    severity = {True: grave, None: Severity.WARNING, False: Severity.NOTE}[change.breaks]
    rule = {True: "breaks", None: "may-break", False: "differs"}[change.breaks]
    return Notice(rule, severity, f"{found.operation.key}: {change.what}", found.operation.key, is_of_old=is_gone)


def _workflow(standing: RevisionStanding) -> ReportCase:
    is_broken = standing.verdict is DriftVerdict.BREAKS
    severity = Severity.ERROR if is_broken else Severity.NOTE
    rule, name = f"workflow-{standing.verdict.value}", f"{standing.workflow}@{standing.number}"
    remedy = "compile the newer description, and have the new revision approved" if is_broken else ""
    notices = tuple(Notice(rule, severity, f"{name}: {why}", "", remedy) for why in standing.why)
    return ReportCase("workflow", name, is_broken, notices)
