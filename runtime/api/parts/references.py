"""References to secrets that come over HTTP: what leads to this server's own files and variables is not taken.

So that whoever holds an admin's token cannot have any file or any secret of this server used for what they choose: a
`file:` and Switchgear's own variables are named on the server, by the command line; what is known already may be named
again. Here never lives a secret. Called by the routes that keep targets and senders.
"""

from collections.abc import Container

from governance.settings import PREFIX
from runtime.problems import Problem


def check_reference(field: str, reference: str | None, known: Container[str | None], remedy: str) -> None:
    """`known`: those that are there already. Raises Problem."""
    is_own = reference is not None and reference.startswith(("file:", f"env:{PREFIX}"))
    if is_own and reference not in known:
        detail = f"{field} names a file or a variable of this server that nothing here refers to yet."
        raise Problem(403, "not allowed", detail, f"add it on the server: `{remedy}`")
