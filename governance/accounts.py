"""Whose process this is, as the operating system knows it: the account of the real user id.

Whoever decides on a command line is told in the audit by this name, so no variable of the environment (LOGNAME, USER,
HOME, SUDO_USER) has a say in it, and one account is one person whatever names lead to it. Anybody may take another
number in a namespace of their own: there the number counts that the account has outside. Called by the commands.
"""

import os
import pwd
from pathlib import Path

COMMAND_LINE = "cli:"
"""What the names of those begin with who act on a command line at the database."""


def account(uid_map: Path = Path("/proc/self/uid_map")) -> str:
    """The first name that the system has for this process's real user id; its number where there is none."""
    number = _outside(os.getuid(), uid_map)
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # no such user in this container
        return str(number)


def _outside(number: int, uid_map: Path) -> int:
    """The number that `number` has outside of a namespace which anybody can make: one that maps a single account.

    Whoever maps many was given them by an administrator, as containers are. user_namespaces(7).
    """
    try:
        lines = [tuple(map(int, line.split())) for line in uid_map.read_text().splitlines()]
    except (OSError, ValueError):
        return number
    if len(lines) != 1 or len(lines[0]) != 3 or lines[0][2] != 1:
        return number
    inside, outside, _ = lines[0]
    return outside if number == inside else number
