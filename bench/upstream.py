"""A device that costs nothing: the same small list for every GET, a session for every login. For `bench/call.py`.

`python -m bench.upstream PORT`. Not a twin: what stands before the device is measured, so the device is constant.
"""

import sys

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ITEMS = orjson.dumps([{"uuid": f"0000-{n}", "name": f"vm-{n}", "state": "RUNNING", "mem": 1 << 30} for n in range(10)])


async def answer(request: Request) -> Response:
    reply = Response(ITEMS if request.method == "GET" else b"{}", media_type="application/json")
    if request.url.path.endswith("/login"):
        reply.set_cookie("sessionID", "bench")
    return reply


def main() -> None:
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
