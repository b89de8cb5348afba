"""The commands `switchgear workflows show|diff`: one revision, step by step, and what it changes.

They stand in the group of `workflows` (`switchgear.main`), in a file of their own because they read documents, which
takes many imports. As there: each parses, calls one store, prints. Here never lives a rule or a statement.
"""

from collections.abc import Iterator

import click

from governance.approval.dossier import approval_text, difference, dossier, picture
from governance.approval.revisions import Revision, RevisionStore
from governance.commands import shown
from governance.commands.completing import complete
from governance.commands.options import common, with_database
from governance.storage.identifiers import Json
from workflow.graph.drawing import Form


@click.command("show")
@click.argument("ref", shell_complete=complete("workflow"))
@click.option("--graph", "form", flag_value="text", help="Draw its steps as text.")
@click.option("--svg", "form", flag_value="svg", help="Draw them as SVG.")
@click.option("--mermaid", "form", flag_value="mermaid", help="Draw them as a Mermaid flowchart.")
@common
def show_command(ref: str, form: Form | None, db: str | None, as_json: bool) -> None:
    """Show a revision. REF is an id, WORKFLOW@NUMBER, or a WORKFLOW for its newest revision."""
    revision, in_use = with_database(db, lambda d: _with_the_one_in_use(RevisionStore(d), ref))
    if form is not None:
        drawn = picture(revision, form)
        shown.as_json({"id": revision.id, form: drawn}) if as_json else click.echo(drawn)
        return
    told = dossier(revision, in_use)
    if as_json:
        shown.as_json({**revision.to_json(), **told})
        return
    _show_revision(revision, told)


@click.command("diff")
@click.argument("ref", shell_complete=complete("workflow"))
@click.option("--against", metavar="REF", help="Another revision; default: the one of this workflow that is in use.")
@common
def diff_command(ref: str, against: str | None, db: str | None, as_json: bool) -> None:
    """Show what a revision changes: requests, document, tool text. REF as for `show`."""
    revision, other = with_database(db, lambda d: _with_the_one_in_use(RevisionStore(d), ref, against))
    told = difference(revision, other)
    if as_json:
        shown.as_json({"id": revision.id, "digest": revision.digest, "difference": told})
    elif told is None:
        shown.note("it is the one in use" if other else "nothing of this workflow is in use: all of it is new")
    else:
        _show_difference(told)


async def _with_the_one_in_use(
    store: RevisionStore, ref: str, against: str | None = None
) -> tuple[Revision, Revision | None]:
    """The revision, and the one named by `against`, without it the one in use."""
    revision = await store.get(ref)
    return revision, await (store.get(against) if against else store.in_use(revision.workflow_id))


def _show_revision(revision: Revision, told: Json) -> None:
    """For people: what it is, what `call` takes, then its steps and all else there is to decide by."""
    tool = revision.content.tool
    summary = {name: value for name, value in revision.summary().items() if value != []}
    shown.fields({**summary, "tool": tool.get("name"), "description": tool.get("description")})
    for line in _inputs(revision.content.document):
        click.echo(shown.hung(shown.plain(line), "", 4))
    _show_dossier({**told, "approved": approval_text(revision)})


def _show_dossier(told: Json) -> None:
    """For people: the steps and why; what a model said, what would change, where there is any of it."""
    steps = [{**each, "step": each["step_id"], "operation": _operation(each)} for each in told["steps"]]
    shown.table(steps, ("step", "operation", "risk"))
    for each in told["risk_reasons"]:
        click.echo(shown.hung(shown.plain(each["why"]), f"{shown.plain(each['step'])}: ", 2))
    conditions = [text for each in told["steps"] for text in each["succeeds_only_if"]]
    if told["origin"]:
        _echo(f"Brought by the bundle {told['origin']}")
    if told["approval"]:
        _echo(f"Approved {told['approved']}")
    if told["unproved"]:
        _echo(f"Not proved on the twin: {told['unproved']}")
    if conditions:
        _echo(f"Succeeds only if: {'; '.join(conditions)}")
    if told["proposed_by"]:
        sentence = told["proposed_by"].get("sentence", "")
        of_what = f", of what an operator said: “{sentence}”" if sentence else ""
        _echo(f"Put together by a model ({told['proposed_by'].get('by', '')}){of_what}")
        if told["proposed_by"].get("left"):
            _echo(f"No step of its own: {told['proposed_by']['left']}")
    if told["asked_as"]:
        _echo(f"Asked for as: {'; '.join(told['asked_as'])}")
    for each in told["proposed"]:
        verdict = "taken" if each["is_accepted"] else f"refused: {each['reason']}"
        _echo(f"a model ({each['model']}) proposed {each['kind']} {each['value']}: {verdict}")
    if told["difference"]:
        _show_difference(told["difference"])


def _echo(text: str) -> None:
    click.echo(shown.hung(shown.plain(text), "", 2))


def _show_difference(told: Json) -> None:
    """The requests as lines that went and came; of all else where it is, since the values are for programs."""
    click.echo(f"Against revision {told['since']['number']}:")
    for line in told["requests"]:
        click.echo(shown.plain(line))
    for part in ("document", "tool"):
        places = [each if isinstance(each, str) else f"{each['what']} {each['at']}" for each in told[part]]
        for place in places:
            click.echo(shown.plain(f"{part}: {place}"))


def _inputs(document: Json) -> Iterator[str]:
    """What `call` takes, a line each: whether it has to be given, what fits, what it is."""
    workflow: dict[str, Json] = next(iter(document.get("workflows", ())), {})
    schema = workflow.get("inputs")
    if not isinstance(schema, dict):
        return
    for name, declared in schema.get("properties", {}).items():
        one = declared if isinstance(declared, dict) else {}
        fits = f"one of {', '.join(map(str, one['enum']))}" if "enum" in one else one.get("type", "any value")
        needed = "needed, " if name in schema.get("required", ()) else ""
        text = str(one.get("description", ""))
        yield f"input {name} ({needed}{fits if isinstance(fits, str) else ' or '.join(fits)})" + (
            f": {text}" if text else ""
        )


def _operation(step: Json) -> str:
    return f"{step['method']} {step['path_template']}".strip() or "another workflow"
