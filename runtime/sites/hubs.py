"""The hub that this process is: alone in memory, or one of several on a PostgreSQL database.

What several need is loaded where there is such a database and a key. Called by `service`; here never lives what a hub
does (`hub`, `shared_hub`).
"""

from governance.registry.targets import TargetStore
from governance.storage.database import Database
from runtime.sites.hub import Hub


def hub_of(database: Database, targets: TargetStore, key_file: str) -> Hub:
    """`key_file`: empty where this process is none."""
    if not key_file or database.kind != "postgresql":
        return Hub(targets, key_file)
    from runtime.sites.shared_hub import shared_hub_at

    return shared_hub_at(database.address, targets, key_file)
