"""Where the front end notes what it had to repair, leave out or miss.

Here lives the collector and its order; here never lives a decision. A value of this class is made by `load`, handed
to every reader, and turned into the tuple of diagnostics at the end. Codes are lower case words with hyphens.
"""

from compiler.containment import Containment
from compiler.ir.model import Diagnostic, Severity


class Findings:
    """Collects diagnostics; the same finding at the same place counts once.

    `contained`: by which whatever is read item by item is tried, so that a fault of ours costs one item.
    """

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}
        self.contained = Containment("the reading")

    def error(self, code: str, pointer: str, message: str, remedy: str = "") -> None:
        """Something of the description is lost: an operation, a parameter, a schema."""
        self._found[Diagnostic(code, Severity.ERROR, pointer, message, remedy)] = None

    def warning(self, code: str, pointer: str, message: str, remedy: str = "") -> None:
        """A meaning was assumed, or a detail is lost."""
        self._found[Diagnostic(code, Severity.WARNING, pointer, message, remedy)] = None

    def note(self, code: str, pointer: str, message: str, remedy: str = "") -> None:
        """Tolerated; nothing is lost."""
        self._found[Diagnostic(code, Severity.NOTE, pointer, message, remedy)] = None

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Errors first, then by place, so that the same description gives the same list."""
        found = (*self._found, *self.contained.diagnostics)
        order = {severity: number for number, severity in enumerate(Severity)}
        return tuple(sorted(found, key=lambda d: (order[d.severity], d.pointer, d.code, d.message)))
