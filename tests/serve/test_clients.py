"""Programs of others: lm-evaluation-harness, the openai client, llm and schemathesis.

They are installed in an environment of their own, whose folder $CHARLM_CLIENTS names:

    python -m venv clients
    clients/bin/pip install "lm-eval[api]" openai llm schemathesis -e .
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_support import write_model
from server import Client, serving

import charlm

CLIENTS = Path(os.environ.get("CHARLM_CLIENTS", "build/clients")).absolute() / "bin"
pytestmark = pytest.mark.skipif(
    not (CLIENTS / "lm_eval").exists(), reason="$CHARLM_CLIENTS has no lm-evaluation-harness"
)
CORPUS = "the apple and pear salad was full of fish\nthe cats ate it, and were glad\n" * 30
TASKS: dict[str, dict[str, Any]] = {
    "mc": {
        "output_type": "multiple_choice",
        "doc_to_text": "{{before}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}",
        "target_delimiter": " ",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    },
    "roll": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "{{before}} {{choices[0]}}",
        "metric_list": [{"metric": "bits_per_byte"}],
    },
    "gen": {
        "output_type": "generate_until",
        "doc_to_text": "{{before}}",
        "doc_to_target": "{{choices[0]}}",
        "generation_kwargs": {"until": ["\n", "."], "max_gen_toks": 20},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    },
}
BEFORE = ["the apple", "the cats", "", "the zebra and", "it"]
CHOICES = [["and pear salad", "was glad"], ["ate it", "zzz full of fish"], ["the cats", "pear"]]


def run(*command: str | Path, folder: Path, **env: str) -> str:
    """What a client prints."""
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | offline | env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models in runs/, and a task for lm-evaluation-harness."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "corpus.txt").write_text(CORPUS)
    for name, level in (("chars", "char"), ("words", "word")):
        charlm.ngram(
            folder / "corpus.txt", level=level, order=3, out=folder / "runs" / name, progress=False
        )
    docs = [
        {"before": before, "choices": choices, "answer": k % 2}
        for k, before in enumerate(BEFORE)
        for choices in CHOICES
    ]
    data = folder / "docs.json"
    data.write_text("".join(f"{json.dumps(doc)}\n" for doc in docs))
    for name, task in TASKS.items():
        whole = {
            "task": f"charlm_{name}",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(data)}},
            "test_split": "test",
            **task,
        }
        (folder / f"{name}.yaml").write_text(json.dumps(whole))  # JSON is YAML
    return folder


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Client]:
    with serving([place / "runs" / "chars", place / "runs" / "words"]) as client:
        yield client


@pytest.mark.parametrize("name", ["chars", "words"])
@pytest.mark.parametrize(("batch", "concurrent"), [(1, 1), (16, 8)])
def test_lm_evaluation_harness(
    served: Client, place: Path, name: str, batch: int, concurrent: int
) -> None:
    url = f"http://127.0.0.1:{served.port}/models/{name}/v1/completions"
    out = place / f"{name}-{batch}"
    run(
        *(CLIENTS / "lm_eval", "run", "--model", "local-completions"),
        *("--model_args", f"model={name},base_url={url},num_concurrent={concurrent}"),
        *("--tasks", "charlm_mc,charlm_roll,charlm_gen", "--include_path", place),
        *("--batch_size", str(batch), "--output_path", out, "--log_samples"),
        folder=place,
    )
    model = served.models[name].model
    checked = 0
    for asked, answers in samples(out, "mc"):
        for (context, continuation), answer in zip(asked, answers, strict=True):
            whole = model.score(context + continuation, eos=False).logprob
            expected = whole - (model.score(context, eos=False).logprob if context else 0.0)
            assert float(answer[0][0]) == pytest.approx(expected, abs=1e-4)
            checked += 1
    for asked, answers in samples(out, "roll"):
        expected = model.score(asked[0][0], eos=False).logprob
        assert float(answers[0][0]) == pytest.approx(expected, abs=1e-4)
        checked += 1
    assert checked == len(BEFORE) * len(CHOICES) * 3
    for asked, answers in samples(out, "gen"):
        context, settings = asked[0]
        written = model.sample(prompt=context, temperature=0, max_tokens=20)[0].text
        cut = min(f"{written}{stop}".find(stop) for stop in settings["until"])
        assert answers[0][0] == written[:cut]


def samples(out: Path, task: str) -> Iterator[tuple[list[list[Any]], list[Any]]]:
    """The arguments and answers of each document."""
    (file,) = out.rglob(f"samples_charlm_{task}_*.jsonl")
    for line in file.read_text().splitlines():
        one = json.loads(line)
        yield [list(args.values()) for args in one["arguments"].values()], one["resps"]


OPENAI = """
import json, sys
from openai import OpenAI, BadRequestError, NotFoundError
client = OpenAI(base_url=sys.argv[1], api_key="none")
asked = {"model": "chars", "prompt": "the", "max_tokens": 20, "seed": 1}
done = client.completions.create(**asked, logprobs=2, echo=True)
pieces = client.completions.create(**asked, stream=True)
errors = []
for settings in ({"model": "none"}, {"model": "chars", "max_tokens": 10**9}):
    try:
        client.completions.create(prompt="the", **settings)
    except (BadRequestError, NotFoundError) as error:
        errors.append([error.status_code, error.param])
