"""THREATS.md D1: every changing request of the shipped workflows meets every fault once; the verdict has to be true.

The runtime calls an approved workflow on a twin behind the fault proxy, once undisturbed and then once for each of its
changing requests and each fault. Whatever happens on the way, the device sees a request that is not idempotent at most
as often as undisturbed, and the run says what is known: succeeded, failed before, or unknown. By default a sample;
all of them with `pytest -m long`, which also prints the table of docs/FAULTS.md.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.proofs.behaviour_runs import _shows
from compiler.proofs.failure_paths import Truth
from compiler.proofs.proving import Prover
from compiler.submission import submit
from compiler.twin import Twin, server
from compiler.twin.machine import Traces
from compiler.twin.store import Overlay
from governance.registry.targets import Target
from governance.runs.open_runs import RunFinding
from runtime.caller import Caller
from runtime.calls.confirmation import Confirmation
from runtime.engines.engine import Ended
from runtime.engines.journal import AuditOnly
from runtime.secrets import Vault
from runtime.service import Service, ServiceOptions, open_service
from tests.shipped import shipped
from workflow.documents.reader import read_document
from workflow.programs.program_making import Program, ProgramStep, build_program

pytestmark = pytest.mark.slow
SAMPLE = 3
TRIES = 3
GOOD = ("succeeded", "pending")
# The next proxy may be given the same port, of which the driver has learnt that it is better left alone for a while.
REST_S = 3600.0
# What a run may end as when a request that is not idempotent meets the fault: nothing else is true. An answer that is
# lost may be found out by a look at the device; that there was none is never found out, for it may still be under way.
VERDICTS: dict[str, set[str]] = {
    "latency": {"succeeded"},
    # A 503 may mean a session that is over: then it is sent again, for the first time. Else a look may decide.
    "busy": {"failed", "succeeded", "unknown"},
    "reset": {"unknown"},
    "lost request": {"unknown"},
    "lost answer": {"unknown", "succeeded"},
    "half an answer": {"unknown", "succeeded"},
    "slow drip": {"unknown", "succeeded"},
}


@dataclass
class Table:
    """Fault and kind of request → outcome → how often."""

    rows: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, fault: str, kind: str, outcome: str) -> None:
        self.rows.setdefault((fault, kind), Counter())[outcome] += 1

    def text(self) -> str:
        lines = ["| fault | request | runs | succeeded | pending | failed | unknown |", "|---|---|---|---|---|---|---|"]
        for (fault, kind), seen in sorted(self.rows.items()):
            counts = " | ".join(str(seen[outcome]) for outcome in ("succeeded", "pending", "failed", "unknown"))
            lines.append(f"| {fault} | {kind} | {seen.total()} | {counts} |")
        return "\n".join(lines)


@dataclass(frozen=True)
class Run:
    """How a run ended, what changed something at the device (`METHOD path`), the proxy, and whether the device's own
    things are as after the usual run of the proof."""

    ended: Ended
    heard: list[str]
    proxy: Any
    is_as_usual: bool


@dataclass
class Bench:
    """One API's workflows, approved, and the twin that each run starts from."""

    faults: Any
    witness: Any
    compiled: Compiled
    service: Service

    def __post_init__(self) -> None:
        assert self.compiled.profile is not None
        self._prover = Prover(self.compiled.api, self.compiled.profile)

    async def run(self, one: CompiledWorkflow, fault: str, spoiled: int) -> Run:
        program = program_of(one)
        case, tempo = next(self._prover._runs(one.flow, []))
        ran = self._prover._run(one.flow, program, case, tempo)
        twin = ran.start.beside()
        twin.run_on(asyncio.get_running_loop().time)
        async with server.running(twin) as url, self.faults.proxied(url, fault, spoiled) as proxy:
            self.witness.device(urlsplit(proxy.url).port, lambda: proxy.heard)
            ended = await self._called(one, dict(ran.inputs), proxy.url)
            await self.service.driver.aclose(AuditOnly(self.service.audit))
        await asyncio.sleep(REST_S)
        heard = self._heard(twin)
        now, usual = (self._things(each) for each in (Truth.of(twin).later, ran.truth.later))
        return Run(ended, heard, proxy, _shows(now, usual))

    def _things(self, traces: Traces) -> Traces:
        """Without the sessions, which the proof does not open."""
        rule = self.compiled.profile.auth.session if self.compiled.profile else None
        door = rule.login.split(" ")[1] if rule else "\n"
        kept = traces.things
        bodies = {at: body for at, body in kept.bodies.items() if not at.startswith(door)}
        ids = {at: known for at, known in kept.ids.items() if not at.startswith(door)}
        return replace(traces, things=Overlay(bodies, ids, frozenset(a for a in kept.gone if not a.startswith(door))))

    def _heard(self, twin: Twin) -> list[str]:
        """What was carried out; logins and logouts change nothing that anybody runs a workflow for."""
        rule = self.compiled.profile.auth.session if self.compiled.profile else None
        doors = (rule.login.split(" ")[1], (rule.logout or rule.login).split(" ")[1].partition("{")[0]) if rule else ()
        changes = (each for each in twin.requests if each.method != "GET" and each.status < 400)
        return [f"{each.method} {each.path}" for each in changes if not each.path.startswith(doors)]

    async def _called(self, one: CompiledWorkflow, inputs: dict[str, Any], url: str) -> Ended:
        entry = self.service.live.now.find(one.flow.id)
        target = Target("twin", self.compiled.api.name, url, "live", "env:USER", "env:WORD")
        await self.service.targets.apply([target])
        there = replace(entry, targets=(target,))
        ended = await self.service.calls.call(there, inputs, None, Caller("test", "operator"))
        if ended.outcome == "unknown":  # the next run has another twin, which that one was not about
            await self.service.open_runs.resolve(ended.run_id, RunFinding(False, goes_on=False), actor="test")
        return ended


