"""Exported pages against charlm: every cell, level and direction over the same text, in Chromium.

    python benchmarks/html_parity.py FILE [MODEL …] [--chars 10000] [--hidden 128]

Networks of two layers with random weights, or each MODEL, read the beginning of FILE, once by
charlm in NumPy and once in the page that `charlm export --to html` writes, opened from the disk.
The table says how far the log-probabilities of the text's tokens are apart, in nats, at most and on
average; how large the page is; and how many characters it reads, and writes (the best of three
times), a second. A bidirectional network reads a line at a time, and writes nothing. Exits with 1
if one is further apart than 1e-3 on average. Needs chromium, chromedriver and selenium.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from export_parity import network

from charlm import Model
from charlm.config import CELLS, LEVELS, TokenizerConfig
from charlm.export.exporting import export
from charlm.models import model_file
from charlm.system import machine
from charlm.text.tokenizer import build

TOLERANCE = 1e-3  # nats a token, on average
VOCAB_SIZE = 1000  # of subwords and, at most, of words
WRITTEN = 500  # tokens
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
READ = """
    const [sentences, context, done] = arguments, begun = performance.now();
    charlm.ask("/v1/score", { sentences, tokens: true, context }).then(({ scores }) => done({
        seconds: (performance.now() - begun) / 1000,
        nats: scores.flatMap((one) => one.token_scores.map((token) => token.logprob)),
    }), (error) => done({ error: String(error) }));
"""
WRITE = """
    const [max_tokens, done] = arguments, begun = performance.now();
    const asked = { prompt: "", max_tokens, ignore_eos: true };
    charlm.post("/v1/completions", asked).then((answer) => answer.text()).then((text) => done({
        seconds: (performance.now() - begun) / 1000,
        chars: text.split("\\n\\n").filter((event) => event.startsWith("data: {"))
            .map((event) => JSON.parse(event.slice(6)).choices[0].text).join("").length,
    }), (error) => done({ error: String(error) }));
"""
RESTS = """
    const done = arguments[0], quiet = (left) => setTimeout(() => {
        const slow = performance.now() - begun > 60; begun = performance.now();
        slow ? quiet(5) : left ? quiet(left - 1) : done(true);
    }, 50);
    let begun = performance.now();
    quiet(5);
"""  # nothing keeps the page busy any more: it fills blanks when it is opened


@contextmanager
def chromium() -> Iterator[Any]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.binary_location = str(shutil.which("chromium") or shutil.which("chromium-browser"))
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(600)
    try:
        yield driver
    finally:
        driver.quit()


def asked(driver: Any, script: str, *given: Any) -> Any:
    found = driver.execute_async_script(script, *given)
    if "error" in found:
        raise RuntimeError(found["error"])
    return found


def compare(driver: Any, path: Path, lines: list[str]) -> tuple[float, str]:
    """The mean difference of a model's page, and a row of the table."""
    (page,) = export(str(path), to="html", out=path.parent / "page.html", force=True).files
    model = Model.load(path)
    pseudo = model.lm.pseudo
    context = "sentence" if pseudo else "stream"
    driver.get(page.as_uri())
    driver.execute_async_script(RESTS)
    read = asked(driver, READ, lines, context)
    scores = model.score(lines, tokens=True, context=context)
    nats = [token.logprob for score in scores for token in score.token_scores or ()]
    apart = np.abs(np.array(nats) - np.array(read["nats"]))
    chars = sum(map(len, lines)) + len(lines)
    rates = f"{chars / read['seconds']:>9,.0f}"
    if not pseudo:
        done = [asked(driver, WRITE, WRITTEN) for _ in range(3)]
        best = max(one["chars"] / one["seconds"] for one in done)
        rates += f"  {best:>9,.0f}"
    mean = float(apart.mean())
    size = page.stat().st_size / 1e6
    return mean, f"{len(nats):>6,}  {apart.max():>7.1e}  {mean:>7.1e}  {size:>5.2f}  {rates}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--chars", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=128)
    given = parser.parse_args()
    whole = given.file.read_text("utf-8")
    text = whole * (1 + given.chars // len(whole))
    lines = text[: given.chars].split("\n")
    worst = 0.0
    print(machine.processor())
    print("level    cell           reads  tokens   max      mean     MB     reads/s   writes/s")
    with tempfile.TemporaryDirectory() as folder, chromium() as driver:
        path = Path(folder) / "model.safetensors"
        for level in () if given.models else LEVELS:
            size = VOCAB_SIZE if level in ("word", "subword") else 0
            tokenizer = build(TokenizerConfig(level=level, vocab_size=size), [whole])
            for cell in CELLS:
                for bidirectional in (False, True):
                    model_file.write(path, network(tokenizer, cell, given.hidden, bidirectional))
                    mean, row = compare(driver, path, lines)
                    worst = max(worst, mean)
                    reads = "both" if bidirectional else "left"
                    print(f"{level:<8} {cell:<14} {reads:<6} {row}", flush=True)
        for one in given.models:
            shutil.copy(one, path)
            mean, row = compare(driver, path, lines)
            worst = max(worst, mean)
            print(f"{one.parent.name:<30} {row}", flush=True)
    print(f"at most {worst:.1e} nats a token apart; allowed are {TOLERANCE:.0e}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    raise SystemExit(main())
