"""The catalog as an agent sees it: its tools with what they cost in tokens, and what a search answers it.

Whoever may look at tokens can look with the eyes of any of them; who sees everything, with those of an agent that there
is not yet: a role, limited to an API and classes. The search is the one that agents use.
"""

from starlette.responses import Response

from runtime.console.desk import Desk

# Of those that are searched: whoever looks for one of thousands searches.
MOST_TOOLS = 330


async def show(desk: Desk) -> Response:
    asked = {name: desk.asked(name) for name in ("as", "role", "api", "q")}
    risks = desk.request.query_params.getlist("risk")
    catalog = await desk.api.get("/catalog", {**asked, "risk": ",".join(risks), "limit": MOST_TOOLS})
    tokens = await desk.api.get("/tokens") if desk.may("GET", "/tokens") else []
    names = sorted({each["name"] for each in tokens if not each["revoked_at"] and each["role"] != "viewer"})
    apis = (await desk.api.get("/workflows/counts", {"state": "approved"}))["api"]
    return desk.page("catalog.html", catalog=catalog, asked=asked, risks=risks, names=names, apis=apis)
