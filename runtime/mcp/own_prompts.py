"""Prompts that whoever runs the server wrote: one YAML file, read when the server starts (SWITCHGEAR_PROMPTS).

Each names the workflows that it is about, and is there for those who may call all of them: so a prompt never names what
the caller cannot do. Its arguments stand in its text as `{name}`, and complete with the names of things that one of
these workflows lists, where it says which. What a prompt says has no rights: the tools that a model then calls have
their own. docs/AGENTS.md explains the file by example. MCP, prompts.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from fastmcp.prompts.base import PromptArgument
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import Catalog
from runtime.errors import StartRefused
from runtime.mcp.prompts import WorkflowPrompt

Json = Any
MAX_BYTES = 256 * 1024
"""A prompt is a page; so many pages nobody looks through."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Argument(_Part):
    """`lists`: one of the prompt's workflows, whose things the argument is completed with."""

    name: Name
    description: Annotated[str, Field(max_length=500)] = ""
    required: bool = False
    lists: str = ""


class OwnPrompt(_Part):
    name: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=1000)] = ""
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    uses: Annotated[tuple[str, ...], Field(min_length=1, max_length=50)]
    arguments: Annotated[tuple[Argument, ...], Field(max_length=10)] = ()

    def entries(self, catalog: Catalog) -> Sequence[Entry] | None:
        """The workflows that it is about; None where the caller may not call all of them."""
        found = [catalog.by_workflow.get(name) or catalog.entries.get(name) for name in self.uses]
        kept = [entry for entry in found if entry is not None]
        return kept if len(kept) == len(found) else None

    def shown(self, entries: Iterable[Entry]) -> WorkflowPrompt:
        """As clients get it."""
        tools = "\n".join(f"- {entry.name}: {entry.tool.get('title', '')}" for entry in entries)
        told = [PromptArgument(name=a.name, description=a.description, required=a.required) for a in self.arguments]
        prompt = WorkflowPrompt(name=self.name, title=self.title, description=self.description, arguments=told or None)
        prompt.fill(f"{self.text.rstrip()}\n\nTools for it:\n{tools}", tuple(each.name for each in self.arguments))
        return prompt


class _File(_Part):
    prompts: tuple[OwnPrompt, ...]


class OwnPrompts:
    def __init__(self, prompts: Sequence[OwnPrompt] = ()) -> None:
        self._prompts = tuple(prompts)

    def seen_with(self, catalog: Catalog) -> list[WorkflowPrompt]:
        """Those for whoever sees this catalog."""
        seen = ((prompt, prompt.entries(catalog)) for prompt in self._prompts)
        return [prompt.shown(entries) for prompt, entries in seen if entries is not None]

    def lister(self, catalog: Catalog, prompt: str, argument: str) -> Entry | None:
        """The workflow whose things complete an argument."""
        wanted = next((each for each in self._prompts if each.name == prompt), None)
        if wanted is None or wanted.entries(catalog) is None:
            return None
        named = next((each.lists for each in wanted.arguments if each.name == argument), "")
        return (catalog.by_workflow.get(named) or catalog.entries.get(named)) if named in wanted.uses else None


def read_prompts(file: str) -> OwnPrompts:
    """The prompts in a file; none without one. Raises StartRefused that names the place which does not fit."""
    if not file:
        return OwnPrompts()
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise StartRefused(f"{file} has more than {MAX_BYTES} bytes", "write less")
        found = _File.model_validate(yaml.load(data, Loader=yaml.CSafeLoader)).prompts
    except (OSError, yaml.YAMLError) as error:
        raise StartRefused(f"the prompts in {file} cannot be read: {error}", "see docs/AGENTS.md") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(map(str, first["loc"])) or "the file"
        raise StartRefused(f"{file} does not fit at {place}: {first['msg']}", "see docs/AGENTS.md") from error
    names = [prompt.name for prompt in found]
    if len(set(names)) < len(names):
        raise StartRefused(f"{file} has two prompts of one name", "give each its own")
    return OwnPrompts(found)
