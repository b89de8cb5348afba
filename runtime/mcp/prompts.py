"""Prompts out of approved workflows: to check how an API's things are, and to prepare something on one of them.

Two an API, for APIs of which the caller may call something that fits: made of the names and texts that were approved,
so that a prompt never names what the caller cannot do. They ask a model to look and to plan, never to go ahead: what
interrupts or destroys asks by itself. Shown to whoever may call; listed by the provider (`tools`). MCP, prompts.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastmcp.prompts import Prompt
from fastmcp.prompts.base import PromptArgument
from pydantic import PrivateAttr

from runtime.catalog.entries import Entry
from runtime.catalog.snapshot import Catalog

Json = Any
CHECK, PREPARE = "check_health", "prepare_maintenance"
THING, NAME = "thing", "name"
# A model is told of the main ones; search finds the others.
MOST_NAMED, MOST_APIS = 10, 10
# Characters of what a person fills in: a name, or a sentence.
MOST_GIVEN = 200
_LOOKING = ("report", "find", "describe")


class WorkflowPrompt(Prompt):
    """One prompt: a text with what the person fills in."""

    _text: str = PrivateAttr(default="")
    _names: tuple[str, ...] = PrivateAttr(default=())

    def fill(self, text: str, names: tuple[str, ...] = ()) -> None:
        """Gives it its text, in which the arguments called `names` stand as `{name}`."""
        self._text, self._names = text, names

    async def render(self, arguments: dict[str, Json] | None = None) -> str:
        """The message for the model."""
        given = {name: str(value)[:MOST_GIVEN] for name, value in (arguments or {}).items() if value}
        about = f"{given.get(THING, '')} {given.get(NAME, '')}".strip() or "what I name next"
        # In one go: what was filled in is text, and nothing is filled into it.
        values = {"{about}": about, **{f"{{{name}}}": given.get(name, "") for name in self._names}}
        return re.sub("|".join(map(re.escape, values)), lambda found: values[found.group()], self._text)


def prompts_of(catalog: Catalog) -> Sequence[WorkflowPrompt]:
    """Those for whoever sees this catalog, by API."""
    made: list[WorkflowPrompt] = []
    for api in sorted(catalog.by_api)[:MOST_APIS]:
        entries = sorted(catalog.by_api[api].values(), key=lambda entry: (-entry.rank, entry.name))
        reads = [entry for entry in entries if entry.risk == "read"]
        changes = [entry for entry in entries if entry.risk != "read"]
        made += [_check(api, reads)] if reads else []
        made += [_prepare(api, reads, changes)] if changes else []
    return made


def _check(api: str, reads: Sequence[Entry]) -> WorkflowPrompt:
    first = sorted(reads, key=lambda entry: (*_LOOKING, entry.intent).index(entry.intent))
    text = (
        f"Find out how the things of {api} are. Call these tools, as far as they fit, and change nothing:\n"
        f"{_lines(first)}\nTell first what is not as it should be, with its name and what was found, then what is "
        "well, then what could not be looked at. Say nothing that no answer showed."
    )
    return _made(f"{_word(api)}_{CHECK}", f"Check the health of {api}", "Looks at everything, changes nothing.", text)


def _prepare(api: str, reads: Sequence[Entry], changes: Sequence[Entry]) -> WorkflowPrompt:
    text = (
        f"Prepare maintenance of {{about}} on {api}; do not carry it out.\n1. Look how it is now:\n{_lines(reads)}\n"
        f"2. Choose what has to be done, out of these tools:\n{_lines(changes)}\n"
        "3. Call each of them with plan: true, in the order in which they have to be done.\n"
        "4. Tell me what would be sent, what it interrupts, how it is undone, and ask whether to go on."
    )
    arguments = [
        PromptArgument(name=THING, description="The kind of thing.", required=False),
        PromptArgument(name=NAME, description="Its name.", required=False),
    ]
    title = f"Prepare maintenance on {api}"
    return _made(f"{_word(api)}_{PREPARE}", title, "Looks and plans, and carries nothing out.", text, arguments)


def _made(
    name: str, title: str, description: str, text: str, arguments: list[PromptArgument] | None = None
) -> WorkflowPrompt:
    prompt = WorkflowPrompt(name=name, title=title, description=description, arguments=arguments)
    prompt.fill(text)
    return prompt


def _lines(entries: Iterable[Entry]) -> str:
    told = [f"- {entry.name}: {entry.tool.get('title', '')}" for entry in list(entries)[:MOST_NAMED]]
    return "\n".join(told)


def _word(api: str) -> str:
    return api.replace("-", "_")
