"""The errors of the compiler room, drawn as a tree. Each type says whose fault it is and what the reader can do.

    CompilerError            ours, unless a type below says otherwise          exit code 5
    ├── SpecError            the description's author: cannot be read at all   exit code 3
    │   └── LimitError       the description goes beyond a limit               exit code 3
    ├── OverlayError         the overlay's author                              exit code 3
    ├── OtherProfileError    the caller: a profile of another API               exit code 3
    ├── LockError            the lock file or the recording does not fit       exit code 3
    ├── ProposerError        the model's server did not answer usefully        exit code 4
    └── CompilerBug          ours: a pass broke an invariant                   exit code 5

What can be survived is never an error here: it is a `compiler.ir.model.Diagnostic`, and the compile goes on.
Rendered in one place, `switchgear/main.py`, which reads `exit_code` and `remedy` (DESIGN.md, "Interfaces").
"""

from typing import ClassVar


class CompilerError(Exception):
    """What happened, where (`source` file, `pointer` into it, RFC 6901), and what to do (`remedy`)."""

    exit_code: ClassVar[int] = 5
    remedy: str = "report this with the input that caused it"

    def __init__(self, message: str, source: str = "", pointer: str = "", remedy: str = "") -> None:
        place = f"{source}#{pointer}: " if source or pointer else ""
        super().__init__(f"{place}{message}")
        self.message = message
        self.source = source
        self.pointer = pointer
        if remedy:
            self.remedy = remedy


class SpecError(CompilerError):
    exit_code = 3
    remedy = "give an OpenAPI 3.0, 3.1, 3.2 or Swagger 2.0 document in JSON or YAML"


class LimitError(SpecError):
    exit_code = 3
    remedy = (
        "split the description or leave out what is not needed; the limits are in compiler/frontend/documents/limits.py"
    )


class OverlayError(CompilerError):
    exit_code = 3
    remedy = "give an OpenAPI Overlay 1.0 document whose targets are RFC 9535 JSONPath"


class OtherProfileError(CompilerError):
    exit_code = 3
    remedy = "give the profile of this API, or none"


class LockError(CompilerError):
    exit_code = 3
    remedy = "compile once without --lock and keep the new file"


class ProposerError(CompilerError):
    exit_code = 4
    remedy = "start the model's server, or compile with --proposer none"


class CompilerBug(CompilerError):
    exit_code = 5
