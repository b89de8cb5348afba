"""A workflow that a caller asks for in a sentence: handed to the compiler, which is another process, and left pending.

Nothing that runs depends on it: what comes of a proposal is decided on like everything else. Only where a setting says
how many a caller may make in a day (SWITCHGEAR_PROPOSALS), for operators and above, within their APIs, one at a
time, each in the audit before it is begun. The compiler is started as a command (docs/PROPOSER.md) and may not be
installed at all. Here never lives a model or a decision. Called by the MCP tool `propose_workflow`.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from governance.audit.log import AuditLog
from governance.audit.search import AuditSearch, AuditWanted
from governance.storage.database import Database
from governance.storage.identifiers import moment
from governance.transitions import may
from runtime.caller import Caller
from runtime.compiler_process import compiled
from runtime.errors import BadInput, Unservable

Json = Any
ASKED = "proposal.asked"
MOST_SENTENCE = 300  # characters; five clauses are under 200
_ENDINGS = (".yaml", ".yml", ".json")
_API = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMPILES = (0, 1)  # done, or refused: both print what was understood


@dataclass(frozen=True, slots=True)
class Terms:
    """`most_a_day`: of one caller; 0: nobody may. `proposer`: as for `compile`. `folder`: the library, "" without."""

    most_a_day: int = 0
    proposer: str = "none"
    folder: str = ""

    @property
    def may_be_asked(self) -> bool:
        return self.most_a_day > 0


@dataclass(slots=True)
class Proposals:
    """Makes one at a time."""

    database: Database
    audit: AuditLog
    terms: Terms
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def propose(self, api: str, sentence: str, caller: Caller) -> Mapping[str, Json]:
        """What became of the sentence, as `compile --ask --json` tells it. Raises BadInput, Unservable."""
        self._check(api, caller)
        if self._turn.locked():
            raise Unservable("another workflow is being made of a sentence", "ask again in a minute")
        async with self._turn:
            await self._count(caller)
            await self.audit.append(caller.name, ASKED, f"api:{api}", {"sentence": sentence})
            return await self._compiled(api, sentence, caller)

    def _check(self, api: str, caller: Caller) -> None:
        if not may(caller.role, "operator"):
            raise BadInput("only operators may propose workflows", "/api", "ask somebody with that role")
        if not _API.fullmatch(api) or (caller.scope.apis and api not in caller.scope.apis):
            raise BadInput(f"there is no API {api[:64]!r}", "/api", "name one whose workflows you can find")

    async def _count(self, caller: Caller) -> None:
        since = datetime.fromisoformat(self.database.now()) - timedelta(days=1)
        wanted = AuditWanted(actor=caller.name, action=ASKED, since=moment(since))
        made = await AuditSearch(self.database).find(wanted, limit=self.terms.most_a_day)
        if len(made) >= self.terms.most_a_day:
            many = f"{self.terms.most_a_day} proposals a day are all that one caller may make"
            raise Unservable(many, "tomorrow, or an admin raises SWITCHGEAR_PROPOSALS")

    async def _compiled(self, api: str, sentence: str, caller: Caller) -> Mapping[str, Json]:
        words = [self._description(api), f"--ask={sentence}", f"--asked-by={caller.name}"]
        said = await compiled(self.database.address, [*words, f"--proposer={self.terms.proposer}"])
        if said.code is None:
            raise Unservable("the compiler took too long", "a smaller description, or no model")
        return _read(said.told, said.code)

    def _description(self, api: str) -> str:
        """The file in the library, else the name, by which what is shipped is found."""
        folder = Path(self.terms.folder) / "specs" if self.terms.folder else None
        found = (folder / f"{api}{ending}" for ending in _ENDINGS) if folder else ()
        return str(next((file.resolve() for file in found if file.is_file()), api))


def _read(told: Mapping[str, Json], code: int) -> Mapping[str, Json]:
    if code not in _COMPILES or "outcome" not in told:
        error = told.get("error", {})
        raise Unservable(str(error.get("message", "the compiler is not there")), str(error.get("remedy", "")))
    return {name: told[name] for name in ("outcome", "workflow", "refusal", "could_be", "understood", "notes")}
