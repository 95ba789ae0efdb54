"""`/v1/completions` says what `charlm score` and `charlm sample` say, in OpenAI's dialect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server import Client

from charlm.display.readable import valid_unicode
from charlm.serve.completions import offsets

LEVELS = ("char", "word", "byte", "subword")
PROMPTS = {
    "char": "the apple Ω and",
    "word": "the apple zebra and",
    "byte": "naïve 猫",
    "subword": "the cats 猫 sat",
}
level = pytest.mark.parametrize("level", LEVELS)


def echoed(client: Client, prompt: Any, model: str, **more: Any) -> dict[str, Any]:
    """`logprobs` of a prompt and one token more."""
    settings = {"max_tokens": 1, "temperature": 0, "logprobs": 1, "echo": True, **more}
    (choice,) = client.complete(prompt, model=model, **settings)
    found: dict[str, Any] = choice["logprobs"]
    return found


@level
def test_a_prompt_is_scored(client: Client, level: str) -> None:
    """As lm-evaluation-harness asks: its first token is null, and one token is written."""
    text = PROMPTS[level]
    served = client.models[level]
    ids = served.to_client(served.tokenizer.encode(text))
    found = echoed(client, ids, level)
    lengths = {len(found[name]) for name in ("tokens", "token_logprobs", "top_logprobs")}
    assert lengths == {len(ids) + 1} == {len(found["text_offset"])}
    assert found["token_logprobs"][0] is None
    assert found["top_logprobs"][0] is None
    first = served.model.score(text, tokens=True, eos=False).token_scores
    assert first is not None
    expected = [token.logprob for token in first]
    np.testing.assert_allclose(found["token_logprobs"][1:-1], expected[1:], atol=1e-5)
    ranks = [token.rank for token in first]
    rest = list(zip(ranks[1:], found["tokens"][1:], found["token_logprobs"][1:], strict=False))
    for (rank, token, nats), top in zip(rest, found["top_logprobs"][1:], strict=False):
        assert top[token] == nats  # the very same number
        assert (max(top.values()) == nats) == (rank == 1)


@level
def test_text_and_ids_are_scored_alike(client: Client, level: str) -> None:
    served = client.models[level]
    ids = served.to_client(served.tokenizer.encode(PROMPTS[level]))
    by_text, by_ids = echoed(client, PROMPTS[level], level), echoed(client, ids, level)
    assert by_text["token_logprobs"] == by_ids["token_logprobs"]
    assert by_text["tokens"] == by_ids["tokens"]


@level
def test_a_prompt_that_begins_a_sentence(client: Client, level: str) -> None:
    """After <EOS> the first word is scored, too: as a whole sentence without its end."""
    text, served = PROMPTS[level], client.models[level]
    info = client.get(f"/tokenizer_info?model={level}")
    ids = [info["eos_token_id"], *served.to_client(served.tokenizer.encode(text))]
    found = echoed(client, ids, level)
    assert len(found["tokens"]) == len(ids) + 1
    total = sum(found["token_logprobs"][1:-1])
    assert total == pytest.approx(served.model.score(text, eos=False).logprob, abs=1e-4)
    again = echoed(client, f"\n{text}", level)
    assert again["token_logprobs"] == found["token_logprobs"]


def test_one_token_more_even_after_the_end(client: Client) -> None:
    found = echoed(client, "the cats\n", "char")
    assert len(found["tokens"]) == len("the cats\n") + 1
    (none,) = client.complete("the cats", max_tokens=0, echo=True, logprobs=0, model="char")
    assert len(none["logprobs"]["tokens"]) == len("the cats")
    assert none["text"] == "the cats"
    assert none["finish_reason"] == "length"


def test_batches_do_not_matter(client: Client) -> None:
    prompts = ["the apple", "a", "", "the cats, which already ate fish", "the\npear"] * 3
    settings = {"max_tokens": 1, "temperature": 0, "logprobs": 3, "echo": True, "model": "char"}
    together = client.complete(prompts, **settings)
    assert [choice["index"] for choice in together] == list(range(len(prompts)))
    for prompt, choice in zip(prompts, together, strict=True):
        (alone,) = client.complete(prompt, **settings)
        assert alone["text"] == choice["text"]
        ours, theirs = (one["logprobs"]["token_logprobs"] for one in (alone, choice))
        begin = min(1, len(prompt))
        np.testing.assert_allclose(ours[begin:], theirs[begin:], atol=1e-5)


@level
@pytest.mark.parametrize("settings", [{}, {"temperature": 0.7, "top_p": 0.8}, {"top_k": 3}])
def test_texts_are_those_of_sample(client: Client, level: str, settings: dict[str, Any]) -> None:
    model = client.models[level].model
    prompt = "the cats"
    choices = client.complete(
        prompt, model=level, seed=5, n=3, max_tokens=25, logprobs=0, **settings
    )
    samples = model.sample(prompt=prompt, seed=5, num_samples=3, max_tokens=25, **settings)
    for choice, sample in zip(choices, samples, strict=True):
        assert choice["text"] == valid_unicode(sample.text)
        assert choice["finish_reason"] == ("stop" if sample.ended == "lines" else "length")
        nats = choice["logprobs"]["token_logprobs"]
        assert len(nats) == sample.tokens
        assert sum(nats) == pytest.approx(sample.logprob, abs=1e-3)


@level
def test_a_stream_is_the_same_in_pieces(client: Client, level: str) -> None:
    settings = {"model": level, "seed": 3, "n": 2, "max_tokens": 30, "echo": True, "logprobs": 1}
    whole = client.post("/v1/completions", prompt="the cats", **settings)
    texts, reasons, tokens = ["", ""], ["", ""], [0, 0]
    usage = None
    for event in client.events(
        prompt="the cats", stream_options={"include_usage": True}, **settings
    ):
        usage = event.get("usage", usage)
        for choice in event["choices"]:
            k = choice["index"]
            assert not reasons[k]
            texts[k] += choice["text"]
            reasons[k] = choice["finish_reason"]
            tokens[k] += len(choice["logprobs"]["tokens"])
    for k, choice in enumerate(whole["choices"]):
        assert texts[k] == choice["text"]
        assert reasons[k] == choice["finish_reason"]
        assert tokens[k] == len(choice["logprobs"]["tokens"])
    assert usage == whole["usage"]


@given(stop=st.lists(st.text("the apx ", min_size=1, max_size=3), min_size=1, max_size=3))
@settings(max_examples=20)
def test_stop_strings(client: Client, stop: list[str]) -> None:
    asked = {"prompt": "the", "model": "char", "seed": 1, "max_tokens": 60}
    free = client.complete(**asked)[0]["text"]
    (choice,) = client.complete(**asked, stop=stop)
    places = [place for one in stop if (place := free.find(one)) >= 0]
    assert choice["text"] == (free[: min(places)] if places else free)
    if places:
        assert choice["finish_reason"] == "stop"
    pieces = [event["choices"][0]["text"] for event in client.events(**asked, stop=stop)]
    assert "".join(pieces) == choice["text"]


def test_several_lines(client: Client) -> None:
    settings = {"model": "char", "seed": 2, "max_tokens": 200}
    (one,) = client.complete("the", **settings)
    (more,) = client.complete("the", ignore_eos=True, **settings)
    assert "\n" not in one["text"]
    assert more["text"].startswith(f"{one['text']}\n")
    assert more["finish_reason"] == "length"


def test_unknown_words_are_not_written(client: Client) -> None:
    choices = client.complete("the", model="word", n=20, seed=1, max_tokens=20)
    assert not any("<UNK>" in choice["text"] for choice in choices)
    choices = client.complete("the", model="word", n=20, seed=1, max_tokens=20, allow_unk=True)
    assert any("<UNK>" in choice["text"] for choice in choices)


def test_a_long_context(client: Client) -> None:
    prompt = "the apple and pear salad\n" * 2000
    (choice,) = client.complete(prompt, model="char", max_tokens=2, seed=1)
    expected = client.models["char"].model.sample(prompt=prompt, max_tokens=2, seed=1)
    assert choice["text"] == expected[0].text


def test_blanks_are_filled_by_suffix(client: Client) -> None:
    (choice,) = client.complete("the", suffix="and pear salad", model="both", max_tokens=1)
    best = client.models["both"].model.fill("the _ and pear salad", top_k=1)[0]
    assert choice["text"] == best.tokens[0]
    asked = {"suffix": "and pear salad", "model": "both", "max_tokens": 1}
    (event,) = client.events(prompt="the", **asked)
    assert event["choices"] == [choice]
    assert event["usage"]["completion_tokens"] == 1
    status, error = client.fails("/v1/completions", {"prompt": "the", "model": "both"})
    assert (status, error["param"]) == (400, "suffix")
    asked = {"prompt": "the", "suffix": "x", "model": "char"}
    assert client.fails("/v1/completions", asked)[1]["param"] == "suffix"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": 3.5}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[1], "a"]}, "prompt"),
        ({"prompt": [99999]}, "prompt"),
        ({"prompt": [-1]}, "prompt"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"logprobs": 99}, "logprobs"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"best_of": 3}, "best_of"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"stop": ["x"] * 99}, "stop"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, body: dict[str, Any], param: str) -> None:
    status, error = client.fails("/v1/completions", body)
    assert (status, error["param"]) == (400, param)
    assert error["type"] == "invalid_request_error"


def test_too_many_texts_are_refused(client: Client) -> None:
    status, error = client.fails("/v1/completions", {"n": 128, "prompt": ["a", "b"]})
    assert (status, error["type"], error["param"]) == (429, "rate_limit_error", "n")


def test_what_others_send_is_taken(client: Client) -> None:
    asked = {"best_of": 1, "presence_penalty": 0, "logit_bias": {}, "user": "me", "unheard_of": 1}
    assert client.complete("the", max_tokens=1, **asked)
    nothing = dict.fromkeys(("max_tokens", "n", "stop", "seed", "logprobs", "temperature", "top_p"))
    assert client.complete("the", **nothing)


def test_half_a_character_can_be_echoed(client: Client) -> None:
    (choice,) = client.complete([226, 130], model="byte", max_tokens=0, echo=True, logprobs=1)
    assert choice["text"] == "\ufffd\ufffd"
    assert choice["logprobs"]["text_offset"] == [0, 0]


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("the cat", ["the", "cat"], [0, 4]),
        ("a  cat\n", ["a", "cat", "\n"], [0, 3, 6]),
        ("the cats", ["▁the", "▁cat", "s"], [0, 3, 7]),
        ("é", ["0xC3", "0xA9"], [0, 0]),
        ("", [], []),
    ],
)
def test_offsets(text: str, names: list[str], expected: list[int]) -> None:
    assert offsets(text, names) == expected
