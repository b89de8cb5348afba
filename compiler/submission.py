"""From a compile to the governance database: every workflow as a pending revision, the API with its profile, with
what its replies promise and with what is known of its operations.

Writes only through governance's stores. A workflow whose content has not changed makes no new revision.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson

from compiler.compiled import Compiled, CompiledWorkflow
from compiler.containment import Containment
from compiler.ir.model import Diagnostic
from compiler.knowledge import cards_of
from compiler.proofs.promises import promised_replies
from governance.approval.integrity import Revision
from governance.approval.revisions import NewRevision, RevisionStore
from governance.errors import NotFoundError
from governance.origins import Origin
from governance.registry.apis import ApiStore
from governance.registry.knowledge import KnowledgeStore
from governance.registry.responses import ResponseStore
from governance.storage.connections import require_file
from governance.storage.database import open_database
from workflow.visible import visible


@dataclass(frozen=True, slots=True)
class Submitted:
    """How many revisions are new and pending, and how many workflows were there already as they are.

    `faults`: what could not be stored for a reason of ours.
    """

    new: int
    unchanged: int
    faults: tuple[Diagnostic, ...] = ()


async def submit(compiled: Compiled, database_url: str, actor: str) -> Submitted:
    """Stores the compile. Raises GovernanceError when the database cannot take it."""
    api, profile = compiled.api, compiled.profile
    contained = Containment("the store")
    promised, cards = promised_replies(compiled, contained), cards_of(compiled, contained)
    tried = (contained.tried(one.flow.id, partial(_new, compiled, one), None) for one in compiled.workflows)
    found = [new for new in tried if new is not None]
    async with open_database(database_url) as database:
        body, digest = (profile.model_dump(mode="json"), profile.digest) if profile else (None, None)
        await ApiStore(database).put_api(
            api.name, visible(api.title), api.version, api.digest, body, digest, actor=actor
        )
        await ResponseStore(database).put(promised)
        await KnowledgeStore(database).put(api.name, cards, actor=actor)
        made = await RevisionStore(database).submit_all(api.name, found, actor=actor)
    new = sum(submission.is_new for submission in made)
    return Submitted(new=new, unchanged=len(made) - new, faults=contained.diagnostics)


def _new(compiled: Compiled, one: CompiledWorkflow) -> NewRevision:
    flow = one.flow
    return NewRevision(
        workflow_id=flow.id,
        content=compiled.content_of(one),
        intent=flow.intent,
        risk=flow.risk.value,
        resource=flow.resource,
        is_core=flow.is_core,
        rank=flow.rank,
        proof=one.proof,
        origin=_origin(compiled, one),
    )


def _origin(compiled: Compiled, one: CompiledWorkflow) -> Origin:
    if one.flow.proposed:
        return "model"
    composed = compiled.profile.overrides.compose if compiled.profile else ()
    return "profile" if any(each.id == one.flow.id for each in composed) else one.origin


def write_documents(compiled: Compiled, folder: Path) -> int:
    """Writes `<workflow>.arazzo.json` for every workflow; answers how many. The folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in compiled.workflows:
        text = orjson.dumps(one.document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / f"{one.flow.id}.arazzo.json").write_bytes(text)
    return len(compiled.workflows)


async def changes(compiled: Compiled, database_url: str) -> list[str]:
    """The workflows whose compiled content is not the approved or, without one, the newest content; and those approved
    ones that the compile no longer makes. Where there is no database yet, all would: a look makes none.
    """
    known: tuple[Revision, ...] = ()
    with suppress(NotFoundError):
        require_file(database_url)
        async with open_database(database_url) as database:
            known = await RevisionStore(database).find(api=compiled.api.name)
    current = {r.workflow_id: r for r in known if r.state in ("pending", "approved")}
    current |= {r.workflow_id: r for r in known if r.state == "approved"}
    digests = {one.flow.id: compiled.content_of(one).digest for one in compiled.workflows}
    changed = [w for w, d in digests.items() if w not in current or current[w].digest != d]
    gone = [w for w, r in current.items() if r.state == "approved" and w not in digests]
    return sorted({*changed, *gone})


async def approved(api: str, database_url: str) -> tuple[Revision, ...]:
    """The approved revisions of the API, by workflow. Raises NotFoundError where there is no database."""
    require_file(database_url)
    async with open_database(database_url) as database:
        return await RevisionStore(database).find(state="approved", api=api, limit=10_000)
