"""Whose process this is, as the operating system knows it: the account of the real user id.

Whoever decides on a command line is told in the audit by this name, so no variable of the environment (LOGNAME, USER,
HOME, SUDO_USER) has a say in it, and one account is one person whatever names lead to it. Called by the commands.
"""

import os
import pwd

COMMAND_LINE = "cli:"
"""What the names of those begin with who act on a command line at the database."""


def account() -> str:
    """The first name that the system has for this process's real user id; its number where there is none."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # no such user in this container
        return str(number)