def program_of(one: CompiledWorkflow) -> Program:
    return build_program(read_document(one.document, one.flow.id))


def is_idempotent(program: Program, line: str) -> bool:
    """Whether the request with this first line may be sent twice, as the workflow says."""
    return step_at(program, line).is_idempotent


def effect_of(program: Program, line: str) -> str:
    return step_at(program, f"{line} HTTP/1.1").effect


def step_at(program: Program, line: str) -> ProgramStep:
    method, path, _ = line.split(" ")
    path = path.partition("?")[0].removeprefix(program.base_path)
    for step in program.steps:
        shape = re.sub(r"\\\{[^{}/]+\\\}", "[^/]+", re.escape(step.path_template))
        if step.method == method and re.fullmatch(shape, path):
            return step
    raise AssertionError(f"{line} is of no step")


@asynccontextmanager
async def bench(
    faults: Any, witness: Any, compiled: Compiled, wanted: list[CompiledWorkflow], folder: Path
) -> AsyncIterator[Bench]:
    database = f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"
    await submit(replace(compiled, workflows=tuple(wanted)), database, "test")
    vault, asks_nobody = Vault({"USER": "admin", "WORD": "switchgear"}), Confirmation(classes=frozenset())
    async with open_service(database, vault, ServiceOptions(confirmation=asks_nobody)) as service:
        with faults.counted(service.database._writer):
            await _approve(service, compiled.api.name)
            yield Bench(faults, witness, compiled, service)


async def _approve(service: Service, api: str) -> None:
    for revision in await service.revisions.find(api=api, limit=1000):
        await service.revisions.decide(
            revision.id, "approve", actor="test", role="admin", reason="a test", digest=revision.digest
        )
    await service.live.reload()


