"""A package index on loopback (PEP 503) that offers a locked version of five small packages and a newer one of each.

The five stand for those that broke a set-up once, with an extra that asks again for what is pinned already. Nothing of
this machine counts: no settings, no cache, no proxy. Used by the tests of this folder.
"""

import base64
import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LOCKED, NEWER = "2.1", "2.9"
# Each package with what it requires: an extra of another, and versions that the newer one meets as well.
REQUIRES = {
    "frame": ["model[post]>=2", "gate>=2"],
    "model": ["core>=2", 'post>=2 ; extra == "post"'],
    "gate": ["core>=2"],
    "core": [],
    "post": [],
}
EXACTLY = dict.fromkeys(REQUIRES, LOCKED)


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """An empty package, as the binary distribution format asks (wheel 1.0)."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    requires = "".join(f"Requires-Dist: {line}\n" for line in REQUIRES[name])
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        f"Provides-Extra: post\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(map(recorded, files, files.values())) + f"{info}/RECORD,,\n")
    return wheel


def recorded(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text.encode())}\n"


class Index:
    """Serves `folder`; remembers the paths that it was asked for; `held` is a package that nobody gets for now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, ""
        self.asked: list[str] = []
        self.held = ""
        self.asked_for_held, self.release = threading.Event(), threading.Event()
        for name in REQUIRES:
            place = folder / "simple" / name
            place.mkdir(parents=True)
            wheels = [make_wheel(place, name, version) for version in (LOCKED, NEWER)]
            (place / "index.html").write_text("".join(f'<a href="{wheel.name}">{wheel.name}</a>\n' for wheel in wheels))

    @property
    def lock(self) -> str:
        """A lock of the older versions, as requirements.lock is written."""
        return "".join(map(self._pin, REQUIRES))

    def wheel(self, name: str) -> Path:
        return self.folder / "simple" / name / f"{name}-{LOCKED}-py3-none-any.whl"

    def _pin(self, name: str) -> str:
        return f"{name}=={LOCKED} \\\n    --hash=sha256:{hashlib.sha256(self.wheel(name).read_bytes()).hexdigest()}\n"

    def environment(self, installer: str = "pip", **more: str) -> dict[str, str]:
        """The variables of a machine that knows this index alone."""
        return {
            "PATH": os.environ["PATH"],
            "SETUP_INSTALLER": installer,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.url,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
            "UV_NO_CONFIG": "1",
            "UV_DEFAULT_INDEX": self.url,
            "UV_NO_CACHE": "1",
            **more,
        }


@contextmanager
def served(folder: Path) -> Iterator[Index]:
    index = Index(folder)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(folder))

        def do_GET(self) -> None:
            index.asked.append(self.path)
            if index.held and self.path.endswith(".whl") and f"/{index.held}/" in self.path:
                index.asked_for_held.set()
                index.release.wait(60)
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever asked was killed meanwhile
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        index.url = f"http://127.0.0.1:{server.server_port}/simple"
        yield index
        index.release.set()
        server.shutdown()
        thread.join()


def installed(python: Path) -> dict[str, str]:
    """Which of the five packages are in the environment of `python`, with their versions."""
    folder = next(python.parents[1].glob("lib/python3*/site-packages"))
    pairs = (path.name.removesuffix(".dist-info").split("-") for path in folder.glob("*.dist-info"))
    return {name: version for name, version in pairs if name in REQUIRES}
