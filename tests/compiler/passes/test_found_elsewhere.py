"""What operators say finds its workflow in APIs that nobody wrote a profile for, planned and not proved."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from compiler.arazzo import document_of
from compiler.compiled import Compiled, CompiledWorkflow
from compiler.frontend import load_api
from compiler.pipeline import understand
from compiler.proposals.sentences import findables
from compiler.proposer.proposer import Asker
from compiler.proposing import named
from workflow.documents.writer import write_document
from workflow.search.findable import with_words_of_their_things
from workflow.search.index import Index
from workflow.tool import tool_definition

pytestmark = pytest.mark.long  # twenty seconds of planning

SPECS = {
    "netbox": "netbox.yaml",
    "docker-engine": "docker-1.33.yaml",
    "hetzner-cloud": "hetzner.json",
    "kubernetes": "kubernetes-v1.json",
    "hashicorp-vault": "vault.json",
    "openstack-image": "openstack-image-31.yaml",
    "keycloak": "keycloak-dangling-ref.json",
    "powerstore": "powerstore-swagger20.json",
}
SENTENCES = yaml.safe_load(Path(__file__).with_name("sentences_of_others.yaml").read_text())
# At least: the share of all APIs together that is found first, and among the first three.
FLOORS = {"tuned": (0.72, 0.88), "kept": (0.69, 0.86), "untouched": (0.55, 0.75)}


def planned(spec: Path) -> Compiled:
    api = named(understand(load_api(spec).api, None).api, None, Asker()).api
    operations = {operation.key: operation for operation in api.operations}
    ones = []
    for flow in api.flows:
        document = document_of(api, flow, None, operations)
        tool = tool_definition(document).to_json()
        ones.append(CompiledWorkflow(flow, write_document(document), tool, {}, is_verified=False))
    return Compiled(api, None, tuple(ones), ())


@pytest.fixture(scope="module")
def places(shared: Path) -> Mapping[str, list[int]]:
    """By half, at which place each sentence finds its workflow."""
    found: dict[str, list[int]] = {half: [] for half in FLOORS}
    for name, file in SPECS.items():
        ones = list(findables(planned(shared / "specs/odd" / file)))
        names, index = {one.tool: one.name for one in ones}, Index(with_words_of_their_things(ones))
        for half, said in SENTENCES[name].items():
            for text, answers in said:
                order = [names[tool] for tool in index.search(text)]
                assert set(answers.split()) <= set(names.values()), answers
                found[half].append(min((order.index(each) for each in answers.split() if each in order), default=999))
    return found


@pytest.mark.parametrize("half", FLOORS)
def test_a_known_share_of_sentences_finds_its_workflow(places: Mapping[str, list[int]], half: str) -> None:
    shares = tuple(sum(at < most for at in places[half]) / len(places[half]) for most in (1, 3))
    assert shares[0] >= FLOORS[half][0], shares
    assert shares[1] >= FLOORS[half][1], shares
