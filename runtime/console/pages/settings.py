"""What this server was started with, and where each value comes from; secrets have no value here.

They are changed where the server is started; this page only looks. `.env.example` explains each.
Here never lives a setting.
"""

from starlette.responses import Response

from runtime.console.desk import Desk


async def show(desk: Desk) -> Response:
    return desk.page("settings.html", rows=await desk.api.get("/settings"))
