"""`switchgear mock`: understands the description, makes the twin or starts Prism, serves until it is told to stop.

Standard error says where the mock is; nothing goes to standard output. The twin itself is `compiler.twin`.
"""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

import click

from compiler import shipped
from compiler.frontend import load_api
from compiler.ir.model import Api
from compiler.pipeline import CompileRequest, find_profile, understand
from compiler.profile_fit import refuse_another
from compiler.twin import prism, server
from compiler.twin.behaviours.library import LIBRARY
from compiler.twin.behaviours.tables import named
from compiler.twin.machine import Twin
from workflow.profiles.profile import Profile

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _list_behaviours(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    """One line a behaviour on standard output; nothing is served."""
    if is_asked:
        width = max(len(behaviour.name) for behaviour in LIBRARY)
        for behaviour in LIBRARY:
            click.echo(f"{behaviour.name:<{width}}  {behaviour.text}")
        context.exit(0)


@click.command("mock", epilog=shipped.help_text())
@click.argument("spec", type=shipped.SPEC)
@click.option("--profile", type=shipped.VENDOR_PROFILE, help="The vendor profile; default: profile.yaml beside SPEC.")
@click.option("--root", type=_FOLDER, help="References are followed below this folder; default: SPEC's folder.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, help="The port; default: a free one, said on standard error.")
@click.option("--prism", "is_prism", is_flag=True, help="Start Prism (needs Node) instead of the stateful twin.")
@click.option("--behaviour", "behaviours", multiple=True, metavar="NAME", help="Behave so; repeatable.")
@click.option(
    "--behaviours",
    "is_list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_behaviours,
    help="List them.",
)
@click.option("--json", "as_json", is_flag=True, help="Say where the mock is as JSON.")
def mock_command(
    spec: Path,
    profile: Path | None,
    root: Path | None,
    host: str,
    port: int,
    is_prism: bool,
    behaviours: tuple[str, ...],
    as_json: bool,
) -> int:
    """Serve a mock of the OpenAPI document SPEC: a stateful twin, or Prism."""
    played = named(LIBRARY, behaviours)
    if played and is_prism:
        raise click.UsageError("Prism behaves as it does: leave out --prism or --behaviour")
    api, vendor = understood(spec, profile, root)
    if is_prism:
        serve_prism(spec, api, vendor, host, port, as_json=as_json)
        return 0
    twin = Twin(api, vendor, now=time.monotonic)
    twin.behave(*played)
    serve_twin(twin, host, port, as_json=as_json)
    return 0


def understood(spec: Path, profile: Path | None, root: Path | None) -> tuple[Api, Profile]:
    """The API with effects, resources, jobs and links, and its profile: the named one, the one beside it, or none."""
    request = CompileRequest(spec, profile, None, root)
    vendor = find_profile(request)
    api = load_api(spec, root=root, profile=vendor).api
    refuse_another(api, vendor, request)
    known = understand(api, vendor)
    return known.api, known.profile or Profile(api=api.name)


def serve_twin(twin: Twin, host: str, port: int, *, as_json: bool = False) -> None:
    """Serves the twin until SIGINT or SIGTERM. Raises AddressError."""
    bound = server.listen(host, port)
    server.announce("twin", server.url_of(bound, twin.base_path), as_json=as_json)
    asyncio.run(server.serve(twin, bound))


def serve_prism(spec: Path, api: Api, profile: Profile, host: str, port: int, *, as_json: bool = False) -> None:
    """Serves Prism until SIGINT or SIGTERM. Raises PrismError."""
    base_path = (profile.base_path or api.base_path).rstrip("/")
    command = prism.find_prism(os.environ, Path.cwd())
    is_over = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        is_over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with prism.running(command, spec, base_path, host, port) as url:
        server.announce("prism", url, as_json=as_json)
        while not is_over.wait(1.0):  # an endless wait would not let the signal through everywhere
            pass