print(json.dumps({
    "models": [one.id for one in client.models.list()],
    "text": done.choices[0].text,
    "nats": done.choices[0].logprobs.token_logprobs,
    "streamed": "".join(piece.choices[0].text for piece in pieces),
    "usage": done.usage.completion_tokens,
    "errors": errors,
}))
"""


def test_openai(served: Client, place: Path) -> None:
    url = f"http://127.0.0.1:{served.port}/v1"
    found = json.loads(run(CLIENTS / "python", "-c", OPENAI, url, folder=place))
    written = served.models["chars"].model.sample(prompt="the", max_tokens=20, seed=1)[0]
    assert found["models"] == ["chars", "words"]
    assert found["text"] == f"the{written.text}"
    assert found["streamed"] == written.text
    assert found["usage"] == written.tokens
    assert sum(found["nats"][3:]) == pytest.approx(written.logprob, abs=1e-4)
    assert found["errors"] == [[404, "model"], [400, "max_tokens"]]


def test_llm(place: Path) -> None:
    options = ["-o", "seed", "1", "-o", "logprobs", "1"]
    command: list[str | Path] = [CLIENTS / "llm", "-m", "charlm/chars", "the", *options]
    env = {"LLM_USER_PATH": str(place / "llm")}
    model = charlm.load(place / "runs" / "chars")
    (expected,) = model.sample(prompt="the", seed=1)
    assert run(*command, folder=place, **env).rstrip("\n") == expected.text
    assert run(*command, "--no-stream", folder=place, **env).rstrip("\n") == expected.text
    (log, *_) = json.loads(run(CLIENTS / "llm", "logs", "--json", folder=place, **env))
    assert log["response_json"]["logprob"] == expected.logprob
    scores = log["response_json"]["token_scores"]
    assert sum(one["logprob"] for one in scores) == pytest.approx(expected.logprob, abs=1e-3)
    command = [CLIENTS / "llm", "-m", "charlm/words", "the", "-o", "lines", "3", *options]
    run(*command, folder=place, **env)
    (log, *_) = json.loads(run(CLIENTS / "llm", "logs", "--json", folder=place, **env))
    found = log["response_json"]
    assert len(found["token_scores"]) == found["tokens"]
    total = sum(one["logprob"] for one in found["token_scores"])
    assert total == pytest.approx(found["logprob"], abs=1e-3)
    names = run(CLIENTS / "llm", "models", folder=place, **env)
    assert "charlm/words" in names
    assert "charlm/latest" in names


@pytest.mark.parametrize("kind", ["network", "chars", "words"])
def test_schemathesis(place: Path, kind: str) -> None:
    """What its own OpenAPI description promises, it keeps.

    Of one causal model: the description of several cannot say which tokens each of them has.
    """
    if kind == "network":
        model = write_model(place / "network.safetensors")
    else:
        model = place / "runs" / kind
    with serving([model]) as client:
        url = f"http://127.0.0.1:{client.port}/openapi.json"
        run(
            *(CLIENTS / "schemathesis", "run", url, "--max-examples", "15", "--seed", "1"),
            folder=place,
        )
