"""A caller asks for a workflow in a sentence: the compiler, another process, leaves it pending; within a quota."""

from pathlib import Path
from typing import Any

import pytest

from compiler.proposer.question import NONE_OF_THESE
from governance.approval.revisions import RevisionStore
from governance.audit.search import AuditSearch, AuditWanted
from governance.people.scopes import AccessScope
from governance.storage.database import open_database
from runtime.caller import Caller
from runtime.errors import BadInput, Unservable
from runtime.mcp.proposing import TOKENS, propose_tool
from runtime.mcp.tools import CatalogProvider, OwnTools
from runtime.proposing import ASKED, Proposals, Terms
from runtime.service import ServiceOptions, open_service
from tests.compiler.proposals.compiled_specs import written
from tests.compiler.proposer import model_server as server
from tests.compiler.proposer.model_server import model_server
from workflow.budget import BYTES_A_TOKEN

SENTENCE = "create a machine, then add a disk to it"
AGENT = Caller("agent", "operator")


@pytest.fixture
def library(tmp_path: Path) -> str:
    folder = tmp_path / "library" / "specs"
    folder.mkdir(parents=True)
    written(tmp_path).rename(folder / "machines.json")
    return str(folder.parent)


def chooses(_kind: Any, facts: Any) -> str:
    return min(each for each in facts["answers"] if each != NONE_OF_THESE)


@pytest.mark.slow
async def test_what_comes_of_a_sentence_waits_for_a_person_and_counts_against_the_quota(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'governance.db'}"
    terms = Terms(1, "ollama:tiny", library)
    with model_server(server.answers(chooses)) as (address, _):
        monkeypatch.setenv("SWITCHGEAR_OLLAMA_URL", address)
        async with open_service(url, options=ServiceOptions(proposing=terms)) as service:
            tool = propose_tool(service.proposals, lambda: AGENT)
            told = (await tool.run({"api": "machines", "sentence": SENTENCE})).structured_content
            with pytest.raises(Unservable, match="1 proposals a day"):
                await service.proposals.propose("machines", SENTENCE, AGENT)
            (one,) = await RevisionStore(service.database).find()
            (row,) = await AuditSearch(service.database).find(AuditWanted(action=ASKED))
            own = OwnTools((), (), (), (), service.knowledge, (), service.raw, (tool,))
            listed = await CatalogProvider(service.live, service.under_way, AGENT, own)._list_tools()
            assert [each.name for each in listed] == ["propose_workflow"]
    assert told is not None
    assert told["outcome"] == "proposed"
    assert (one.workflow_id, one.state, one.created_by) == (told["workflow"], "pending", "model:agent")
    assert (row.actor, row.subject, row.detail) == ("agent", "api:machines", {"sentence": SENTENCE})


@pytest.fixture
async def proposals(tmp_path: Path) -> Any:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'governance.db'}") as database:
        from governance.audit.log import AuditLog

        yield Proposals(database, AuditLog(database), Terms(3))


REFUSED = {
    "a viewer": (Caller("v", "viewer"), "hypercore", "only operators"),
    "out of scope": (Caller("a", "operator", AccessScope(apis=("other",))), "hypercore", "there is no API"),
    "a path": (AGENT, "../secrets", "there is no API"),
    "an option": (AGENT, "-x y", "there is no API"),
}


@pytest.mark.parametrize(("caller", "api", "why"), REFUSED.values(), ids=REFUSED)
async def test_who_may_not_is_refused_before_anything_is_begun(
    proposals: Proposals, caller: Caller, api: str, why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        await proposals.propose(api, SENTENCE, caller)
    assert await AuditSearch(proposals.database).find(AuditWanted(action=ASKED)) == ()


def test_the_tool_costs_what_is_taken_from_the_workflows(proposals: Proposals) -> None:
    tool = propose_tool(proposals, lambda: AGENT).to_mcp_tool()
    written_out = tool.model_dump_json(by_alias=True, exclude_none=True)
    assert len(written_out.encode()) / BYTES_A_TOKEN <= TOKENS
