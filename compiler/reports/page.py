"""A compile, or a comparison of two descriptions, as one HTML page that needs no server: to keep, to send, to read.

One file with its own style and nothing from elsewhere; without script, so that what a description says stays text: all
of it is escaped and visible. What takes room is folded by `details`, and told in fewer words of what is not in the
default catalog: however large the description, a mail takes the page and a browser opens it at once. Readable in light
and dark, on paper and by keyboard. Called by the commands `compile --report` and `diff --report`. Here never lives a
judgement. HTML Living Standard.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from compiler.budget import default_catalog
from compiler.changes.drift import DriftVerdict, OperationDifference, RevisionStanding
from compiler.compiled import Compiled, CompiledWorkflow
from compiler.ir.model import Api, Diagnostic
from compiler.reports.report import coverage
from workflow.graph.drawing import draw
from workflow.risks import RISKS
from workflow.visible import visible

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8888 }
table { border-collapse: collapse; width: 100% } th { text-align: left }
td, th { padding: .2rem .8rem .2rem 0; vertical-align: top; border-bottom: 1px solid #8883; overflow-wrap: anywhere }
summary { cursor: pointer; padding: .3rem 0 } code, pre { font: 14px ui-monospace, monospace; overflow-wrap: anywhere }
.risk { border-left: 4px solid #5b8fb0; padding-left: .4rem } .change { border-color: #b8860b }
.disrupt { border-color: #d9622b } .destroy { border-color: #c93c37 }
svg { max-width: 100%; height: auto } details details { margin-left: 1rem }
"""
# Together at most 1 MB, however many workflows, operations and findings there are.
MOST_WORKFLOWS, MOST_TABLE = 600_000, 120_000
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def compile_page(compiled: Compiled) -> str:
    """What was made of a description: coverage, classes, catalog, each workflow with its proof, what was left out."""
    api, told = compiled.api, coverage(compiled)
    title = f"{visible(api.title)} {api.version}"
    summary = (
        f"{told['operations']} operations, {told['in_workflows']} of them in {len(compiled.workflows)} workflows, "
        f"{len(told['left_out'])} left out with a reason"
    )
    parts = [
        _heading(title, summary),
        _facts({"API": api.name, "digest of the description": api.digest, "profile": _profile(compiled)}),
        _section("Classes of risk", _classes(compiled)),
        _section("Default catalog", _catalog(compiled)),
        _section("Workflows", _workflows(compiled.workflows)),
        _section("Left out", _left_out(told["left_out"])),
        _section("What was found", _diagnostics(compiled.diagnostics)),
    ]
    return _page(title, parts)


def diff_page(old: Api, new: Api, found: Sequence[OperationDifference], standing: Sequence[RevisionStanding]) -> str:
    """What a newer description changes, and how approved workflows stand to it."""
    title = f"{visible(old.title)} {old.version} → {visible(new.title)} {new.version}"
    breaks = sum(each.breaks for each in found)
    broken = sum(each.verdict is DriftVerdict.BREAKS for each in standing)
    summary = f"{len(found)} operations differ, {breaks} of them may break a caller" + (
        f"; of {len(standing)} approved workflows {broken} break" if standing else ""
    )
    rows = [(each.workflow, str(each.number), each.verdict.value, "; ".join(each.why)) for each in standing]
    parts = [
        _heading(title, summary),
        _facts({"digest before": old.digest, "digest now": new.digest}),
        _section("Approved workflows", _table(("workflow", "number", "verdict", "why"), rows)) if standing else "",
        _section("Operations", _table(("change", "operation", "what"), [_operation(each) for each in found])),
    ]
    return _page(title, parts)


def _operation(found: OperationDifference) -> tuple[str, str, str]:
    marks = {True: "breaks: ", False: "", None: "cannot be decided: "}
    what = "; ".join(f"{marks[change.breaks]}{change.what}" for change in found.changes)
    return (f"{found.kind.value}{', breaks' if found.breaks else ''}", found.operation.key, what)


def _page(title: str, parts: Iterable[str]) -> str:
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="content-security-policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style>"
    )
    return "\n".join([head, "<main>", *filter(None, parts), "</main></html>", ""])


def _heading(title: str, summary: str) -> str:
    return f"<h1>{_text(title)}</h1><p>{_text(summary)}.</p>"


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{title}</h2>{inside or '<p>Nothing.</p>'}</section>"


def _facts(facts: dict[str, str]) -> str:
    return _table(("", ""), [(name, value) for name, value in facts.items() if value], has_head=False)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], *, has_head: bool = True) -> str:
    """As many rows as a page has room for, and how many there are besides."""
    head = "<tr>" + "".join(f"<th>{_text(name)}" for name in names) if has_head else ""
    body = list(_fitting(("<tr>" + "".join(f"<td>{_text(cell)}" for cell in row) for row in rows), MOST_TABLE))
    more = _more(len(rows) - len(body), "--json tells all of them")
    return f"<table>{head}{''.join(body)}</table>{more}" if rows else ""


