"""The catalog while it lives: noticing that the database changed, loading, swapping, telling.

One object holds the snapshot that is served now. A loop asks governance for its change token many times a second,
which costs one small query; targets and tokens are looked at in the same loop. When loading fails, the last good
snapshot stays and the reason is kept for `/ready`. Whoever needs to know (clients, through `list_changed`) is told
after the swap, never before. Here never lives what a snapshot holds (`catalog`) or a protocol.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from governance.approval.integrity import RevisionFault
from governance.errors import GovernanceError
from governance.glance import Glances
from governance.people.principals import TokenSurvey
from governance.people.scopes import AccessScope
from governance.people.user_rows import UserSurvey
from governance.registry.targets import Target
from governance.runs.mismatches import MismatchStore
from runtime.auth.authenticator import Authenticator
from runtime.catalog.snapshot import Catalog, Loader, Refusal, view_of
from runtime.observing import observed

log = logging.getLogger("switchgear.catalog")
# Approved, noticed, told: half of this is the wait one sees on average; the query takes well under a millisecond.
POLL_S = 0.05
# Targets and tokens change rarely, and 0.2 s until a revoked token is out is soon enough.
ROUNDS_BETWEEN_LOOKS = 4
# Where the database is a file that was not touched, nothing is asked of it but in every fifth of these looks: 1 s.
LOOKS_WITHOUT_A_TOUCH = 5
# So often some of the approved rows are compared that nobody is known to have changed: 5 s.
ROUNDS_BETWEEN_SWEEPS = 100
# More distinct scopes than one installation has.
MAX_VIEWS = 256
Told = Callable[[], Awaitable[None]]


class LiveCatalog:
    def __init__(
        self,
        loader: Loader,
        glances: Glances,
        authenticator: Authenticator,
        mismatches: MismatchStore,
    ) -> None:
        self._loader = loader
        self._mismatches = mismatches
        self._told: Mapping[str, Refusal] = {}
        self._glances = glances
        self._authenticator = authenticator
        self._now = Catalog()
        self._views: dict[AccessScope, Catalog] = {}
        self._marks: tuple[str, tuple[Target, ...], frozenset[str]] | None = None
        self._holders: tuple[TokenSurvey, UserSurvey] | None = None
        # By whether the look is a full one.
        self._untouched = {
            True: loader.revisions.untouched(LOOKS_WITHOUT_A_TOUCH),
            False: loader.revisions.untouched(LOOKS_WITHOUT_A_TOUCH * ROUNDS_BETWEEN_LOOKS),
        }
        self._loading = asyncio.Lock()
        self._listeners: list[Told] = []
        self.trouble = ""
        self.set_apart = ""
        """Why this server leaves undone what others do; empty for one that is no copy."""

    @property
    def now(self) -> Catalog:
        """The snapshot to use; take it once for one call."""
        return self._now

    def seen_by(self, scope: AccessScope) -> Catalog:
        """The snapshot as it is for somebody with `scope`."""
        if scope.is_whole:
            return self._now
        view = self._views.get(scope)
        if view is None:
            if len(self._views) >= MAX_VIEWS:
                self._views = {}
            view = self._views[scope] = view_of(self._now, scope, self._loader.room)
        return view

    @property
    def experts(self) -> frozenset[str]:
        """Names of those who may call single operations, as when the snapshot was made."""
        return self._marks[2] if self._marks is not None else frozenset()

    @property
    def is_loaded(self) -> bool:
        return self._marks is not None

    def on_change(self, told: Told) -> None:
        """`told` is awaited after every swap to a snapshot that clients see as another one."""
        self._listeners.append(told)

    async def reload(self) -> Catalog:
        """Loads in any case. Raises GovernanceError when that fails; then the old snapshot stays."""
        begun = time.monotonic()
        async with self._loading:
            try:
                marks, experts = await self._look(), self.experts
                self._loader.has_experts = bool(marks[2])
                fresh = await self._loader.load(self._now, marks[1])
            except GovernanceError as error:
                self.trouble = error.message
                observed.not_reloaded(time.monotonic() - begun)
                raise
            self._marks, self.trouble = marks, ""
            before, views = self._now, self._views
            self._now, self._views = fresh, {}
            # What is one list for some may have stayed, while another's is a new one.
            changed = fresh.version != before.version or marks[2] != experts
            changed = changed or any(self.seen_by(scope).version != view.version for scope, view in views.items())
        if changed:
            for told in self._listeners:
                await told()
        observed.reloaded(fresh, time.monotonic() - begun)
        await self._tell_mismatches()
        return fresh

    async def _tell_mismatches(self) -> None:
        """Has what was altered, and what was put back, recorded and told; what cannot be is, by a later round."""
        found = {each.revision_id: each for each in self._now.refusals if each.is_mismatch}
        if found == self._told:
            return
        fresh = [each for each in found.values() if self._told.get(each.revision_id) != each]
        served = {entry.revision_id for entry in self._now.entries.values()}
        try:
            if fresh:
                await self._mismatches.tell(
                    RevisionFault(each.revision_id, each.workflow_id, each.reason) for each in fresh
                )
            if restored := (self._told.keys() - found.keys()) & served:
                await self._mismatches.restored(sorted(restored))
        except GovernanceError as error:
            log.error("a revision that was altered could not be recorded yet: %s", error.message)
        else:
            self._told = found

    async def watch(self) -> None:
        """Until cancelled: notices changes by whichever process and follows them."""
        for number in itertools.count(1):
            await asyncio.sleep(POLL_S)
            try:
                is_full_look = number % ROUNDS_BETWEEN_LOOKS == 0
                is_same = self._untouched[is_full_look].since_last()
                if not is_same and await self._has_changed(is_full_look=is_full_look):
                    await self.reload()
                if await self._loader.check_some(self._now) or await self._has_strayed(number):
                    await self.reload()
                await self._tell_mismatches()
            except GovernanceError as error:
                self._untouched[is_full_look].forget()
                if error.message != self.trouble:
                    log.error(
                        "the catalog cannot be brought up to date, the last good one is served: %s", error.message
                    )
                self.trouble = error.message

    async def _has_strayed(self, number: int) -> bool:
        """Whether rows say something else though nothing tells of a change: all are compared, some each time."""
        if number % ROUNDS_BETWEEN_SWEEPS or self._loading.locked():
            return False
        async with self._loading:
            return await self._loader.has_strayed()

    async def _has_changed(self, *, is_full_look: bool) -> bool:
        if not is_full_look:
            return self._marks is None or await self._token() != self._marks[0]
        seen = await self._glances.look()
        await self._notice_holders((seen.tokens, seen.users))
        if seen.is_some_due:
            await self._loader.revisions.expire()
        return self._marks is None or (await self._token(), seen.targets, seen.experts) != self._marks

    async def _look(self) -> tuple[str, tuple[Target, ...], frozenset[str]]:
        targets, experts = await self._loader.targets.list_targets(), await self._glances.experts()
        return (await self._token(), targets, experts)

    async def _token(self) -> str:
        return await self._loader.revisions.change_token()

    async def _notice_holders(self, holders: tuple[TokenSurvey, UserSurvey]) -> None:
        """Whoever's token was revoked or has expired, or who was disabled, is out within one round of the loop."""
        if holders != self._holders:
            self._authenticator.forget()
            await self._authenticator.look()
            await self._authenticator.learn()
            self._holders = holders
