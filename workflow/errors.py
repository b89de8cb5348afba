"""The errors of the workflow room, drawn as a tree. Each says whose fault it is.

WorkflowError
├── DocumentError      the document's author: not Arazzo, or a reference that leads nowhere
├── ExpressionError    the document's author: a runtime expression or selector that is not one
├── ProfileError       the profile's author
├── InputError         the caller: inputs that do not fit the workflow's schema
└── CanonicalError     the caller: a value that has no canonical JSON form
"""


class WorkflowError(Exception):
    """What happened, where (`source` file or object, `pointer` into it, RFC 6901), and in the message what to do."""

    def __init__(self, message: str, source: str = "", pointer: str = "") -> None:
        place = f"{source}#{pointer}: " if source or pointer else ""
        super().__init__(f"{place}{message}")
        self.message = message
        self.source = source
        self.pointer = pointer


class DocumentError(WorkflowError):
    pass


class ExpressionError(WorkflowError):
    pass


class ProfileError(WorkflowError):
    pass


class InputError(WorkflowError):
    pass


class CanonicalError(WorkflowError):
    pass


class EventError(WorkflowError):
    pass
