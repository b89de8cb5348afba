"""Who is the same person as whom, where votes are counted and where somebody is to be kept out.

On one machine who compiles, who decides at the command line and who holds a token of that name are one person
(`transitions.person_of`). Beyond that an admin says so: the other names of a user all stand for that user. What
nobody said stays two people. Here never lives a decision.
"""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from governance.origins import COMPILE
from governance.people.user_rows import User, told_users, untold_users
from governance.transitions import asked_by, person_of

Persons = Callable[[str], str]


def persons(connection: Connection) -> Persons:
    """Who stands behind an actor, by what admins have said until now.

    Where the audit says nothing of a user any more, the row's names still stand for one person: nobody gets a vote more
    by what is taken away. Raises TamperedError where the audit of it was changed: two names would be two votes.
    """
    told = told_users(connection)
    return person_among((*untold_users(connection, told), *told))


def person_among(users: Iterable[User]) -> Persons:
    """The same for given users."""
    known = {name: user.name for user in users for name in (user.name, *user.also)}

    def person(actor: str) -> str:
        plain, behind = person_of(actor), asked_by(actor)
        # Of what was not plainly compiled, `compile:` is left out in the name of whoever compiled it.
        names = (actor,) if behind == actor else (actor, behind, f"{COMPILE}{behind}")
        return next((known[name] for name in (*names, plain) if name in known), plain)

    return person
