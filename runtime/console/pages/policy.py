"""The policy in force, and another one tried on what is pending before it is applied: what it would have approved.

Whoever applies one names the one that they have seen, so that of two who change it one is told. docs/POLICY.md.
"""

from typing import Any

import yaml
from starlette.responses import Response

from runtime.console.desk import Desk, see
from runtime.console.inside import ApiRefusal

Json = Any
MOST = 64 * 1024


async def show(desk: Desk) -> Response:
    return await _shown(desk)


async def act(desk: Desk) -> Response:
    """Previews what was written, or puts it in force."""
    text = desk.form.get("policy")
    wanted = _read(text)
    if desk.form.get("action") == "apply":
        headers = {"if-match": desk.form.get("seen")}
        await desk.api.ask("PUT", "/policy", body=wanted, headers=headers)
        return see("/console/policy")
    preview = (await desk.api.ask("POST", "/policy/preview", body=wanted)).json
    return await _shown(desk, text, preview)


async def _shown(desk: Desk, text: str = "", preview: Json = None) -> Response:
    answer = await desk.api.page("/policy")
    told = answer.json
    written = text or yaml.safe_dump(told["policy"], sort_keys=False, allow_unicode=True)
    return desk.page("policy.html", told=told, written=written, preview=preview, seen=answer.headers.get("etag", ""))


def _read(text: str) -> Json:
    """YAML into JSON. Raises ApiRefusal."""
    try:
        value = yaml.safe_load(text[:MOST])
    except yaml.YAMLError as error:
        raise ApiRefusal(422, "bad input", f"The policy is not YAML: {error}", "see docs/POLICY.md") from error
    return {} if value is None else value
