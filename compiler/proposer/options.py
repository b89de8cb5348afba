"""The options by which commands say whom to ask, and what they mean with the settings.

Used by `compile` and `eval proposer`; here never lives a model.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from compiler.proposer.proposer import DEFAULT_DEADLINE_S, ProposerOptions
from governance.settings import Settings

_OPTIONS = (
    click.option(
        "--proposer", default="none", show_default=True, help="none, ollama:MODEL, openai:MODEL or recorded:FILE."
    ),
    click.option("--lock", type=click.Path(dir_okay=False, path_type=Path), help="Keep what a model says here."),
    click.option(
        "--model-deadline", type=click.FloatRange(min=0), default=DEFAULT_DEADLINE_S, show_default=True,
        metavar="SECONDS", help="For all questions together; what is worth most is asked first.",
    ),
    click.option("--model-renew", is_flag=True, help="Ask again what the lock has from another model."),
)  # fmt: skip


def asking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with --proposer, --lock, --model-deadline and --model-renew."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asking_of(
    proposer: str, lock: Path | None, deadline_s: float, *, is_renewed: bool, is_kept: bool
) -> ProposerOptions:
    """What the options mean with the settings of the environment."""
    told = Settings.read(os.environ)
    urls = {"ollama_url": told.ollama_url, "openai_url": told.openai_url}
    manner = {"renews": is_renewed, "keeps": is_kept, "may_leave": told.model_may_leave}
    return ProposerOptions(proposer, lock, deadline_s=deadline_s, **urls, **manner)  # type: ignore[arg-type]
