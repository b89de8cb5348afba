"""The commands of this room: compile, lint and diff; `mock` is in its own file. See `switchgear.main` for the others.

Each parses, calls one function, prints and answers its exit code (0 done, 1 findings). Standard output is data,
standard error is for people; progress is shown on a terminal only.
"""

import asyncio
import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compiler import imports, pipeline, shipped, submission, verification
from compiler.compiled import Compiled
from compiler.containment import FAULT
from compiler.frontend import load_api
from compiler.ir.model import Api, Severity
from compiler.ir.printer import print_api
from compiler.pipeline import CompileRequest, find_profile
from compiler.profile_fit import refuse_another
from compiler.proposer import Record
from compiler.proposer.options import asking_of, asking_options
from compiler.proposer.proposer import ProposerOptions
from compiler.reports import asked_report, report
from compiler.stages import Progress, silent
from governance.accounts import account
from governance.settings import Settings
from workflow.nearest import did_you_mean

if TYPE_CHECKING:
    from compiler.reports.cases import ReportCase

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ALL = "*"
# What a compile makes it keeps: looking for garbage after every 700 objects takes a fifth of its time.
_GARBAGE_AFTER = 10_000_000
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FOR_CI = ("sarif", "junit")
_FORMAT = click.option(
    "--format", "form", type=click.Choice(("text", "json", *_FOR_CI)), default="text", show_default=True,
    help="How it is printed: sarif for code scanning, junit for lists of tests.",
)  # fmt: skip

_REPORT = click.option(
    "--report", "report_to", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write all of it as one HTML page, too.",
)  # fmt: skip


