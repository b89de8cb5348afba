"""What replicas of a hub share of sites, in rows: who has come, and the dispatches on their way there and back.

A site speaks to whichever replica its connection leads to, and a run waits for its answer at whichever carries it out.
A dispatch is a row: `post` puts it there, `claim` hands it to one question for work of its site, `hear` takes the
answer, `look` shows it to whoever waits. Each is one transaction, so that of two replicas one hands it over. Handed
over again is what the site does not know of a while later; taken back only what never was. A dispatch waits as long as
its sender says so (`keep`): what a dead one left is handed to nobody until another process takes the run up. PostgreSQL
alone: beside a SQLite file a hub is one process. What stands in sealed columns is the hub's (`runtime.sites.seals`).
Called by `runtime.sites.shared_hub`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless

from governance.errors import RefusedError, UnavailableError
from governance.storage.identifiers import from_text, moment, to_text
from governance.storage.models import SiteDispatchRow, SiteRow, table_of
from governance.storage.shared import NOW, SharedRows

_SITE = table_of(SiteRow)
_WAY = table_of(SiteDispatchRow)
_HANDED = _WAY.c.handed_at.is_not(None)
_UNANSWERED = _WAY.c.answer.is_(None)
SITE, ANSWER = "site ", "id "
"""How a word of a change begins: there is something for the site, or about the dispatch."""
# How it stands with a dispatch, without what it is, which may be large.
_STANDING = (
    _WAY.c.id, _WAY.c.kept_until, _WAY.c.is_due, _WAY.c.handed_at, _WAY.c.process, _WAY.c.unwanted, _WAY.c.ended_at,
    _WAY.c.is_left, _WAY.c.answer.is_not(None).label("is_answered"),
)  # fmt: skip
# Of a site's dispatches at once, the oldest first: more than are under way or wait.
MOST_LOOKED_AT = 2_000
# Longer than a sender that lives needs to say so again, by far.
KEPT_S = 15.0
# Two messages of a statement's life, after which it does not count any more.
REMEMBERED_S = 180.0
# A dispatch lasts four hours at most; nobody comes for what is older.
OLD_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a site. `state` and `told` (None: nothing new) as they are stored; `waits` and `answers` by id."""

    site: str
    process: str
    number: int
    is_poll: bool
    state: str
    told: str | None
    has: frozenset[str]
    waits: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def poll(self) -> str:
        return f"{self.process}/{self.number}"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a question for work is answered with: `due` and `ends` by id, as they were stored. `process`: the site's
    newest; `is_newest`: whether no newer question has come."""

    process: str
    is_newest: bool
    due: tuple[tuple[str, str], ...] = ()
    ends: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DispatchState:
    """How it stands with a dispatch. `answer`, `waits`: as they were stored."""

    was_handed: bool
    waits: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """`silent_s`: since its last message; `told`: None where it is as it was known."""

    name: str
    process: str
    silent_s: float
    state: str
    mark: str
    told: str | None
    under_way: int


@dataclass(frozen=True, slots=True)
class SiteExchange:
    """`sender`: this process, which no other is called."""

    rows: SharedRows
    sender: str

    async def hear(self, heard: Heard) -> tuple[bool, tuple[str, ...]]:
        """Takes a message: whether it was overtaken by a newer one, and the ids of answers that nobody waits for.

        Raises RefusedError for a question that came before.
        """
        return await self.rows.change(lambda c: self._hear(c, heard))

    def _hear(self, connection: Connection, heard: Heard) -> tuple[bool, tuple[str, ...]]:
        row = _of_site(connection, heard.site)
        now = row.now
        is_late = row.process == heard.process and heard.number < row.number
        values: dict[str, Any] = {"seen_at": now}
        if heard.is_poll:
            values |= {"polls": _with_poll(row, heard, now), "poll": heard.poll}
        if not is_late:
            values |= {"process": heard.process, "number": heard.number, "state": heard.state}
            values |= {} if heard.told is None else {"told": heard.told}
        connection.execute(update(_SITE).where(_SITE.c.name == heard.site).values(**values))
        strays = self._hear_answers(connection, heard)
        if not is_late:
            self._hear_of_dispatches(connection, heard)
        return is_late, strays

    def _hear_answers(self, connection: Connection, heard: Heard) -> tuple[str, ...]:
        strays = []
        for name, answer in heard.answers.items():
            mine = (_WAY.c.id == name) & (_WAY.c.site == heard.site) & _HANDED & _UNANSWERED
            if connection.execute(update(_WAY).where(mine).values(answer=answer, is_due=False)).rowcount:
                self.rows.tell(connection, ANSWER + name)
            else:
                strays.append(name)
        return tuple(strays)

    def _hear_of_dispatches(self, connection: Connection, heard: Heard) -> None:
        query = select(_WAY.c.id, _WAY.c.waits).where(_WAY.c.site == heard.site, _HANDED, _UNANSWERED)
        for row in connection.execute(query).all():
            waits = heard.waits.get(row.id, "")
            if waits != row.waits:
                connection.execute(update(_WAY).where(_WAY.c.id == row.id).values(waits=waits))
                self.rows.tell(connection, ANSWER + row.id)

    async def claim(self, heard: Heard, most: int, again_s: float) -> Claimed:
        """What the question `heard` is answered with: from now on it is handed over."""
        return await self.rows.change(lambda c: self._claim(c, heard, most, again_s))

    def _claim(self, connection: Connection, heard: Heard, most: int, again_s: float) -> Claimed:
        row = _of_site(connection, heard.site)
        if row.poll != heard.poll or row.process != heard.process:
            return Claimed(row.process, row.poll == heard.poll)
        now = row.now
        old = _before(now, again_s)
        query = select(*_STANDING).where(_WAY.c.site == heard.site).order_by(_WAY.c.made_at).limit(MOST_LOOKED_AT)
        found = connection.execute(query.with_for_update(skip_locked=True)).all()
        lost = {each.id for each in found if _is_lost(each, heard, old)}
        over = [each.id for each in found if each.is_left and (each.is_answered or each.id in lost)]
        kept = [each for each in found if each.id not in over]
        is_due = [each for each in kept if (each.is_due or each.id in lost) and each.kept_until > now]
        due = _asked(connection, [each.id for each in is_due[:most]])
        ends = tuple((each.id, each.unwanted) for each in kept if _is_to_end(each, old) and each.id not in lost)[:most]
        if over:
            connection.execute(delete(_WAY).where(_WAY.c.id.in_(over)))
        _set(connection, due, is_due=False, handed_at=now, process=heard.process, ended_at=None)
        _set(connection, ends, ended_at=now)
        return Claimed(row.process, True, due, ends)

    async def give_back(self, claimed: Claimed, site: str) -> None:
        """Has what was claimed, and surely was not told to the site, handed over by another question."""

        def work(connection: Connection) -> None:
            _set(connection, claimed.due, is_due=True)
            _set(connection, claimed.ends, ended_at=None)
            self.rows.tell(connection, SITE + site)

        if claimed.due or claimed.ends:
            await self.rows.change(work)

    async def keep_out(self, site: str, state: str) -> None:
        """Notes how it is with a site whose messages are not taken."""

        def work(connection: Connection) -> None:
            _of_site(connection, site)
            connection.execute(update(_SITE).where(_SITE.c.name == site).values(state=state, seen_at=_now(connection)))

        await self.rows.change(work)

    async def post(self, name: str, site: str, asked: str, most: int) -> None:
        """Has the dispatch wait for its site; one that is there already is this process's from now on.

        Raises UnavailableError, also where too many wait.
        """

        def work(connection: Connection) -> None:
            now = _now(connection)
            kept = {"sender": self.sender, "kept_until": _after(now, KEPT_S), "is_left": False}
            if not connection.execute(
                update(_WAY).where(_WAY.c.id == name, _WAY.c.site == site).values(**kept)
            ).rowcount:
                waiting = select(func.count()).where(_WAY.c.site == site, _WAY.c.is_due, _WAY.c.kept_until > now)
                if (count := connection.execute(waiting).scalar_one()) >= most:
                    raise UnavailableError(f"{count} dispatches wait for {site}", "ask again in a moment")
                values = {"id": name, "site": site, "made_at": now, "asked": asked, "is_due": True, **kept}
                connection.execute(insert(_WAY).values(**values))
            self.rows.tell(connection, SITE + site)

        await self.rows.change(work)

    async def look(self, name: str) -> DispatchState | None:
        """None: it is not there any more."""
        query = select(_WAY.c.handed_at, _WAY.c.waits, _WAY.c.answer).where(_WAY.c.id == name)
        row = await self.rows.change(lambda c: c.execute(query).first())
        return None if row is None else DispatchState(row.handed_at is not None, row.waits, row.answer)

    async def take_back(self, name: str) -> bool:
        """Takes it away if it was never handed over; whether that was so."""
        mine = delete(_WAY).where(_WAY.c.id == name, ~_HANDED)
        return await self.rows.change(lambda c: c.execute(mine).rowcount == 1)

    async def end(self, name: str, site: str, unwanted: str) -> None:
        """Has the site told that its end is wanted, where it was handed over."""

        def work(connection: Connection) -> None:
            connection.execute(update(_WAY).where(_WAY.c.id == name).values(unwanted=unwanted))
            self.rows.tell(connection, SITE + site)

        await self.rows.change(work)

    async def leave(self, name: str, *, is_over: bool, is_unwanted: bool) -> None:
        """This process does not wait for it any more. `is_over`: nobody needs it; `is_unwanted`: nobody but the site,
        which has to hear so; else another process may come for the answer."""
        mine = (_WAY.c.id == name) & (_WAY.c.sender == self.sender)
        left = update(_WAY).where(mine).values(sender="", is_left=is_unwanted)
        await self.rows.change(lambda c: c.execute(delete(_WAY).where(mine) if is_over else left).rowcount)

    async def keep(self) -> None:
        """Says that this process still waits for what it sent, and forgets what nobody has waited for in hours."""

        def work(connection: Connection) -> None:
            now = _now(connection)
            mine = (_WAY.c.sender == self.sender) & ~_WAY.c.is_left
            connection.execute(update(_WAY).where(mine).values(kept_until=_after(now, KEPT_S)))
            connection.execute(delete(_WAY).where(_WAY.c.kept_until < _before(now, OLD_S)))

        await self.rows.change(work)

    async def seen(self, known: Mapping[str, str]) -> tuple[SiteSeen, ...]:
        """Every site that has come; `known`: the marks of what it told that are known, by its name."""
        return await self.rows.change(lambda c: tuple(_seen(c, known)))


def _seen(connection: Connection, known: Mapping[str, str]) -> Iterable[SiteSeen]:
    now = _now(connection)
    counting = select(_WAY.c.site, func.count()).where(_UNANSWERED, _WAY.c.kept_until > now).group_by(_WAY.c.site)
    under_way = {row[0]: row[1] for row in connection.execute(counting)}
    mark = func.md5(_SITE.c.told).label("mark")
    found = connection.execute(
        select(_SITE.c.name, _SITE.c.process, _SITE.c.seen_at, _SITE.c.state, mark).where(_SITE.c.seen_at != "")
    ).all()
    new = [row.name for row in found if known.get(row.name) != row.mark]
    told = {
        row[0]: row[1] for row in connection.execute(select(_SITE.c.name, _SITE.c.told).where(_SITE.c.name.in_(new)))
    }
    for row in found:
        silent_s = (datetime.fromisoformat(now) - datetime.fromisoformat(row.seen_at)).total_seconds()
        yield SiteSeen(
            row.name, row.process, max(0.0, silent_s), row.state, row.mark, told.get(row.name),
            under_way.get(row.name, 0),
        )  # fmt: skip


def _now(connection: Connection) -> str:
    return str(connection.execute(select(NOW)).scalar_one())


def _before(now: str, seconds: float) -> str:
    return moment(datetime.fromisoformat(now) - timedelta(seconds=seconds))


def _after(now: str, seconds: float) -> str:
    return _before(now, -seconds)


def _of_site(connection: Connection, name: str) -> "Row[Any, Any, Any, Any, Any]":
    """The site's row, which is this transaction's alone."""
    query = select(_SITE.c.process, _SITE.c.number, _SITE.c.poll, _SITE.c.polls, NOW.label("now"))
    query = query.where(_SITE.c.name == name).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        connection.execute(insert_unless(_SITE).values(name=name).on_conflict_do_nothing())
        row = connection.execute(query).one()
    return row


def _with_poll(row: "Row[Any, Any, Any, Any, Any]", heard: Heard, now: str) -> str:
    """The site's questions with this one. Raises RefusedError for one that came before."""
    old = _before(now, REMEMBERED_S)
    polls = {name: each for name, each in from_text(row.polls).items() if each[1] > old}
    if heard.number <= polls.get(heard.process, (0, ""))[0]:
        raise RefusedError("this question came before", "ask anew")
    return to_text({**polls, heard.process: [heard.number, now]})


def _asked(connection: Connection, ids: list[str]) -> tuple[tuple[str, str], ...]:
    """What is asked for by each, the oldest first."""
    if not ids:
        return ()
    query = select(_WAY.c.id, _WAY.c.asked).where(_WAY.c.id.in_(ids)).order_by(_WAY.c.made_at)
    return tuple((row[0], row[1]) for row in connection.execute(query))


def _is_lost(row: "Row[Any]", heard: Heard, old: str) -> bool:
    """Whether it was handed over, and the site, which has no answer told, does not know of it."""
    if row.handed_at is None or row.is_answered or row.is_due or row.id in heard.has:
        return False
    return bool(row.process != heard.process or row.handed_at < old)


def _is_to_end(row: "Row[Any]", old: str) -> bool:
    """Whether the site is to hear that its end is wanted."""
    is_there = row.handed_at is not None and not row.is_answered and not row.is_due
    return bool(is_there and row.unwanted and (row.ended_at is None or row.ended_at < old))


def _set(connection: Connection, these: tuple[tuple[str, str], ...], **values: Any) -> None:
    if these:
        connection.execute(update(_WAY).where(_WAY.c.id.in_([name for name, _ in these])).values(**values))
