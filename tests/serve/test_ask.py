"""What can be asked besides completions is what the Python functions answer."""

from __future__ import annotations

import pytest
from server import Client

LEVELS = ("char", "word", "byte", "subword")


def test_models(client: Client) -> None:
    found = client.get("/v1/models")
    assert found["object"] == "list"
    assert [one["id"] for one in found["data"]] == [*LEVELS, "both"]
    assert client.get("/v1/models/word")["id"] == "word"
    assert [one["causal"] for one in found["data"]] == [True] * 4 + [False]
    assert client.fails("/v1/models/none")[0] == 404
    status, error = client.fails("/v1/completions", {"model": "none"})
    assert (status, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert "choose char" in error["message"]


@pytest.mark.parametrize("level", LEVELS)
def test_tokens(client: Client, level: str) -> None:
    info = client.get(f"/tokenizer_info?model={level}")
    assert info["level"] == level
    eos = client.post("/tokenize", prompt=info["eos_token"], model=level)
    assert eos["tokens"] == [info["eos_token_id"]]
    assert info["eos_token_id"] != 0  # clients take 0 for none
    assert info["eos_token_id"] < info["vocab_size"]
    text = "the cats ate\nthe apple"
    found = client.post("/tokenize", prompt=text, model=level, return_token_strs=True)
    assert found["count"] == len(found["tokens"]) == len(found["token_strs"])
    assert 0 not in found["tokens"]
    if client.models[level].tokenizer.unk not in found["tokens"]:
        assert client.post("/detokenize", tokens=found["tokens"], model=level)["prompt"] == text
    tokenizer = client.models[level].tokenizer
    if tokenizer.unk is not None and level != "subword":
        odd = client.post("/tokenize", prompt="Ω", model=level)["tokens"]
        assert odd == [tokenizer.unk] == [info["unk_token_id"]]
    status, error = client.fails("/detokenize", {"tokens": [info["vocab_size"]], "model": level})
    assert (status, error["code"], error["param"]) == (400, "invalid_token_id", "tokens")


def test_a_path_can_name_the_model(client: Client) -> None:
    assert client.get("/models/word/tokenizer_info")["level"] == "word"
    (choice,) = client.post("/models/word/v1/completions", prompt="the", max_tokens=0, echo=True)[
        "choices"
    ]
    assert choice["text"] == "the"
    for path in ("tokenizer_info", "v1/models", "healthz"):
        assert client.fails(f"/models/none/{path}")[0] == 404


def test_scores(client: Client) -> None:
    model = client.models["char"].model
    found = client.post("/v1/score", sentences=["the cats", ""], tokens=True, words=True)
    expected = model.score(["the cats", ""], tokens=True, words=True)
    logprobs = [one.logprob for one in expected]
    assert [one["logprob"] for one in found["scores"]] == pytest.approx(logprobs, abs=1e-5)
    assert found["scores"][0]["token_scores"][0]["token"] == "t"
    one = client.post("/v1/score", sentences="the cats", eos=False)["scores"][0]
    expected_alone = model.score("the cats", eos=False).logprob
    assert one["logprob"] == pytest.approx(expected_alone, abs=1e-5)
    status, error = client.fails("/v1/score", {"sentences": "two\nlines"})
    assert status == 400
    assert "line break" in error["message"]


def test_words(client: Client) -> None:
    rows = client.post("/v1/words", sentences=["the cats", "the pear"])["words"]
    expected = client.models["char"].model.word_table(["the cats", "the pear"])
    assert [row["word"] for row in rows] == [row["word"] for row in expected]
    assert [row["surprisal"] for row in rows] == [row["surprisal"] for row in expected]
    assert rows[0]["frequency"] is None  # NaN


def test_next(client: Client) -> None:
    found = client.post("/v1/next", prompt="the", top_k=3)
    expected = client.models["char"].model.next_tokens("the", top_k=3)
    assert [one["token"] for one in found["next"]] == [one.token for one in expected.tokens]
    assert found["entropy"] == pytest.approx(expected.entropy, abs=1e-5)


def test_fill(client: Client) -> None:
    found = client.post("/v1/fill", text="the c_ts", top_k=2)["found"]
    expected = client.models["char"].model.fill("the c_ts", top_k=2)
    assert found == [one.as_dict() for one in expected]
    assert client.fails("/v1/fill", {"text": "no blank"})[0] == 400
    assert client.fails("/v1/next", {"prompt": "the", "model": "both"})[0] == 400


def test_what_is_told_of_the_server(client: Client) -> None:
    assert client.get("/healthz") == {"status": "ok"}
    client.complete("the", max_tokens=7, ignore_eos=True, model="word")
    text = client.get("/metrics")
    assert 'charlm_generated_tokens_total{model="word"}' in text
    assert 'charlm_requests_total{route="/v1/completions",status="200"}' in text
    assert 'charlm_texts_running{model="char"} 0' in text
    assert "/v1/completions" in client.get("/openapi.json")["paths"]
