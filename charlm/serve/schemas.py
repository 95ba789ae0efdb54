"""What clients send: pydantic models, which also become the OpenAPI description."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    WithJsonSchema,
)

DEFAULT_TOKENS = 16  # of a text, as with OpenAI
MAX_CHOICES = 128  # texts to be written for one request
MAX_TOP = 20  # most probable tokens told of in each place
MAX_STOPS, MAX_STOP = 16, 200  # strings; characters of one
MAX_ASKED = 80_000  # characters, where an answer cannot be broken off; escaped, 12 bytes each
MAX_TEXT = 20_000  # characters that a network reads for the page
MAX_SHOWN = 1000  # tokens at the end of a text whose units are shown
UNSUPPORTED = "Not supported: leave it out."
MAX_SEED = 2**63 - 1
MAX_ID = 2**31 - 1


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text has half a character in it (a lone surrogate)") from None
    return text


def _number(value: Any) -> Any:
    if isinstance(value, str | bool):
        raise ValueError("a number is wanted")
    return value


Int = Annotated[int, BeforeValidator(_number)]
Float = Annotated[float, BeforeValidator(_number)]
Bool = StrictBool
Text = Annotated[str, AfterValidator(_unicode)]


def _alike(value: Any) -> Any:
    """Look through a list quickly: what is wrong with it is said once, not for every entry."""
    if isinstance(value, list):
        for kinds in ({str}, {int, float}, {list}):
            if all(type(one) in kinds for one in value):
                break
        else:
            raise ValueError("a list of texts, of token ids, or of lists of token ids is wanted")
        for ids in value if value and type(value[0]) is list else [value]:
            if not ids or type(ids[0]) is str:
                continue
            if not all(map(_whole, ids)) or min(ids) < 0 or max(ids) > MAX_ID:
                raise ValueError("token ids are whole numbers from 0")
    return value


def _whole(value: Any) -> bool:
    """Whether a value is a whole number; to JSON Schema, 3.0 is one."""
    return type(value) is int or (type(value) is float and value.is_integer())


def _texts(value: Any) -> Any:
    if isinstance(value, list) and not all(type(one) is str for one in value):
        raise ValueError("a list of texts is wanted")
    return value


Sentence = Annotated[Text, WithJsonSchema({"type": "string", "pattern": r"^[^\n]*$"})]
Sentences = Annotated[Sentence | list[Sentence], BeforeValidator(_texts)]
Id = Annotated[Int, Field(ge=0, le=MAX_ID)]
Ids = Annotated[list[Id], Field(min_length=0)]
Context = Annotated[
    Literal["sentence", "stream"], Field(description="stream: each follows those before it.")
]
Name = Annotated[str | None, Field(description="Default: the first model that is served.")]


Stop = Annotated[Text, Field(max_length=MAX_STOP)]
Stops = Annotated[list[Stop], Field(max_length=MAX_STOPS)]


class Asked(BaseModel):
    """What every request may have."""

    model_config = ConfigDict(allow_inf_nan=False)

    model: Name = None


class StreamOptions(BaseModel):
    """What a stream has besides."""

    include_usage: Bool = False


class CompletionRequest(Asked):
    """As of OpenAI's completions; the last few fields are charlm's own."""

    prompt: Annotated[
        Text
        | Annotated[list[Text], Field(min_length=1)]
        | Annotated[Ids, Field(min_length=1)]
        | Annotated[list[Ids], Field(min_length=1)],
        BeforeValidator(_alike),
    ] = Field("", description="A text or a list of token ids, or a list of these.")
    suffix: Text | None = Field(
        None, description="What follows the text, for bidirectional models: max_tokens blanks."
    )
    max_tokens: Int | None = Field(
        DEFAULT_TOKENS, ge=0, description="Of each text; an <EOS> is one."
    )
    temperature: Float | None = Field(1.0, ge=0, le=100)
    top_p: Float | None = Field(1.0, gt=0, le=1)
    n: Int | None = Field(1, ge=1, le=MAX_CHOICES)
    stream: Bool | None = False
    stream_options: StreamOptions | None = None
    logprobs: Int | None = Field(None, ge=0, le=MAX_TOP)
    echo: Bool | None = False
    stop: Annotated[Stop | Stops | None, BeforeValidator(_texts)] = None
    seed: Int | None = Field(None, ge=0, le=MAX_SEED)
    best_of: Int | None = Field(None, ge=1, le=1, description=UNSUPPORTED)
    presence_penalty: Float | None = Field(0.0, ge=0, le=0, description=UNSUPPORTED)
    frequency_penalty: Float | None = Field(0.0, ge=0, le=0, description=UNSUPPORTED)
    logit_bias: dict[str, Float] | None = Field(None, max_length=0, description=UNSUPPORTED)
    user: str | None = None
    top_k: Int | None = Field(0, ge=0, le=MAX_ID, description="0: no limit.")
    min_p: Float | None = Field(0.0, ge=0, le=1)
    typical: Float | None = Field(1.0, gt=0, le=1)
    ignore_eos: Bool | None = Field(False, description="Go on after the end of a sentence.")
    allow_unk: Bool | None = Field(False, description="Allow <UNK> to be written.")

    @property
    def length(self) -> int:
        """Most tokens of each text."""
        return DEFAULT_TOKENS if self.max_tokens is None else self.max_tokens


class TokenizeRequest(Asked):
    """A text to be split into tokens."""

    prompt: Text
    add_special_tokens: Bool = Field(False, description="Without effect: there are none.")
    return_token_strs: Bool = False


class DetokenizeRequest(Asked):
    """Tokens to be put together."""

    tokens: Annotated[Ids, BeforeValidator(_alike)]


class ScoreRequest(Asked):
    """Sentences to be scored."""

    sentences: Sentences
    eos: Bool = Field(True, description="Count the <EOS> that closes a sentence.")
    context: Context = "sentence"
    tokens: Bool = False
    words: Bool = False


class WordsRequest(Asked):
    """Sentences whose words are wanted, a row for each."""

    sentences: Sentences
    eos: Bool = True
    context: Context = "sentence"


class NextRequest(Asked):
    """A text whose next token is wanted."""

    prompt: Text = Field("", max_length=MAX_ASKED)
    top_k: Int = Field(15, ge=1, le=1000)


class FillRequest(Asked):
    """A line with blanks (_)."""

    text: Text = Field(max_length=1000, pattern="_")
    top_k: Int = Field(5, ge=1, le=100)
    left_only: Bool = False


class InsideRequest(Asked):
    """A text that a network reads."""

    text: Text = Field(max_length=MAX_TEXT)
    place: str = Field("0:h", description="A layer, from 0, and h, c or a gate.")


class UnitRequest(Asked):
    """A text that a network reads, and one of its units."""

    text: Text = Field(max_length=MAX_TEXT)
    unit: str = Field(description="layer:unit:what, such as 0:37:c.")


class InfluenceRequest(Asked):
    """A text, and a token in it: its number from 0, that of the closing <EOS> included."""

    text: Text = Field(max_length=MAX_TEXT)
    token: Int = Field(ge=0, le=MAX_ID)


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorAnswer(BaseModel):
    """The answer to a request that cannot be fulfilled."""

    error: ErrorDetail


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": what}
    for status, what in {
        400: "The request makes no sense.",
        401: "The API key is missing or wrong.",
        403: "The server is not asked by its own name.",
        404: "There is no such model, or nothing of that name or number in it.",
        408: "It took too long.",
        413: "The request is too large.",
        422: "The request makes no sense.",
        429: "Too much is under way.",
        500: "The server's fault.",
    }.items()
}
"""Of every route, for the OpenAPI description."""
