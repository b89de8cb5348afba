"""The proposer that asks a local model: Ollama through Instructor.

Instructor drives: it makes the schema, validates the answer, and asks again with the fault named. What it calls is
`_Chat.complete`, which speaks Ollama's own `/api/chat` (its `/v1` ignores the size of the context) with the schema as
`format`, temperature 0 and a seed, and hands back as much of an OpenAI completion as Instructor reads.
Instructor wraps everything that goes wrong below it into its own errors, which are translated here, once.
Nothing here follows redirects or reads proxies from the environment; all waiting is inside one total deadline.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import instructor
from instructor.core.exceptions import InstructorError
from ollama import AsyncClient, ResponseError
from pydantic import BaseModel, ValidationError

from compiler.errors import ProposerError
from compiler.ir.model import Diagnostic, Severity
from compiler.proposer.prompts import Batch, answer_form, batches, proposals
from compiler.proposer.proposal import Proposal, Question, Reply
from compiler.proposer.proposer import DEFAULT_NUM_CTX, DEFAULT_SEED, DEFAULT_TIMEOUT_S, DEFAULT_URL
from compiler.proposer.wording import clean

RETRIES = 2  # Instructor sends one request more than this for a batch
GIVE_UP_AFTER = 2  # batches in a row without a usable answer: the model can't do it
MAX_ANSWER = 256 * 1024  # characters; thirty descriptions are under 20,000
CONNECT_S = 5.0
_WHY_LENGTH = 160

# It tells its own story on stderr unless somebody listens; ours is the one diagnostic.
logging.getLogger("instructor").addHandler(logging.NullHandler())


class OllamaProposer:
    """Asks in batches, one after the other, until all is asked, the deadline is over, or the server fails.

    `timeout_s`: for all questions of this proposer together. `clock`: monotonic seconds.
    """

    def __init__(
        self,
        model: str,
        url: str = DEFAULT_URL,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        num_ctx: int = DEFAULT_NUM_CTX,
        seed: int = DEFAULT_SEED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ProposerError for a model without a name and an address that is no HTTP URL."""
        self._settings = _checked(_Settings(model, url, num_ctx, seed))
        self._timeout_s = timeout_s
        self._clock = clock
        self._ends_at: float | None = None
        self._is_over = False

    def propose(self, question: Question) -> Reply:
        """Must not be called from inside a running event loop."""
        if self._is_over or not question.items:
            return Reply()
        if self._ends_at is None:
            self._ends_at = self._clock() + self._timeout_s
        return asyncio.run(self._ask_all(question, self._ends_at))

    async def _ask_all(self, question: Question, ends_at: float) -> Reply:
        found: list[Proposal] = []
        told: list[Diagnostic] = []
        failures = 0
        async with _client(self._settings.url) as client:
            chat = _Chat(client, self._settings)
            for batch in batches(question):
                answer = await self._ask(chat, batch, ends_at - self._clock())
                if isinstance(answer, BaseModel):
                    failures = 0
                    found += proposals(batch, answer, chat.name)
                    continue
                failures += 1
                told.append(answer.diagnostic(self._settings.model))
                if answer.is_final or failures == GIVE_UP_AFTER:
                    self._is_over = True
                    break
        return Reply(tuple(found), tuple(told))

    async def _ask(self, chat: "_Chat", batch: Batch, left_s: float) -> "BaseModel | _Trouble":
        form = answer_form(batch.kind, len(batch.keys))
        messages: Any = [{"role": "system", "content": batch.system}, {"role": "user", "content": batch.user}]
        create: Any = instructor.patch(create=chat.complete, mode=instructor.Mode.JSON_SCHEMA)
        asking = instructor.AsyncInstructor(client=None, create=create, mode=instructor.Mode.JSON_SCHEMA)
        try:
            async with asyncio.timeout(left_s):
                answer: BaseModel = await asking.create(form, messages, max_retries=RETRIES)
        except TimeoutError:
            return _Trouble("proposer-timeout", f"did not answer within {self._timeout_s:g} s", is_final=True)
        except InstructorError as error:
            return _trouble(error, self._settings)
        return answer


