"""A model that is asked now, through Instructor, whatever server it runs on.

Instructor drives: it makes the schema, validates the answer, and asks again with the fault named. What it calls is the
`complete` of a server's adapter (`servers`), which sends the schema as what the answer is constrained to, temperature 0
and a seed. Instructor wraps everything that goes wrong below it into its own errors, which are translated here, once.
All waiting is inside one total deadline.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import instructor
from instructor.core.exceptions import InstructorError
from ollama import ResponseError
from openai import APIConnectionError, APIStatusError, NotFoundError, OpenAIError
from pydantic import ValidationError

from compiler.ir.model import Diagnostic, Severity
from compiler.proposer.prompts import form_of, messages
from compiler.proposer.question import Question
from compiler.proposer.servers import ModelServer, OllamaServer, OpenAiServer
from compiler.proposer.wording import clean

RETRIES = 1  # a closed answer that is off its schema twice will be so a third time
GIVE_UP_AFTER = 3  # questions in a row without a usable answer: the model can't do it
_WHY_LENGTH = 160
_SLOW = (
    "compile again with the same --lock to go on where it stopped; --model-deadline gives it longer. What is worth "
    "most is asked first: fewer answers, or a smaller model, may do"
)
_WENT_ON = "the compile went on without its answers; --proposer none asks for none"

# It tells its own story on stderr unless somebody listens; ours is the one diagnostic.
logging.getLogger("instructor").addHandler(logging.NullHandler())


class LiveModel:
    """Asks one question after the other, closed ones twice, until the deadline is over or the server fails.

    `deadline_s`: for all questions together. `clock`: monotonic seconds. Must not be used from
    inside a running event loop.
    """

    def __init__(
        self, kind: str, model: str, url: str, deadline_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = model
        self.told: list[Diagnostic] = []
        self.is_over = False
        self._kind, self._url = kind, url
        self._deadline_s, self._clock = deadline_s, clock
        self._spent_s = 0.0
        self._failures = 0
        self._identity: str | None = None
        self._runner = asyncio.Runner()
        self._server: ModelServer | None = None

    def identity(self) -> str:
        """`MODEL@DIGEST`, or the name alone where the server tells no digest or can't be asked."""
        if self._identity is None and not self.is_over:
            found = self._within(self._opened().digest())
            if found is None:
                return self.name
            self._identity = f"{self.name}@{found}" if found else self.name
        return self._identity or self.name

    def answer(self, question: Question) -> tuple[str, str] | None:
        """What it says to the question in both orders; None where it can't be had, which is told."""
        began = self._clock()
        self.identity()  # a model that is not there is told before a question is sent
        said = None if self.is_over else self._within(self._both(question))
        self._spent_s += self._clock() - began
        if said is not None:
            self._failures = 0
        return said

    def left_s(self) -> float:
        """Of the deadline: what is done between questions does not count."""
        return self._deadline_s - self._spent_s

    def spent_s(self) -> float:
        return self._spent_s

    def close(self) -> None:
        if self._server is not None:
            self._runner.run(self._server.close())
        self._runner.close()

    def _opened(self) -> ModelServer:
        if self._server is None:
            make = OllamaServer if self._kind == "ollama" else OpenAiServer
            self._server = make(self.name, self._url)
        return self._server

    def _within(self, work: Any) -> Any:
        """What comes of `work` before the deadline; None where nothing does, which is told and ends it all at need."""
        try:
            return self._runner.run(self._bounded(work))
        except TimeoutError:
            trouble = _Trouble("proposer-timeout", f"was not done within {self._deadline_s:g} s", True, _SLOW)
        except (InstructorError, ResponseError, OpenAIError, ConnectionError) as error:
            trouble = _trouble(error, self._kind, self.name, self._url)
        self._fail(trouble)
        return None

    async def _bounded(self, work: Any) -> Any:
        async with asyncio.timeout(max(0.0, self.left_s())):
            return await work

    async def _both(self, question: Question) -> tuple[str, str]:
        said = await self._once(question, turned=False)
        return said, await self._once(question, turned=True) if question.options else said

    async def _once(self, question: Question, *, turned: bool) -> str:
        create: Any = instructor.patch(create=self._opened().complete, mode=instructor.Mode.JSON_SCHEMA)
        asking = instructor.AsyncInstructor(client=None, create=create, mode=instructor.Mode.JSON_SCHEMA)
        offered = question.options[::-1] if turned else question.options
        wanted: Any = messages(question, turned=turned)
        told: Any = await asking.create(form_of(offered), wanted, max_retries=RETRIES)
        return str(told.answer)

    def _fail(self, trouble: "_Trouble") -> None:
        self._failures += 1
        self.is_over = trouble.is_final or self._failures == GIVE_UP_AFTER
        if trouble.is_final or self._failures == 1:  # the same again is no news
            self.told.append(trouble.diagnostic(self._opened().title, f"{self._kind}:{clean(self.name, 80)}"))


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What went wrong with one question; `is_final` when there is no use in sending the next."""

    code: str
    what: str
    is_final: bool
    remedy: str = _WENT_ON

    def diagnostic(self, server: str, model: str) -> Diagnostic:
        return Diagnostic(self.code, Severity.WARNING, model, f"{server} {self.what}", self.remedy)


def _trouble(error: Exception, kind: str, model: str, url: str) -> _Trouble:
    """Whose fault it is, by what Instructor wrapped."""
    cause = error.__cause__ if isinstance(error, InstructorError) else error
    if isinstance(cause, (ConnectionError, APIConnectionError)):
        what = f"is not there at {clean(url, 200)}; went on without a model"
        return _Trouble("proposer-absent", what, True, "start it (`ollama serve`), or compile with --proposer none")
    if (isinstance(cause, ResponseError) and cause.status_code == 404) or isinstance(cause, NotFoundError):
        pull = f"get it with `ollama pull {clean(model, 80)}`"
        remedy = pull if kind == "ollama" else f"name one that {clean(url, 200)}/models lists"
        return _Trouble("proposer-model", "does not have this model", True, remedy)
    if isinstance(cause, (ResponseError, APIStatusError)):
        told = cause.error if isinstance(cause, ResponseError) else cause.message
        status = f" {cause.status_code}" if cause.status_code > 0 else ""
        return _Trouble("proposer-failed", f"answered{status}: {clean(str(told), _WHY_LENGTH)}", True)
    if isinstance(cause, (ValidationError, ValueError)) or cause is None:
        return _Trouble("proposer-answer", "gave no usable answer to a question", is_final=False)
    return _Trouble("proposer-failed", f"broke off: {type(cause).__name__}", is_final=True)
