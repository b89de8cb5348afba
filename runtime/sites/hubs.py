"""The hub that this process is: alone in memory, or one of several on a PostgreSQL database. Called by `service`."""

from governance.registry.targets import TargetStore
from governance.storage.database import Database
from runtime.sites.hub import Hub


def hub_of(database: Database, targets: TargetStore, key_file: str) -> Hub:
    """`key_file`: empty where this process is none."""
    if not key_file or database.kind != "postgresql":
        return Hub(targets, key_file)
    from governance.storage.shared import SharedRows
    from runtime.sites.shared_hub import SharedHub

    return SharedHub(targets, key_file, SharedRows(database.address))