@click.command("compile", epilog=shipped.help_text())
@click.argument("specs", metavar="SPEC", type=shipped.SPEC, nargs=-1, required=True)
@click.option("--profile", type=shipped.VENDOR_PROFILE, help="The vendor profile; default: profile.yaml beside SPEC.")
@click.option("--overlay", type=_FILE, help="An OpenAPI Overlay 1.0 document to apply first.")
@click.option("--root", type=_FOLDER, help="References are followed below this folder; default: SPEC's folder.")
@click.option("--db", metavar="URL", help="The database; default: SWITCHGEAR_DATABASE_URL.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write Arazzo files here, too.")
@click.option("--arazzo", type=_FILE, multiple=True, help="A hand-written Arazzo document to take up; repeatable.")
@asking_options
@click.option(
    "--ask", metavar="SENTENCE", help="Make one workflow of what an operator says; several SPECs are searched."
)
@click.option("--asked-by", hidden=True, help="Whose wish it is: who may not approve what comes of it.")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 when something would change.")
@click.option(
    "--dump-after", metavar="PASS", type=click.Choice(pipeline.PASSES),
    help=f"Print the IR after this pass, and stop: {', '.join(pipeline.PASSES)}.",
)  # fmt: skip
@click.option("--explain", is_flag=False, flag_value=_ALL, metavar="[WORKFLOW]", help="Say why; store nothing.")
@click.option(
    "--all-behaviours", is_flag=True, help="Prove each workflow on every behaviour that applies, not on some."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@_REPORT
@_FORMAT
def compile_command(
    specs: tuple[Path, ...], profile: Path | None, overlay: Path | None, root: Path | None, db: str | None,
    out: Path | None, arazzo: tuple[Path, ...], proposer: str, lock: Path | None, model_deadline: float,
    model_renew: bool, ask: str | None, asked_by: str | None, check: bool, dump_after: str | None, explain: str | None,
    as_json: bool, all_behaviours: bool, report_to: Path | None, form: str,
) -> int:  # fmt: skip
    """Turn the OpenAPI document SPEC into verified, pending workflows."""
    request = CompileRequest(specs[0], profile, overlay, root, all_behaviours)
    if dump_after:
        click.echo(print_api(pipeline.dump(request, dump_after)))
        return 0
    is_kept = not check and explain is None
    asking = asking_of(proposer, lock, model_deadline, is_renewed=model_renew, is_kept=is_kept)
    is_json = as_json or form == "json"
    if ask is not None:
        who = asked_by or f"compile:{account()}"
        return _ask(_all_requests(request, specs), ask, asking, db, who, is_json=is_json, is_kept=is_kept)
    if len(specs) > 1:
        raise click.UsageError("one SPEC is compiled at a time; several are searched with --ask")
    compiled, record = _compile(request, asking)
    compiled = imports.with_documents(compiled, arazzo)
    if explain is not None:
        click.echo(_explained(compiled, explain))
        return 0
    if lock is not None and not check:
        record.write(lock)
    changed, compiled = _keep(compiled, db, out, asked_by or f"compile:{account()}", check=check)
    if report_to is not None:
        from compiler.reports.page import compile_page

        report_to.write_text(compile_page(compiled), encoding="utf-8")
    faults = {d.code for d in compiled.diagnostics if _is_fault(d.code)}
    if form in _FOR_CI:
        from compiler.reports import cases

        _print_for_ci("compile", form, cases.of_compile(compiled, changed, faults), specs[0])
    else:
        click.echo(json.dumps(report.as_json(compiled), indent=1) if is_json else report.as_text(compiled))
    return 1 if changed or faults else 0


def _all_requests(first: CompileRequest, specs: Sequence[Path]) -> list[CompileRequest]:
    """One for each; what is said of one of them can't be meant for several."""
    if len(specs) > 1 and (first.profile or first.overlay or first.root):
        raise click.UsageError("with several SPECs each has its own profile.yaml beside it, and no overlay or root")
    return [replace(first, spec=spec) for spec in specs]


def _ask(
    requests: Sequence[CompileRequest],
    sentence: str,
    asking: ProposerOptions,
    db: str | None,
    who: str,
    *,
    is_json: bool,
    is_kept: bool,
) -> int:
    """Makes and stores the workflow that the sentence asks for; 0 where there is one then, or was before."""
    with _shown() as show:
        outcome, record = verification.ask_for(requests, sentence, asking, show)
    if is_kept and asking.lock is not None and len(requests) == 1:
        record.write(asking.lock)
    if is_kept and outcome.compiled is not None and outcome.workflow is not None:
        alone = replace(outcome.compiled, workflows=(outcome.workflow,))
        made = asyncio.run(submission.submit(alone, db or Settings.read(os.environ).database, who))
        _tell([f"{made.new} new pending, {made.unchanged} unchanged"])
    click.echo(json.dumps(asked_report.as_json(outcome), indent=1) if is_json else asked_report.as_text(outcome))
    return 0 if outcome.workflow is not None or outcome.exists else 1


def _is_fault(code: str) -> bool:
    """Of a document given by hand, or of ours: the compile goes on without the item, and says so in the exit code."""
    return code == FAULT or code.startswith("arazzo-")


def _explained(compiled: Compiled, workflow: str) -> str:
    if workflow == _ALL:
        return report.explained_catalog(compiled)
    one = next((one for one in compiled.workflows if one.flow.id == workflow), None)
    if one is None:
        near = did_you_mean(workflow, (each.flow.id for each in compiled.workflows))
        told = f"there is no workflow {workflow!r}; --explain alone lists all"
        raise click.UsageError(told + ("." + near if near else ""))
    return report.explained_workflow(one)


def _compile(request: CompileRequest, asking: ProposerOptions) -> tuple[Compiled, Record]:
    """Compiles, with a bar on a terminal."""
    gc.set_threshold(_GARBAGE_AFTER)
    with _shown() as show:
        return verification.compile_spec(request, asking, show)


@contextmanager
def _shown() -> Iterator[Progress]:
    """What is called as work goes on: a bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield silent
        return
    from compiler.commands.progress import bar

    with bar() as show:
        yield show


def _keep(
    compiled: Compiled, db: str | None, out: Path | None, who: str, *, check: bool
) -> tuple[Sequence[str], Compiled]:
    """Writes files and database, or with `check` answers which workflows would change; and what is to be reported."""
    url = db or Settings.read(os.environ).database
    if check:
        changed = asyncio.run(submission.changes(compiled, url))
        _tell([f"would change: {workflow}" for workflow in changed] or ["nothing would change"])
        return changed, compiled
    if out is not None:
        submission.write_documents(compiled, out)
    made = asyncio.run(submission.submit(compiled, url, who))
    _tell([f"{made.new} new pending, {made.unchanged} unchanged"])
    return (), replace(compiled, diagnostics=(*compiled.diagnostics, *made.faults))


def _read(request: CompileRequest) -> Api:
    """The description as it is. Raises OtherProfileError."""
    vendor = find_profile(request)
    api = load_api(request.spec, profile=vendor).api
    refuse_another(api, vendor, request)
    return api


def _print_for_ci(command: str, form: str, found: "Sequence[ReportCase]", new: Path, old: Path | None = None) -> None:
    """SARIF with places in `new`, and in `old` for what is gone; or JUnit."""
    from compiler.reports.junit import as_junit
    from compiler.reports.places import Places
    from compiler.reports.sarif import as_sarif

    if form == "junit":
        click.echo(as_junit(command, found))
    else:
        places = Places(new), Places(old) if old else None
        click.echo(json.dumps(as_sarif(command, version("switchgear"), found, *places), indent=1))


def _tell(lines: list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


@click.command("lint", epilog=shipped.help_text())
@click.argument("spec", type=shipped.SPEC)
@click.option("--profile", type=shipped.VENDOR_PROFILE, help="The vendor profile; default: profile.yaml beside SPEC.")
@click.option("--root", type=_FOLDER, help="References are followed below this folder; default: SPEC's folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_FORMAT
def lint_command(spec: Path, profile: Path | None, root: Path | None, as_json: bool, form: str) -> int:
    """Say what is wrong with the OpenAPI document SPEC, and what was assumed about it."""
    # Here and not above: the specification's validator takes longer to import than most compiles take.
    from compiler import lint

    found = lint.lint(CompileRequest(spec, profile, None, root))
    if form in _FOR_CI:
        from compiler.reports import cases

        _print_for_ci("lint", form, cases.of_lint(found), spec)
    elif as_json or form == "json":
        click.echo(json.dumps({"diagnostics": [report.diagnostic_json(d) for d in found]}, indent=1))
    else:
        click.echo(lint.as_text(found))
    return 1 if any(d.severity is not Severity.NOTE for d in found) else 0


@click.command("diff", epilog=shipped.help_text())
@click.argument("old", type=shipped.SPEC)
@click.argument("new", type=shipped.SPEC)
@click.option(
    "--profile", type=shipped.VENDOR_PROFILE, help="The vendor profile of both; default: profile.yaml beside each."
)
@click.option("--db", metavar="URL", help="Also say what becomes of the workflows that are approved in this database.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_REPORT
@_FORMAT
def diff_command(
    old: Path, new: Path, profile: Path | None, db: str | None, as_json: bool, report_to: Path | None, form: str
) -> int:
    """Say what the description NEW changes against OLD; ends with 1 when something breaks.

    With a database that is an approved workflow; without one, any operation.
    """
    from compiler.changes import drift  # the schemas' algebra is not imported for a compile

    before, after = (_read(CompileRequest(each, profile)) for each in (old, new))
    found = drift.differences(before, after)
    approved = asyncio.run(submission.approved(after.name, db)) if db else ()
    standing = drift.standings(approved, after)
    if report_to is not None:
        from compiler.reports.page import diff_page

        report_to.write_text(diff_page(before, after, found, standing), encoding="utf-8")
    if form in _FOR_CI:
        from compiler.reports import cases

        _print_for_ci("diff", form, cases.of_diff(found, standing, by_workflow=bool(db)), new, old)
    elif as_json or form == "json":
        click.echo(json.dumps(drift.as_json(before, after, found, standing), indent=1))
    else:
        click.echo(drift.as_text(before, after, found, standing))
    breaks = [one.verdict is drift.DriftVerdict.BREAKS for one in standing] if db else [one.breaks for one in found]
    return 1 if any(breaks) else 0
