"""`POST /v1/completions`, in OpenAI's dialect.

Of a request with `echo`, `logprobs` has an entry for each token of the prompt and each that was
written, an <EOS> included; the first of the prompt has none before it, so its value is null. A
prompt that begins with an <EOS> begins where every sentence does.

Log-probabilities are those of the model itself, whatever the temperature; `top_logprobs` always has
the token itself, too. −∞ is sent as LOWEST.
"""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..display.readable import valid_unicode
from ..lm import Ids
from ..tasks.prompt import encode_prompt
from ..tasks.sampling_filters import Filters
from ..text.word_tokenizer import WordTokenizer
from .api_errors import ApiError, busy, failed, late
from .choice_text import ChoiceText
from .engine import BusyError, Drawing, Request, Token
from .schemas import CompletionRequest
from .served import Served

LOWEST = -9999.0  # instead of −∞, which JSON does not have
RANDOM_SEEDS = 1 << 32
LARGE = 5000  # entries: their JSON is made in a thread of its own
LINE = 1000  # tokens at the end of a prompt that a text is put together with
T = TypeVar("T")


@dataclass
class Prompt:
    """A prompt as text and as tokens."""

    text: str
    ids: Ids
    names: list[str]  # of the tokens, as they stand in the text
    spaced: bool = False  # it ends in a space that belongs to the next token


def read_prompts(served: Served, given: Any) -> list[Prompt]:
    """The prompts of a request: a text, a list of ids, or a list of either."""
    if isinstance(given, str):
        return [_of_text(served, given)]
    if given and isinstance(given[0], int):
        return [_of_ids(served, given)]
    if not given:
        raise ApiError(400, "`prompt` is an empty list", param="prompt")
    return [
        _of_text(served, one) if isinstance(one, str) else _of_ids(served, one) for one in given
    ]


def _of_text(served: Served, text: str) -> Prompt:
    tokenizer = served.tokenizer
    ids, spaced = encode_prompt(tokenizer, text)
    if isinstance(tokenizer, WordTokenizer):
        names = tokenizer.written(text)
    else:
        names = list(text) if tokenizer.level == "char" else list(map(served.name_of, ids.tolist()))
    return Prompt(text, ids.astype(np.int64), names, spaced)


def _of_ids(served: Served, given: list[int]) -> Prompt:
    ids = served.from_client(given)
    text = valid_unicode(served.tokenizer.decode(ids))
    return Prompt(text, ids, list(map(served.name_of, ids.tolist())))


def offsets(text: str, names: list[str]) -> list[int]:
    """Where tokens begin in a text, of which `names` are the tokens as they are written there.

    One that is not found, such as a byte of a character, begins where the last one ended.
    """
    found, at = [], 0
    for name in names:
        shown = name.replace("▁", " ")
        place = text.find(shown, at)
        if place < 0 or place > at + 1:
            shown, place = shown.removeprefix(" "), text.find(shown.removeprefix(" "), at)
        if place < 0 or place > at + 64:
            found.append(min(at, len(text)))
            continue
        found.append(place)
        at = place + len(shown)
    return found


def _end_of(served: Served, ids: Ids) -> Ids:
    """What the text after a prompt is spaced by: the end of its last line."""
    ids = ids[-LINE:]
    ends = np.flatnonzero(ids == served.tokenizer.eos)
    return ids[int(ends[-1]) + 1 :] if len(ends) else ids