def _fitting(parts: Iterable[str], most: int) -> Iterator[str]:
    """The first of them that have room in so many characters."""
    for part in parts:
        most -= len(part)
        if most < 0:
            return
        yield part


def _more(count: int, where: str) -> str:
    return f"<p>And {count} more: {where}.</p>" if count > 0 else ""


def _profile(compiled: Compiled) -> str:
    return compiled.profile.digest if compiled.profile else "none"


def _classes(compiled: Compiled) -> str:
    made = Counter(one.flow.risk.value for one in compiled.workflows)
    proved = Counter(one.flow.risk.value for one in compiled.workflows if one.is_verified)
    core = Counter(one.flow.risk.value for one in compiled.workflows if one.flow.is_core)
    rows = [(risk, str(made[risk]), str(proved[risk]), str(core[risk])) for risk in RISKS]
    return _table(("class", "workflows", "proved on the twin", "main ones"), rows)


def _catalog(compiled: Compiled) -> str:
    """What every client sees as tools of their own; for all others, why not, folded."""
    pins = compiled.profile.overrides.pin if compiled.profile else ()
    told = default_catalog((one for one in compiled.workflows if one.is_verified), pins)
    titles = {one.flow.id: one.flow.title for one in compiled.workflows}
    inside, outside = (
        [(name, titles[name], why.partition(": ")[2]) for name, why in told.items() if why.startswith(way)]
        for way in ("in:", "out:")
    )
    names = ("workflow", "what for", "why")
    return _table(names, inside) + _folded(f"{len(outside)} others, found by search", _table(names, outside))


def _workflows(found: Sequence[CompiledWorkflow]) -> str:
    """Those of the default catalog first, with all that is known; of the others less, and where that has no room, what
    each is for; and of none more than fits."""
    ordered = sorted(found, key=lambda one: (not one.flow.is_core, one.flow.id))
    titled = list(_fitting((f"<p>{_title(one)}</p>" for one in ordered), MOST_WORKFLOWS))
    left = MOST_WORKFLOWS - sum(map(len, titled))
    shown = []
    for one, title in zip(ordered, titled, strict=False):
        whole = _workflow(one)
        left -= len(whole) - len(title)
        shown.append(whole if left >= 0 else title)
    where = "<code>switchgear workflows show NAME</code>"
    return "".join(shown) + _more(len(ordered) - len(shown), where)


def _title(one: CompiledWorkflow) -> str:
    state = "proved" if one.is_verified else f"not proved: {one.proof.get('reason', '')}"
    told = f"<code>{_text(one.flow.id)}</code> {_text(one.flow.title)}, {_text(state)}"
    return f'<span class="risk {one.flow.risk.value}">{one.flow.risk.value}</span> {told}'


def _workflow(one: CompiledWorkflow) -> str:
    reasons = [(each["step"], each["operation"], each["risk"], each["why"]) for each in one.proof.get("risk", ())]
    runs = one.proof.get("runs", ())
    inside = [f"<p>{_text(one.flow.description)}</p>", _table(("step", "operation", "class", "why"), reasons)]
    if one.flow.is_core:
        drawn = draw(one.document, "svg", risks={each[0]: each[2] for each in reasons})
        inside += [_folded("Steps as a picture", drawn), _folded(f"{len(runs)} runs on the twin", _runs(runs))]
    else:
        inside.append(f"<p>{_text(_runs_in_words(runs))}</p>")
    return f"<details><summary>{_title(one)}</summary>{''.join(inside)}</details>"


def _runs(runs: Sequence[Any]) -> str:
    rows = [(run["case"], "a failure" if run.get("failure_path") else "usual", run["outcome"]) for run in runs]
    return _table(("case", "kind", "ends as"), rows)


def _runs_in_words(runs: Sequence[Any]) -> str:
    ends = Counter(run["outcome"] for run in runs)
    told = ", ".join(f"{count} ended as {outcome}" for outcome, count in sorted(ends.items()))
    return f"{len(runs)} runs on the twin: {told}." if runs else ""


def _folded(title: str, inside: str) -> str:
    return f"<details><summary>{_text(title)}</summary>{inside}</details>" if inside else ""


def _left_out(left_out: Sequence[dict[str, str]]) -> str:
    return _table(("operation", "why"), [(f"{each['method']} {each['path']}", each["why"]) for each in left_out])


def _diagnostics(found: Sequence[Diagnostic]) -> str:
    return _table(("severity", "place", "what", "what to do"), list(_told(found)))


def _told(found: Sequence[Diagnostic]) -> Iterator[tuple[str, str, str, str]]:
    for each in found:
        yield each.severity.value, each.pointer, each.message, each.remedy


def _text(text: str) -> str:
    return escape(visible(str(text)))
