"""Other users of this machine, and a Python and a folder that they can reach; only root can be somebody else."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import ROOT_USER, SHARED_PYTHON

NOBODY = 65534
NAMELESS = 54321  # in no list of users


def as_user(user: int) -> list[str]:
    """What a command begins with to run as `user`. Skips the test where that is not permitted."""
    ROOT_USER.or_skip()
    # By its place: what is started may have a PATH of its own, and the program is looked for there.
    return [shutil.which("setpriv") or "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def real_python() -> str:
    """The Python behind this virtual environment: no link and no launcher."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def python_for(user: int) -> str:
    """A Python 3.11 or newer that `user` may run. Skips the test where there is none."""
    for program in (real_python(), "/usr/bin/python3.11", "/usr/bin/python3"):
        test = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
        try:
            # By a shell, as set-up does it: what `setpriv` starts itself is found with the rights that it had before.
            command = [*as_user(user), "/bin/sh", "-c", 'exec "$@"', "sh", program, "-I", "-c", test]
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return program
    return SHARED_PYTHON.skip()


def give(folder: Path, user: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can go into, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="switchgear-fresh-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
