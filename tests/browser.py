"""The distribution's Chromium, driven from outside, and somebody at a page of it whose day is counted. Playwright.

What a day takes a person is told by the keystroke-level model (Card, Moran and Newell 1980): its seconds do not depend
on the machine. Pictures are kept in a folder of their own, which is named at the end of the run (a plugin of pytest,
loaded by conftest.py). Nothing is judged here.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE_MS = 30_000
PICTURES = Path(os.environ.get("CONSOLE_PICTURES") or Path(tempfile.gettempdir(), "switchgear-console-pictures"))
BEGUN = time.time()


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as play:
        opened = await play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            yield opened
        finally:
            await opened.close()


class Person:
    """Somebody at a page of their own; what the browser complains of is an error.

    Each look at a page, click and typed sign is counted. A page is read in `READ_S`: its heading, the sentence that
    says what it does, and what is to be pressed; one that is decided on, in `STUDY_S`.
    """

    POINT_S, PRESS_S, TYPE_S, THINK_S, READ_S, STUDY_S = 1.1, 0.2, 0.28, 1.35, 6.0, 15.0

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.looks, self.studies, self.clicks, self.typed = 0, 0, 0, 0
        self.steps: dict[str, float] = {}
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("framenavigated", lambda _: self._looked())

    def _looked(self) -> None:
        self.looks += 1

    @property
    def takes_s(self) -> float:
        moves = self.clicks * (self.THINK_S + self.POINT_S + self.PRESS_S)
        read = self.looks * self.READ_S + self.studies * (self.STUDY_S - self.READ_S)
        return moves + self.typed * self.TYPE_S + read

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A part of the day, and what it takes."""
        before = self.takes_s
        yield
        self.steps[name] = self.takes_s - before

    def told(self) -> str:
        """The day, step by step."""
        lines = [f"{took:6.1f} s  {name}" for name, took in self.steps.items()]
        whole = f"{self.takes_s:6.1f} s  {self.looks} pages, {self.clicks} clicks, {self.typed} signs"
        return "\n".join([*lines, whole])

    async def to(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def press(self, selector: str) -> None:
        self.clicks += 1
        await self.page.click(selector)

    async def tick(self, selector: str) -> None:
        self.clicks += 1
        await self.page.check(selector)

    async def choose(self, selector: str, value: str) -> None:
        """One of a list: it is opened, and one is pressed."""
        self.clicks += 2
        await self.page.select_option(selector, value)

    async def write(self, selector: str, text: str) -> None:
        self.clicks, self.typed = self.clicks + 1, self.typed + len(text)
        await self.page.fill(selector, text)

    async def paste(self, selector: str, text: str) -> None:
        """What is copied from a terminal: the way there and back, two keys there and two here."""
        self.clicks, self.typed = self.clicks + 2, self.typed + 4
        await self.page.fill(selector, text)

    async def study(self, words: str) -> None:
        """Reads what decides. It is there."""
        self.studies += 1
        await self.page.wait_for_selector(f"text={words}")

    async def log_in(self, name: str, password: str) -> None:
        await self.to("/console/queue")
        await self.write("#name", name)
        await self.write("#password", password)
        await self.press("text=Log in >> nth=-1")
        await self.page.wait_for_selector("text=What waits for a decision")

    async def picture(self, name: str) -> None:
        await self.page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    made = [each for each in PICTURES.glob("*.png") if each.stat().st_mtime >= BEGUN] if PICTURES.is_dir() else []
    if made:
        terminalreporter.section("pictures of the console")
        terminalreporter.write_line(f"{len(made)} in {PICTURES}")
