"""The one rule by which every command finds a file, also one that ships with the product (`workflow.shipped`).

`SPEC` on a command line is a file's path or the name of a shipped API: a file of that name goes before, a folder does
not, since it is no description. What is found is a path like any other, so the same bytes are read and the
profile beside it is found as ever. Called by the commands of this room; here never lives what is in the files.
"""

import os
import re
from pathlib import Path
from typing import Any

import click

from workflow.nearest import did_you_mean
from workflow.shipped import DESCRIPTION, PROFILE, folder, names

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def help_text() -> str:
    """How a command's help tells of the rule."""
    return (
        f"SPEC is the path of a file, or the name of an API that ships with Switchgear ({', '.join(names())}); a file "
        f"of that name in the current folder goes before. A PROFILE is named likewise. They lie in {folder()}."
    )


class ShippedOrFile(click.Path):
    """A file that is there, or the file called `kind` of the shipped API that is named. Gives its path.

    A word that is neither fails as wrong usage, with the names that there are.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        word, place = os.fspath(value), folder()
        if not _NAME.fullmatch(word) or (Path(word).exists() and not Path(word).is_dir()):
            return super().convert(value, param, ctx)
        if place is not None and word in names():
            return place / word / self.kind
        if Path(word).is_dir():
            return super().convert(value, param, ctx)
        return self.fail(_unknown(word), param, ctx)


def _unknown(word: str) -> str:
    shipped = names()
    told = f"there is no file {word!r} and no API of that name; shipped are {', '.join(shipped) or 'none'}"
    near = did_you_mean(word, shipped)
    return told + ("." + near if near else "")


SPEC = ShippedOrFile(DESCRIPTION)
VENDOR_PROFILE = ShippedOrFile(PROFILE)