@dataclass(frozen=True, slots=True)
class _Settings:
    model: str
    url: str
    num_ctx: int
    seed: int

    @property
    def options(self) -> Mapping[str, Any]:
        # Half of the context for the answer at most: a model that never ends is cut there.
        limits = {"num_ctx": self.num_ctx, "num_predict": self.num_ctx // 2}
        return {"temperature": 0, "seed": self.seed, **limits}


def _checked(settings: _Settings) -> _Settings:
    try:
        parts = urlsplit(settings.url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ProposerError(f"{settings.url!r} is no address of Ollama", remedy=f"give one like {DEFAULT_URL}")
    if not settings.model:
        raise ProposerError("the model has no name", remedy="give it as --proposer ollama:MODEL")
    return settings


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What went wrong with one batch; `is_final` when there is no use in sending the next."""

    code: str
    what: str
    is_final: bool
    remedy: str = "the compile went on without its proposals; --proposer none asks for none"

    def diagnostic(self, model: str) -> Diagnostic:
        return Diagnostic(self.code, Severity.WARNING, f"ollama:{clean(model, 80)}", f"Ollama {self.what}", self.remedy)


def _trouble(error: InstructorError, settings: _Settings) -> _Trouble:
    """Whose fault it is, by what Instructor wrapped."""
    cause = error.__cause__
    if isinstance(cause, (ValidationError, ValueError)) or cause is None:
        return _Trouble("proposer-answer", "gave no usable answer to one batch of questions", is_final=False)
    if isinstance(cause, ConnectionError):
        what = f"is not there at {clean(settings.url, 200)}; went on without a model"
        return _Trouble("proposer-absent", what, True, "start it with `ollama serve`, or compile with --proposer none")
    if isinstance(cause, ResponseError) and cause.status_code == 404:
        return _Trouble("proposer-model", "does not have this model", True, "get it with `ollama pull`")
    if isinstance(cause, ResponseError):
        why = clean(str(cause.error), _WHY_LENGTH)
        status = f" {cause.status_code}" if cause.status_code > 0 else ""
        return _Trouble("proposer-failed", f"answered{status}: {why}", True)
    return _Trouble("proposer-failed", f"broke off: {type(cause).__name__}", is_final=True)


def _client(url: str) -> AsyncClient:
    """Short to connect, then without a limit of its own: the total deadline is the caller's."""
    return AsyncClient(host=url, follow_redirects=False, trust_env=False, timeout=(CONNECT_S, None, None, CONNECT_S))


@dataclass(frozen=True, slots=True)
class _Message:
    content: str
    role: str = "assistant"


@dataclass(frozen=True, slots=True)
class _Choice:
    message: _Message
    finish_reason: str


@dataclass(frozen=True, slots=True)
class _Completion:
    """The part of an OpenAI chat completion that Instructor's handler of JSON schemas looks at."""

    choices: tuple[_Choice, ...]


class _Chat:
    """Ollama's native chat, shaped like an OpenAI client's `create`. `name`: the model, with its digest once known."""

    def __init__(self, client: AsyncClient, settings: _Settings) -> None:
        self._client = client
        self._settings = settings
        self._digest: str | None = None

    @property
    def name(self) -> str:
        return f"{self._settings.model}@{self._digest}" if self._digest else self._settings.model

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], response_format: Mapping[str, Any], **_unused: Any
    ) -> _Completion:
        """One completion. Everything is let through as it is raised: Instructor wraps it."""
        if self._digest is None:
            self._digest = await self._find_model()
        stream = await self._client.chat(
            model=self._settings.model,
            messages=messages,
            format=response_format["json_schema"]["schema"],
            options=self._settings.options,
            think=False,
            stream=True,
        )
        return await _gather(stream)

    async def _find_model(self) -> str:
        """The digest of the model, "" where the server tells none. Raises ResponseError when it lacks the model."""
        listed = await self._client.list()
        wanted = self._settings.model
        names = (wanted, f"{wanted}:latest")
        found = next((one for one in listed.models if one.model in names), None)
        if found is None:
            raise ResponseError("no such model", 404)
        return clean(found.digest or "", 80)


async def _gather(stream: Any) -> _Completion:
    """The stream's parts joined; a model that goes on and on is cut off, as one that ran out of room."""
    text, reason = "", "stop"
    async with aclosing(stream) as parts:
        async for part in parts:
            text += part.message.content or ""
            reason = part.done_reason or reason
            if len(text) > MAX_ANSWER:
                reason = "length"
                break
    return _Completion((_Choice(_Message(text), reason),))
