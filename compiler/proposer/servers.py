"""Servers of models: Ollama by its own interface, and whatever speaks OpenAI's (llama.cpp, vLLM, LM Studio).

Each has one `complete`, shaped as Instructor calls it, which sends the schema of the answer as what it is constrained
to. Ollama's own `/api/chat` honours the size of the context, which its `/v1` ignores. Nothing here follows redirects or
reads proxies from the environment. Everything is let through as it is raised: `live` translates.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from ollama import AsyncClient, ResponseError
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from compiler.proposer.wording import clean

MAX_ANSWER = 16 * 1024  # characters; a sentence with its braces is under 300
CONNECT_S = 30.0  # a model keeps the machine that it is on busy
_NUM_CTX = 2048  # one question with two examples is under 500 tokens
_NUM_PREDICT = 128  # a model that never ends is cut there
_SEED = 7


class ModelServer(Protocol):
    """`title`: what people call it."""

    title: str

    async def digest(self) -> str: ...
    async def complete(
        self, messages: Sequence[Mapping[str, Any]], response_format: Mapping[str, Any], **_unused: Any
    ) -> Any: ...
    async def close(self) -> None: ...


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


class OllamaServer:
    title = "Ollama"

    def __init__(self, model: str, url: str) -> None:
        """Short to connect, then without a limit of its own: the total deadline is the caller's."""
        self._model = model
        limits = (CONNECT_S, None, None, CONNECT_S)
        self._client = AsyncClient(host=url, follow_redirects=False, trust_env=False, timeout=limits)

    async def digest(self) -> str:
        """The digest of the model, "" where the server tells none. Raises ResponseError when it lacks the model."""
        listed = await self._client.list()
        names = (self._model, f"{self._model}:latest")
        found = next((one for one in listed.models if one.model in names), None)
        if found is None:
            raise ResponseError("no such model", 404)
        return clean(found.digest or "", 80)

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], response_format: Mapping[str, Any], **_unused: Any
    ) -> _Completion:
        options = {"temperature": 0, "seed": _SEED, "num_ctx": _NUM_CTX, "num_predict": _NUM_PREDICT}
        stream = await self._client.chat(
            model=self._model,
            messages=messages,
            format=response_format["json_schema"]["schema"],
            options=options,
            think=False,
            stream=True,
        )
        return await _gather(stream)

    async def close(self) -> None:
        await self._client._client.aclose()


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


class OpenAiServer:
    title = "The model's server"

    def __init__(self, model: str, url: str) -> None:
        """Local servers ask for no key, and the client insists on one."""
        self._model = model
        http = DefaultAsyncHttpxClient(follow_redirects=False, trust_env=False)
        self._client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=None, http_client=http)

    async def digest(self) -> str:
        """These servers tell no digest: "". Raises NotFoundError where a server tells that it lacks the model."""
        return ""

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], response_format: Mapping[str, Any], **_unused: Any
    ) -> Any:
        given: Any = messages
        wanted: Any = response_format
        return await self._client.chat.completions.create(
            model=self._model,
            messages=given,
            response_format=wanted,
            temperature=0,
            seed=_SEED,
            max_tokens=_NUM_PREDICT,
        )

    async def close(self) -> None:
        await self._client.close()
