"""The bar that a terminal shows while a description is compiled.

Imported only where there is a terminal: importing rich takes longer than a small compile works. Here never lives what
is counted. Called by `compiler.commands.compiling`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Show = Callable[[str, int, int], None]


@contextmanager
def bar() -> Iterator[Show]:
    """What to call with the stage, how many are done, and of how many; the bar is gone when the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("read")
        yield lambda stage, done, total: progress.update(task, description=stage, completed=done, total=total)
