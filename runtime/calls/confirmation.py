"""Which workflows ask before they change anything, and for how long a plan can be confirmed: the settings, as a value.

Classes of risk ask, callers may be exempt: a pipeline that has no person to ask says yes by being named here. Here
never lives how one is asked (`confirming` over MCP, the REST API, `switchgear call`). DESIGN.md, "Plan, then apply".
"""

from dataclasses import dataclass
from datetime import timedelta

from governance.errors import InvalidError
from governance.settings import Settings

CLASSES = ("change", "disrupt", "destroy")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """`classes` ask, unless one of the callers `exempt` calls."""

    classes: frozenset[str] = frozenset({"disrupt", "destroy"})
    exempt: frozenset[str] = frozenset()
    lasts: timedelta = timedelta(minutes=15)

    @classmethod
    def of(cls, settings: Settings) -> "Confirmation":
        """Raises InvalidError for a class that there is not."""
        classes = _listed(settings.confirm) - {"none"}
        unknown = sorted(classes - set(CLASSES))
        if unknown:
            known = f"take some of {', '.join(CLASSES)}, or none"
            raise InvalidError(f"SWITCHGEAR_CONFIRM names {unknown[0]!r}, which is no class that can ask", known)
        return cls(classes, _listed(settings.confirm_exempt), timedelta(minutes=settings.plan_minutes))

    def is_needed(self, risk: str, caller: str) -> bool:
        return risk in self.classes and caller not in self.exempt


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
