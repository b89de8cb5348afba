"""The values of the console's pages of many targets, of sites, bundles and settings: whatever somebody says.

Called by `console_pages`. Nothing is judged here.
"""

from collections.abc import Callable
from typing import Any

from runtime.console.desk import Cut, Filters

Json = Any
Say = Callable[[], str]


def pages_of_many(say: Say, plan: Json, run_of_it: Json, row: Json) -> dict[str, dict[str, Json]]:
    """Pages of many targets, of sites and of bundles."""
    brought = {name: say() for name in ("name", "version", "imported_by", "imported_at")}
    brought |= {"apis": [say()], "signed_by": [{"id": say(), "name": say()}]}
    verdict = {name: say() for name in ("name", "version", "created_at", "expires_at", "digest")}
    verdict |= {"apis": [say()], "signed_by": [{"id": say(), "name": say()}], "known": True}
    verdict |= dict.fromkeys(("added", "kept", "retired", "pending"), 1)
    site = {"name": say(), "labels": {say(): say()}, "is_well": False, "why": say(), "heard_of_s": 1.0}
    site |= {"version": say(), "catalog": say(), "workflows": [say()], "running": 1, "under_way": 2}
    found = {
        "sites": [{"site": say(), "workflow": say(), "device": say(), "because": [say(), say()]}],
        "left_out": [{"site": say(), "why": say()}],
    }
    result = {name: say() for name in ("where", "outcome", "told", "remedy", "run_id", "ref")}
    waits = {**result, "outcome": "waiting", "plan_id": say()}
    asked = Filters({name: say() for name in ("workflow", "sites", "labels", "target_labels", "prefer", "label")})
    return {
        "bundles.html": {"cut": Cut([brought], 1, 2, 100), "apis": {say(): 1}, "verdict": verdict, "action": "import"},
        "sites.html": {
            "cut": Cut([site], 2, 3, 200),
            "asked": asked,
            "labels": [say()],
            "is_in": {},
            "invited": {"name": say(), "invitation": say(), "until": say()},
            "base": say(),
            "well": 1,
            "all": 2,
        },
        "me.html": {
            "told": {"name": say(), "role": say(), "scope": {say(): say()}, "via": "session", "ends_at": say()}
        },
        "settings.html": {
            "rows": [{"name": say(), "value": say(), "source": say(), "is_secret": False, "meaning": say()}]
        },
        "site.html": {"told": site, "shown": [row], "runs": [run_of_it], "total": 2, "names": [say()]},
        "fleet.html": {"asked": asked, "found": found, "names": [say()], "total": 1},
        "fleet.html without a choice": {"asked": Filters(), "found": None, "names": [], "total": 0},
        "selection.html": {
            "workflow": say(),
            "results": [{**result, "plan": {**plan, "plan_id": say()}}, {**result, "plan": None}, waits],
            "total": 4,
            "good": 1,
            "how": {"parallel": 4, "stop_on_failure": True},
            "can_apply": True,
            "given": say(),
            "left_out": [{"site": say(), "why": say()}],
        },
    }
