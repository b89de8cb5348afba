"""What each table is: sealed by the audit, derived from what is sealed, or harmless; and why. A test wants all of it.

Sealed: a row counts only as the audit says, whoever wrote it; `faults` finds the rows that do not. Derived: it says
nothing of its own and is checked where it is read. `open`: columns from which nothing follows that gives or does
something, each with the reason. A table or a column that is not declared here fails a test, so that nobody adds one
without saying whose word counts. What may follow from taking rows away stands in docs/THREATS.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from sqlalchemy import Connection

from governance.integrity import rows, run_rows
from governance.integrity.rows import Check

Kind = Literal["sealed", "derived", "harmless"]


@dataclass(frozen=True, slots=True)
class Declared:
    kind: Kind
    why: str
    faults: Check
    open: Mapping[str, str] = field(default_factory=dict)


def _elsewhere(_: Connection) -> Iterator[str]:
    """Found with the table that it belongs to, or by the chain itself."""
    return iter(())


PEOPLE = "when it was stored, for people"
TABLES: Mapping[str, Declared] = MappingProxyType(
    {
        "audit": Declared("sealed", "a chain of hashes: `audit verify`", _elsewhere),
        "audit_head": Declared("sealed", "the end of the chain: `audit verify`", rows.head),
        "alembic_version": Declared("derived", "another level than this version's opens nothing", _elsewhere),
        "catalog_change": Declared(
            "derived",
            "triggers count; a run asks the revision itself, whatever this says",
            rows.counter,
            {"version": "another number has the catalog loaded once more"},
        ),
        "apis": Declared("sealed", "the last `api.stored`", rows.apis, {"updated_at": PEOPLE}),
        "profiles": Declared("derived", "by its digest, which revisions name", rows.profiles),
        "responses": Declared("sealed", "the last `responses.stored` that names it", rows.replies),
        "knowledge": Declared("sealed", "the last `knowledge.stored` of its API", rows.known_operations),
        "revisions": Declared("sealed", "a seal, in the row and in its last audit row", rows.revision_rows),
        "disabled_workflows": Declared("sealed", "the audit's last word on the workflow", rows.disabled),
        "policies": Declared("sealed", "each with its `policy.applied`", rows.policies),
        "runs": Declared(
            "sealed",
            "how it was begun, ended and resolved, asked before it is carried on or answered for again",
            run_rows.runs,
            {
                "executor": "another one is fenced off, and the run is taken up or closed as one whose process died",
            },
        ),
        "run_effects": Declared("sealed", "who has an effect is what the audit last said of it", run_rows.effects),
        "run_steps": Declared(
            "sealed", "each is an audit row about its run", _elsewhere, {"at": "the audit row has its own"}
        ),
        "run_journals": Declared("sealed", "its hash stands in the end of its run", _elsewhere),
        "plans": Declared("sealed", "a seal in the last audit row that changed it", rows.plan_rows),
        "principals": Declared("sealed", "a seal in its last audit row", rows.tokens),
        "users": Declared("sealed", "a seal in its last audit row", rows.users),
        "sessions": Declared(
            "sealed",
            "a seal in its last audit row",
            rows.logins,
            {"used_at": "it ends earlier, or as late as `ends_at`, which is sealed"},
        ),
        "webhooks": Declared("sealed", "the whole row in its last audit row", rows.senders),
        "webhook_uses": Declared("sealed", "an audit row for each message that was used", rows.uses),
        "targets": Declared(
            "sealed",
            "the whole row in its last audit row that changed it",
            rows.targets,
            {"created_at": PEOPLE, "is_default": "to be one is sealed; to be none any more leads a call nowhere"},
        ),
        "bundle_keys": Declared("sealed", "the whole row in its last audit row", rows.bundle_keys),
        "bundle_threshold": Declared("sealed", "the whole row in its last audit row", rows.threshold),
        "bundles": Declared("sealed", "the whole row in its `bundle.imported`", rows.bundles),
        "schedules": Declared(
            "sealed",
            "a seal in its last audit row that changed it",
            rows.schedule_rows,
            {"last": "what came of the last firing; a call that waited is carried out as the audit of that call says"},
        ),
        "event_endpoints": Declared("sealed", "the whole row in its last audit row", rows.endpoint_rows),
        "event_deliveries": Declared(
            "sealed",
            "a seal in its `event.queued`, until `event.delivered`",
            rows.messages,
            {
                "tries": "how often it was tried: it is given up earlier or later",
                "next_at": "when it is tried: the same message goes to the same place under the same id",
                "error": "for people",
                "error_at": "for people",
            },
        ),
        "sites": Declared(
            "derived",
            "what a site says of itself, closed by the hub's key; what runs was approved, and the site has it so",
            _elsewhere,
            {
                "process": "another one has the site ask anew",
                "number": "a message more or less is taken for an old one",
                "poll": "the site asks anew",
                "polls": "a question that was signed a minute ago may count once more",
                "seen_at": "a site counts as there, or away: a call waits, or is not sent",
            },
        ),
        "site_dispatches": Declared(
            "derived",
            "what a run here asks of a site, closed by the hub's key, as are its end and the answer",
            _elsewhere,
            {
                "made_at": "which is handed over first",
                "sender": "who waits looks by the id",
                "kept_until": "it is handed over later, or not at all",
                "is_due": "it is handed over again, under the id by which the site knows it",
                "handed_at": "likewise; or a call is told as not sent that was (docs/THREATS.md)",
                "process": "it is handed over again",
                "ended_at": "its end is told again",
                "is_left": "a read that nobody waits for is forgotten",
            },
        ),
    }
)
"""By table."""
