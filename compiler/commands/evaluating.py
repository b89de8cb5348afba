"""The command `switchgear eval proposer`: measures a model on questions with known answers; a table, or JSON.

Parses, compiles, asks, prints. What is measured is in `compiler.proposals.evaluation`. Exit codes: 0 measured, 4 where
no model answered.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from compiler import shipped
from compiler.errors import ProposerError
from compiler.pipeline import CompileRequest
from compiler.proposals.evaluation import CatalogEffect, Evaluation, Measured, evaluated
from compiler.proposer import Asker, Record, open_asker
from compiler.proposer.options import asking_of, asking_options
from compiler.proposer.record import RecordedAnswer
from compiler.stages import Progress
from compiler.verification import compile_spec
from workflow.shipped import DESCRIPTION, folder, names

# NOW: how many were answered now, which took the seconds; the others were in the lock.
_HEAD = "API        KIND      ASKED  ANSWERED  RIGHT  CONSISTENT  NOW  SECONDS  REFUSED"
MOST = 12  # of a kind: with six kinds, asked twice, what a small model does in half an hour


@click.group("eval")
def eval_group() -> None:
    """Measure what a compile can be given."""


@eval_group.command("proposer", epilog=shipped.help_text())
@click.argument("specs", metavar="[SPEC]", type=shipped.SPEC, nargs=-1)
@asking_options
@click.option("--most", type=click.IntRange(min=1), default=MOST, show_default=True, help="Questions of a kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def proposer_command(
    specs: tuple[Path, ...], proposer: str, lock: Path | None, model_deadline: float, model_renew: bool, most: int,
    as_json: bool,
) -> int:  # fmt: skip
    """Measure a model on questions with known answers, made from SPEC; default: the shipped APIs."""
    asking = asking_of(proposer, lock, model_deadline, is_renewed=model_renew, is_kept=True)
    compiled = [compile_spec(CompileRequest(spec))[0] for spec in specs or _shipped()]
    with _shown() as show, open_asker(asking, compiled[0].api.digest, show) as asker:
        found = [evaluated(one, asker, most, time.monotonic) for one in compiled]
    now = Record(asker.spec, tuple(RecordedAnswer(one) for one in asker.given))
    for one in asker.diagnostics(now):
        print(f"{one.severity.value}: {one.message}", file=sys.stderr)
    if not asker.given:
        raise ProposerError("no model answered", remedy="--proposer ollama:MODEL")
    click.echo(json.dumps(_json(found, asker), indent=1) if as_json else _text(found, asker))
    return 0


@contextmanager
def _shown() -> Iterator[Progress]:
    """What is asked and how long it may take: a bar on a terminal, else a line for each question on standard error."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: print(f"{done + 1} of {total}: {stage}", file=sys.stderr)
        return
    from compiler.commands.progress import bar

    with bar() as show:
        yield show


def _shipped() -> list[Path]:
    place = folder()
    return [place / name / DESCRIPTION for name in names()] if place else []


def _effect(one: CatalogEffect) -> str:
    after = f"{one.after} after" if one.answers else "nothing was answered"
    return f"{one.before} before, {after}, of {one.of}"


def _model(asker: Asker) -> str:
    return ", ".join(sorted({one.model for one in asker.given}))


def _json(found: Sequence[Evaluation], asker: Asker) -> dict[str, Any]:
    return {"model": _model(asker), "apis": [_one(each) for each in found]}


def _one(each: Evaluation) -> dict[str, Any]:
    kinds = [{name: getattr(one, name) for name in Measured.__slots__} for one in each.measured]
    effects = [{name: getattr(one, name) for name in CatalogEffect.__slots__} for one in each.effects]
    return {"api": each.api, "kinds": kinds, "effects": effects}


def _text(found: Sequence[Evaluation], asker: Asker) -> str:
    lines = [f"model {_model(asker)}", _HEAD]
    for each in found:
        for one in each.measured:
            refused = one.refusal or "; ".join(f"{count} × {why}" for why, count in one.refused.items())
            lines.append(
                f"{each.api:<10} {one.kind.value:<9} {one.asked:>5} {one.answered:>9} {one.right:>6} "
                f"{one.consistent:>11} {one.live:>4} {one.seconds:>8.0f}  {refused}".rstrip()
            )
        lines += [f"{each.api:<10} {one.what}: {_effect(one)}" for one in each.effects]
    return "\n".join(lines)
