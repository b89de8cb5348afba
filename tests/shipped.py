"""The shipped APIs and the vendors' own, compiled with the shipped profiles: once a run, for whoever looks at them.

What is tested is the same wherever it is compiled; whoever tests compiling itself compiles. Nothing here is a fixture.
"""

from functools import cache
from pathlib import Path

from compiler.compiled import Compiled
from compiler.pipeline import CompileRequest
from compiler.verification import compile_spec
from tests.needs import VENDOR_FOLDER
from tests.once import made_once

ROOT = Path(__file__).resolve().parents[1]
APIS = ("hypercore", "idrac")
DESCRIPTIONS = {"hypercore": "hypercore/openapi.json", "idrac": "idrac/openapi.yaml"}


@cache
def shipped(api: str) -> Compiled:
    return made_once(f"shipped-{api}", lambda: compile_spec(CompileRequest(ROOT / "specs" / api / "openapi.yaml"))[0])


@cache
def vendors_own(api: str) -> Compiled:
    request = CompileRequest(VENDOR_FOLDER / "specs" / DESCRIPTIONS[api], ROOT / "specs" / api / "profile.yaml")
    return made_once(f"vendors-{api}", lambda: compile_spec(request)[0])
