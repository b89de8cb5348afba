"""The words of one workflow, by how much they tell: what the index takes in.

They come from its revision (name, title, things, inputs, sentences) and from what the compiler wrote down of its
operations (what they do and what their replies tell, in the vendor's words): approved is the first, the second only
helps to find it. Called by whoever has workflows to be found; here never lives ranking (`index`), nor a catalog.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflow.documents.calls import pointer_of
from workflow.documents.document import OURS
from workflow.revision import RevisionContent

Json = Any
# Not within a plural ("GPUs", "IPv4") nor behind a single letter ("iSCSI").
_HUMPS = re.compile(r"(?<=[A-Za-z0-9][a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?!s\b|v\d)[a-z])")


@dataclass(frozen=True, slots=True)
class WorkflowFacts:
    """What is known of a workflow beside its words."""

    api: str
    risk: str
    intent: str
    resource: str

    @property
    def is_read(self) -> bool:
        return self.risk == "read"


@dataclass(frozen=True, slots=True)
class OperationWords:
    """What an operation does, and what its reply tells: names, texts and values of its members."""

    does: str = ""
    tells: str = ""


@dataclass(frozen=True, slots=True)
class Findable:
    """One workflow as the index sees it: its words, by how much they tell. `name`: without its API's in front."""

    tool: str
    kind: WorkflowFacts
    rank: float
    name: str
    title: str
    nouns: str
    description: str
    inputs: str
    sentences: str = ""
    vendor: str = ""
    tells: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """In the order of `WEIGHTS`."""
        return self.title, self.nouns, self.sentences, self.vendor, self.description, self.inputs, self.tells


NO_WORDS: Mapping[str, OperationWords] = {}


def operation_words(card: Mapping[str, Json]) -> OperationWords:
    """Those of a card that the compiler wrote (`knowledge`)."""
    told = []
    for each in card["tells"]:
        told += [str(each["name"]), str(each.get("text", ""))]
        told += [value for value in each.get("values", ()) if isinstance(value, str)]
    return OperationWords(str(card["does"]), _once(apart(" ".join(told))))


def findable(
    content: RevisionContent,
    vocabulary: Mapping[str, str],
    kind: WorkflowFacts,
    *,
    rank: float,
    operations: Mapping[str, OperationWords] = NO_WORDS,
) -> Findable:
    """The words of one workflow. `vocabulary`: the API's noun → the operator's word. `operations`: by key."""
    tool = content.tool
    workflow = content.document["workflows"][0]
    waits = {_pointer(step) for step in workflow["steps"] if _role(step) == "wait"}
    # Jobs are what most changes wait for.
    asked = [key for key in content.operations if pointer_of(*key.split(" ", 1)) not in waits]
    nouns = {segment for key in asked for segment in key.split("/")[1:] if segment and segment[0] != "{"}
    called = {vocabulary[noun] for noun in nouns if noun in vocabulary}
    nouns |= {noun for noun, word in vocabulary.items() if word in called}  # of one thing, by another name of its API
    schemas = (workflow.get("inputs"), content.document.get("components", {}).get("inputs"))
    schemas += (tool.get("outputSchema"),) if kind.is_read else ()
    goals = [operations[key] for key in _goals(workflow, content.operations) if key in operations]
    # Without the API's name in front, which all have: where it is meant, it stands once more.
    name = str(tool["name"]).removeprefix(f"{re.sub(r'[^a-z0-9]+', '_', kind.api.lower())}_")
    return Findable(
        tool=str(tool["name"]),
        kind=kind,
        rank=rank,
        name=name,
        title=apart(f"{tool.get('title', '')} {name}"),
        nouns=_once(apart(" ".join((*sorted(nouns), *sorted(called))))),
        description=apart(str(tool.get("description", ""))),
        inputs=_once(apart(" ".join(_words_of(schemas)))),
        sentences=_once(" ".join(asked_as(workflow))),
        vendor=_once(apart(" ".join(each.does for each in goals))),
        tells=" ".join(each.tells for each in goals) if kind.is_read else "",
    )


def _goals(workflow: Mapping[str, Json], operations: Iterable[str]) -> Iterable[str]:
    """The operations that change something, or where none does, that read what is told; where no step says so, all."""
    of = {pointer_of(*key.split(" ", 1)): key for key in operations}
    roles: dict[str, dict[str, None]] = {}
    for step in workflow["steps"]:
        key = of.get(_pointer(step))
        if key:
            roles.setdefault(_role(step), {})[key] = None
    return roles.get("change") or roles.get("read") or of.values()


def asked_as(workflow: Mapping[str, Json]) -> tuple[str, ...]:
    """The sentences by which operators ask for it, as its document has them."""
    own = workflow.get(OURS)
    said = own.get("asked_as") if isinstance(own, Mapping) else None
    return tuple(str(each) for each in said) if isinstance(said, (list, tuple)) else ()


def with_words_of_their_things(found: Iterable[Findable]) -> Iterator[Findable]:
    """The same, those that read with what others tell of their thing, and with the inputs by which it is made and
    changed: they show what these set."""
    ones = list(found)
    settable: dict[tuple[str, str], list[str]] = {}
    told: dict[tuple[str, str], list[str]] = {}
    for one in ones:
        if one.kind.intent in ("create", "update"):
            settable.setdefault((one.kind.api, one.kind.resource), []).append(one.inputs)
        if one.kind.intent in ("find", "describe"):
            told.setdefault((one.kind.api, one.kind.resource), []).append(one.tells)
    for one in ones:
        key = one.kind.api, one.kind.resource
        more = (*settable.get(key, ()), *told.get(key, ())) if one.kind.is_read else ()
        yield replace(one, tells=_once(" ".join((one.tells, *more)))) if more else one


def _pointer(step: Mapping[str, Any]) -> str:
    """Where its operation stands in the description."""
    return str(step.get("operationPath", "")).partition("#")[2]


def _role(step: Mapping[str, Any]) -> str:
    return str(step.get(OURS, {}).get("role", ""))


def _words_of(schema: Json) -> Iterator[str]:
    """Names, descriptions and values of inputs, however deep."""
    if isinstance(schema, Mapping):
        yield from schema.get("properties") or {} if isinstance(schema.get("properties"), Mapping) else ()
        yield from (schema[key] for key in ("description", "title") if isinstance(schema.get(key), str))
        yield from (value for value in schema.get("enum") or () if isinstance(value, str))
        schema = tuple(schema.values())
    if isinstance(schema, (list, tuple)):
        for each in schema:
            yield from _words_of(each)


def _once(text: str) -> str:
    """Each word once: that a schema says one a hundred times tells nothing."""
    return " ".join(dict.fromkeys(text.split()))


def apart(text: str) -> str:
    """`text` with the parts of its joined names beside the names: `VirDomain`, `vm_name`."""
    parts = humps(text)
    return f"{text} {parts}" if parts != text else text


def humps(text: str) -> str:
    """The parts of joined names for the names."""
    return _HUMPS.sub(" ", text).replace("_", " ").replace(".", " ")
