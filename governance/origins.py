"""How a revision came about, as its row says: by whom it was submitted, and which API it is of.

Whoever submits what is not plainly compiled says so in the name that the row, its seal and the audit have:
`profile:ann`, `model:ann`, `import:ann`; a bundle is `bundle:NAME@VERSION`, and the APIs of MCP servers have names of
their own. So nothing is stored beside it that could say otherwise. Older rows say `compile:ann` of all of these.
Here never lives a right: who stands behind such a name is `transitions.person_of`'s to say.
"""

from typing import Literal

from governance.registry.servers import is_of_server

Origin = Literal["compiled", "profile", "model", "import", "bundle", "server"]
COMPILE = "compile:"
NAMED: tuple[Origin, ...] = ("profile", "model", "import", "bundle")
"""Those that the name of whoever submitted begins with."""


def submitter(origin: Origin, actor: str) -> str:
    """What the row says of who submitted what came about so; `actor`: `compile:ann`, or whose sentence it is."""
    return actor if origin == "compiled" else f"{origin}:{actor.removeprefix(COMPILE)}"


def origin_of(api: str, created_by: str) -> Origin:
    """How a revision came about."""
    if is_of_server(api):
        return "server"
    kind = created_by.partition(":")[0]
    return next((each for each in NAMED if each == kind and created_by != kind), "compiled")
