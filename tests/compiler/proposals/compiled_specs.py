"""The small descriptions, compiled, and an asker that a function answers: for the tests of what a model proposes.

No assertions here. `machines` is compiled once a process.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.proposer.proposer import Asker
from compiler.proposer.question import ModelAnswer, Question, QuestionKind
from compiler.verification import compile_spec
from tests.compiler.proposals.proposal_specs import SPECS

DIGEST = "sha256:" + "0" * 64
Says = Callable[[Question, bool], str]


def written(folder: Path, name: str = "machines", spec: Mapping[str, Any] | None = None) -> Path:
    """The description and its profile as files; answers the description's."""
    folder.mkdir(exist_ok=True)
    profile = {"api": name}
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile))
    file = folder / "openapi.json"
    file.write_text(json.dumps(spec or SPECS[name]))
    return file


@cache
def compiled(name: str = "machines") -> Compiled:
    with TemporaryDirectory() as folder:
        return compile_spec(CompileRequest(written(Path(folder), name)))[0]


class Scripted(Asker):
    """Answers each question by what `says` makes of it; `kinds`: which it answers at all. Keeps what it was asked."""

    def __init__(self, says: Says, *kinds: QuestionKind) -> None:
        super().__init__()
        self.says, self.kinds = says, kinds
        self.asked: list[Question] = []

    @property
    def is_live(self) -> bool:
        return True

    def ask(self, questions: Sequence[Question], share: float = 1.0) -> list[ModelAnswer]:
        self.asked += questions
        return [
            ModelAnswer(
                one.kind, one.subject, one.options, (self.says(one, False), self.says(one, True)), DIGEST, "stub@1"
            )
            for one in questions
            if not self.kinds or one.kind in self.kinds
        ]
