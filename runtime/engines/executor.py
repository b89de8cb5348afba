"""This process as one that carries out runs: its name, and the proof that it lives.

The name stands at every run that it carries out. It is held as a lock (`governance.locks`) which falls the moment the
process dies, however it dies: whoever can take a name's lock knows that nobody of that name is at work, and may take
over its runs. A name is never used by two processes. Here never lives what is done with a dead one's runs (`keeper`).
"""

import os
import secrets
import socket

from governance.errors import UnavailableError
from governance.locks import Locks


class Executor:
    def __init__(self, locks: Locks) -> None:
        # People read it in the list of runs; the last part makes it one of its kind.
        self.name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._locks = locks
        self._is_here = False

    async def appear(self) -> None:
        """Returns when the name is held. Raises UnavailableError."""
        if not self._is_here:
            if not await self._locks.hold(_life(self.name)):
                raise UnavailableError("this process cannot show that it lives", "see the database, and start again")
            self._is_here = True

    async def is_dead(self, name: str) -> bool:
        """Whether nobody of that name is at work. Raises UnavailableError."""
        if name == self.name or not await self._locks.hold(_life(name)):
            return False
        await self._locks.release(_life(name))
        return True


def _life(name: str) -> str:
    return f"executor:{name}"
