"""What this machine lacks for a connection, told apart from what is wrong with a device: files, ports, memory.

A device that was not asked because we could not ask is not at fault, and the breaker does not count it. Called by
whoever connects (`exchange`, `tls`). Pure. POSIX, connect(2).
"""

import errno
from collections.abc import Iterator

_LACKS = {
    errno.EMFILE: "may open no more files",
    errno.ENFILE: "is on a machine that opens no more files",
    errno.ENOBUFS: "has no memory for another connection",
    errno.ENOMEM: "has no memory for another connection",
    errno.EADDRNOTAVAIL: "has no address or port to connect from",
}
REMEDY = "the device is not to blame: see what this server's process may use (ulimit -n, ports, memory)"


def lack_of(error: BaseException) -> str:
    """What is lacking, where that is why there is no connection; empty for any other reason."""
    numbers = (each.errno for each in _behind(error) if isinstance(each, OSError))
    return next((_LACKS[number] for number in numbers if number in _LACKS), "")


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, also of several tries."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _behind(each)
        error = error.__cause__ or error.__context__