async def judge(made: Bench, one: CompiledWorkflow, table: Table) -> None:
    program = program_of(one)
    usual = await made.run(one, "none", 0)
    if usual.ended.misfits:
        table.wrong.append(f"{one.flow.id} undisturbed: {usual.ended.misfits} places of replies are not as described")
    if usual.ended.outcome not in GOOD:
        table.wrong.append(f"{one.flow.id} undisturbed: {usual.ended.outcome} {usual.ended.failure}")
        return
    for spoiled in range(1, usual.proxy.changes + 1):
        for fault in made.faults.FAULTS:
            run = await met(made, one, fault, spoiled)
            if not run.proxy.spoilt:
                table.wrong.append(f"{one.flow.id}, {fault}: change {spoiled} never came: {run.ended.failure}")
                continue
            line = run.proxy.spoilt[0]
            may_repeat = is_idempotent(program, line)
            table.add(fault, "idempotent" if may_repeat else "not idempotent", run.ended.outcome)
            table.wrong += [f"{one.flow.id}, {fault} at {line}: {why}" for why in faults_of(run, program, usual.heard)]
            is_so = run.ended.outcome in GOOD and run.is_as_usual  # it was so before, and a look has shown it
            outcome = "succeeded" if run.ended.outcome in GOOD else run.ended.outcome
            if not may_repeat and outcome not in VERDICTS[fault] and not is_so:
                table.wrong.append(f"{one.flow.id}, {fault} at {line}: {run.ended.outcome} {run.ended.failure}")


async def met(made: Bench, one: CompiledWorkflow, fault: str, spoiled: int) -> Run:
    """A run that meets the fault. On a machine with no time for it a connection may not come about before the fast
    clock has passed its limit: then nothing has reached the relay, there is nothing to judge, and it is run again."""
    for _ in range(TRIES - 1):
        run = await made.run(one, fault, spoiled)
        if run.proxy.spoilt or run.ended.failure is None or run.ended.failure.code != "unreachable":
            return run
    return await made.run(one, fault, spoiled)


def faults_of(run: Run, program: Program, usual: list[str]) -> Iterator[str]:
    """What must not be, whatever the fault was."""
    ended, seen = run.ended, run.heard
    more = Counter(seen) - Counter(usual)
    for line in more:
        if not is_idempotent(program, f"{line} HTTP/1.1"):
            yield f"the device heard {line} once more than undisturbed"
    # A value that was so before need not be set once more, and the device's own things tell; an action has to be sent.
    missing = {line for line in set(usual) - set(seen) if not run.is_as_usual or effect_of(program, line) == "act"}
    if ended.outcome in GOOD and missing:
        yield f"a success without {missing}"
    if ended.outcome not in GOOD and ended.failure is None:
        yield "no reason is given"
    if ended.outcome == "unknown" and ended.failure is not None and not ended.failure.may_be_done:
        yield f"unknown, but nothing is in doubt ({ended.failure.code})"
    if ended.outcome == "failed" and ended.failure is not None and len(seen) > len(ended.failure.done):
        said = f"{ended.failure.message} {ended.failure.remedy}"
        if "may have been carried out" not in said:
            yield f"the device did {seen}, the run says {ended.failure.done} and no more"


def writing(compiled: Compiled) -> list[CompiledWorkflow]:
    found = [one for one in compiled.workflows if any(not step.is_safe for step in program_of(one).steps)]
    return sorted(found, key=lambda one: one.flow.id)


@pytest.mark.parametrize("api", ["hypercore", "idrac"])
@pytest.mark.parametrize(
    "share", [pytest.param(SAMPLE, id="sample"), pytest.param(0, id="all", marks=pytest.mark.long)]
)
def test_every_fault_at_every_change_ends_in_a_true_verdict(
    faults: Any, witness: Any, api: str, share: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled = shipped(api)
    writers = writing(compiled)
    wanted = writers[:: len(writers) // share][:share] if share else writers
    table = Table()

    async def through_all() -> None:
        async with bench(faults, witness, compiled, wanted, tmp_path) as made:
            for one in wanted:
                await judge(made, one, table)

    with asyncio.Runner(loop_factory=faults.FastLoop) as runner:
        runner.run(through_all())
    with capsys.disabled():
        print(f"\n{api}, {len(wanted)} of {len(writers)} writing workflows\n{table.text()}", *table.wrong, sep="\n")
    assert table.wrong == []
    assert table.rows