class Mailbox:
    """News from the engine's thread, for a coroutine."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._told = False

    def tell(self) -> None:
        """There is news. Called in any thread."""
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        """Wait until there is some."""
        await self._event.wait()
        self._event.clear()
        self._told = False


class Entry(NamedTuple):
    """Of `logprobs`: a token, and where it begins in the text."""

    token: Token
    place: int


@dataclass
class Choice:
    """One text of a completion."""

    index: int
    text: ChoiceText
    echoed: str  # the prompt, if it is to be repeated
    entries: list[Entry] = field(default_factory=list)  # of what was written
    reason: str | None = None
    sent: int = 0  # entries
    begun: bool = False  # the first piece has been sent
    told: bool = False  # and the last


class Listening:
    """Collects what comes of one prompt; obeys `engine.Listener`."""

    def __init__(
        self, served: Served, prompt: Prompt, asked: CompletionRequest, first: int, mail: Mailbox
    ) -> None:
        """first: the index of its first choice."""
        self.prompt, self.mail = prompt, mail
        self.error: Exception | None = None
        self.keep = asked.logprobs is not None
        self.prompt_entries: list[Entry] = []
        self._eos, self._ignore_eos = served.tokenizer.eos, bool(asked.ignore_eos)
        stops = [asked.stop] if isinstance(asked.stop, str) else asked.stop or []
        end = _end_of(served, prompt.ids)
        self.choices = [
            Choice(
                first + k,
                ChoiceText(served.tokenizer, end, stops, spaced=prompt.spaced),
                prompt.text if asked.echo else "",
            )
            for k in range(asked.n or 1)
        ]
        self.begins_sentence = len(prompt.ids) > 0 and int(prompt.ids[0]) == self._eos
        self._skipped = self.begins_sentence or not len(prompt.ids)
        self._places: list[int] = []
        if self.keep and asked.echo and len(prompt.ids):
            self._places = offsets(prompt.text, prompt.names)
            self.prompt_entries.append(Entry(Token(int(prompt.ids[0]), None), 0))

    def on_prompt(self, tokens: list[Token]) -> None:
        if not self._skipped:  # what comes first has nothing before it
            tokens, self._skipped = tokens[1:], True
        for k, token in enumerate(tokens, len(self.prompt_entries)):
            self.prompt_entries.append(Entry(token, self._places[k]))

    def on_token(self, choice: int, token: Token) -> bool:
        one = self.choices[choice]
        if self.keep:
            one.entries.append(Entry(token, len(one.echoed) + len(one.text.text)))
        goes_on = one.text.add(token.id)
        self.mail.tell()
        return goes_on

    def on_end(self, choice: int, reason: str) -> None:
        one = self.choices[choice]
        ended = bool(one.text.ids) and one.text.ids[-1] == self._eos and not self._ignore_eos
        one.text.close(ended=ended)
        one.reason = reason
        self.mail.tell()

    def on_error(self, error: Exception) -> None:
        self.error = error
        self.mail.tell()

    @property
    def done(self) -> bool:
        return self.error is not None or all(one.reason for one in self.choices)


class Completion:
    """A request under way."""

    def __init__(self, served: Served, prompts: Sequence[Prompt], asked: CompletionRequest) -> None:
        """Hand the prompts to the engine. Raises ApiError if it takes no more."""
        assert served.engine is not None
        self.served, self.asked, self.mail = served, asked, Mailbox()
        self.id, self.created = f"cmpl-{secrets.token_hex(12)}", int(time.time())
        choices = asked.n or 1
        self.parts = [
            Listening(served, prompt, asked, choices * k, self.mail)
            for k, prompt in enumerate(prompts)
        ]
        seed = secrets.randbelow(RANDOM_SEEDS) if asked.seed is None else asked.seed
        filters = Filters(
            _or(asked.temperature, 1.0),
            asked.top_k or 0,
            _or(asked.top_p, 1.0),
            asked.min_p or 0.0,
            _or(asked.typical, 1.0),
        )
        self.requests = [
            Request(
                part.prompt.ids[int(part.begins_sentence) :],
                choices,
                asked.length,
                Drawing(filters, bool(asked.allow_unk), part.prompt.spaced),
                seed,
                part,
                scored=bool(asked.echo) and part.keep,
                top=asked.logprobs or 0,
                ignore_eos=bool(asked.ignore_eos),
            )
            for part in self.parts
        ]
        try:
            served.engine.submit(*self.requests)
        except BusyError:
            raise busy() from None

    async def whole(self, seconds: float) -> bytes:
        """The answer as JSON, when all is written. Raises ApiError if that takes too long."""
        try:
            async with asyncio.timeout(seconds):
                while not all(part.done for part in self.parts):
                    await self.mail.wait()
            self._raise_errors()
            return await asyncio.to_thread(self._whole) if self._is_large() else self._whole()
        except TimeoutError:
            raise late(seconds) from None
        finally:
            self.cancel()

    async def stream(self, seconds: float) -> AsyncGenerator[str, None]:
        """The answer as server-sent events, a piece at a time; an error is the last of them."""
        end = time.monotonic() + seconds
        try:
            while True:
                done = all(part.done for part in self.parts)
                self._raise_errors()
                for part in self.parts:
                    for one in part.choices:
                        if (piece := self._piece(part, one)) is not None:
                            yield _event(self._answer([piece]))
                if done:
                    break
                await asyncio.wait_for(self.mail.wait(), max(0.0, end - time.monotonic()))
            if self.asked.stream_options and self.asked.stream_options.include_usage:
                yield _event({**self._answer([]), "usage": self.usage()})
        except ApiError as failure:
            yield _event(failure.body)
        except TimeoutError:
            yield _event(late(seconds).body)
        except Exception as error:  # a model that fails: the client is told that much
            yield _event(failed(error).body)
        finally:
            self.cancel()
        yield "data: [DONE]\n\n"

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        for request in self.requests:
            request.cancelled = True

    def _raise_errors(self) -> None:
        for part in self.parts:
            if part.error is not None:
                raise failed(part.error)

    def _whole(self) -> bytes:
        choices = [self._choice(part, one) for part in self.parts for one in part.choices]
        return json.dumps({**self._answer(choices), "usage": self.usage()}).encode()

    def _choice(self, part: Listening, one: Choice) -> dict[str, Any]:
        return {
            "text": one.echoed + one.text.text,
            "index": one.index,
            "logprobs": self._logprobs([*part.prompt_entries, *one.entries]) if part.keep else None,
            "finish_reason": one.reason,
        }

    def _piece(self, part: Listening, one: Choice) -> dict[str, Any] | None:
        """What is new of a choice; None if nothing is."""
        reason, entries = one.reason, one.entries[one.sent :]
        if one.told or not (one.begun or entries or one.text.ids or reason):
            return None  # at its end, or the prompt is still being read
        text = one.text.take()
        if one.begun and not (text or entries or reason):
            return None
        one.sent += len(entries)
        if not one.begun:
            entries = [*part.prompt_entries, *entries]
            text, one.begun = one.echoed + text, True
        one.told = reason is not None
        return {
            "text": text,
            "index": one.index,
            "logprobs": self._logprobs(entries) if part.keep else None,
            "finish_reason": reason,
        }

    def _answer(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.served.name,
            "choices": choices,
        }

    def _logprobs(self, entries: list[Entry]) -> dict[str, Any]:
        name = self.served.name_of
        return {
            "tokens": [name(token.id) for token, _ in entries],
            "token_logprobs": [
                None if token.nats is None else _finite(token.nats) for token, _ in entries
            ],
            "top_logprobs": [
                None
                if token.nats is None
                else {
                    **{name(id): _finite(nats) for id, nats in token.top},
                    name(token.id): _finite(token.nats),
                }
                for token, _ in entries
            ],
            "text_offset": [place for _, place in entries],
        }

    def usage(self) -> dict[str, int]:
        """How many tokens were read and written."""
        prompt = sum(len(part.prompt.ids) for part in self.parts)
        written = sum(len(one.text.ids) for part in self.parts for one in part.choices)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
        }

    def _is_large(self) -> bool:
        read = sum(len(part.prompt_entries) * len(part.choices) for part in self.parts)
        written = sum(len(one.entries) for part in self.parts for one in part.choices)
        return read + written > LARGE


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


def _finite(nats: float) -> float:
    return nats if math.isfinite(nats) else LOWEST


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
