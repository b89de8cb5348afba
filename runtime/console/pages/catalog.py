"""The catalog as an agent sees it: its tools with what they cost in tokens, and what only search finds.

Whoever may look at tokens can look with the eyes of any of them. The search is the one that agents use.
"""

from starlette.responses import Response

from runtime.console.desk import Desk


async def show(desk: Desk) -> Response:
    seen_by, q = desk.asked("as"), desk.asked("q")
    catalog = await desk.api.get("/catalog", {"as": seen_by})
    found = await desk.api.get("/workflows", {"q": q, "limit": 20}) if q else None
    tokens = await desk.api.get("/tokens") if desk.may("GET", "/tokens") else []
    names = sorted({each["name"] for each in tokens if not each["revoked_at"] and each["role"] != "viewer"})
    return desk.page("catalog.html", catalog=catalog, found=found, q=q, seen_by=seen_by, names=names)
