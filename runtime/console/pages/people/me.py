"""Who the visitor is to this server: name, role, what they are limited to, until when; and a password of their own.

Whoever changes it gives the old one, and logs in again with the new one: all their sessions end. Passwords stand on no
page. Here never lives what makes one right.
"""

from starlette.responses import Response

from runtime.console.desk import LOGIN, Desk, see
from runtime.console.inside import ApiRefusal


async def show(desk: Desk) -> Response:
    return desk.page("me.html", told=await desk.api.get("/session"))


async def change(desk: Desk) -> Response:
    """Raises ApiRefusal where the new one was not written twice alike, or the old one is another."""
    form = desk.form
    if form.get("new") != form.get("again"):
        raise ApiRefusal(422, "bad input", "The new password was not written twice alike.", "write it again")
    try:
        await desk.api.ask("POST", "/password", body={"old": form.get("old"), "new": form.get("new")})
    except ApiRefusal as refusal:
        if refusal.status != 401:
            raise
        raise ApiRefusal(422, "bad input", "The old password is another one.", "write it again") from refusal
    return see(LOGIN)
