"""How long the page of `charlm serve` takes to answer a keystroke.

    python benchmarks/keystroke.py MODEL [--keys 100] [--pause 150] [--json FILE]

In headless Chromium, with a text of some 60 characters, the network shown and a token chosen: from
the key to the numbers of the new text on the page, in milliseconds.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from common import about, write_json
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from driven import browser

TEXT = "It was early spring:\nwhat is the matter, my good old friend?"
LETTERS = "ab cd ef"
TYPE = """
const [text, letters, keys, pause, done] = arguments;
const box = document.getElementById("text"), numbers = document.getElementById("numbers");
async function key(letter) {
  const begin = performance.now();
  const drawn = new Promise((found) => {
    const watch = new MutationObserver(() => { watch.disconnect(); found(); });
    watch.observe(numbers, { childList: true });
  });
  box.value += letter;
  box.dispatchEvent(new Event("input"));
  await drawn;
  const took = performance.now() - begin;
  await new Promise((after) => setTimeout(after, pause));
  return took;
}
(async () => {
  box.value = text;
  box.dispatchEvent(new Event("input"));
  await new Promise((after) => setTimeout(after, 1000));
  document.querySelectorAll("#ribbon span")[20].click();
  await new Promise((after) => setTimeout(after, 1000));
  const took = [];
  for (let k = 0; k < keys; k++) took.push(await key(letters[k % letters.length]));
  done(took);
})();
"""


def main(
    model: str,
    keys: int = 100,
    pause: Annotated[int, typer.Option(help="Between keys, ms.")] = 150,
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Serve MODEL, and type."""
    command = [sys.executable, "-m", "charlm", "serve", model, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert found is not None
        try:
            with browser() as driver:
                driver.set_script_timeout(60 + keys * (pause + 1000) / 1000)
                driver.get(found[0])
                time.sleep(2)
                took = driver.execute_async_script(TYPE, TEXT, LETTERS, keys, pause)
        finally:
            process.terminate()
    console, machine, ordered = Console(), about(), sorted(took)
    console.print(f"{machine['processor']}, {machine['threads']} threads; {keys} keys")
    console.print(
        f"median {statistics.median(took):.0f} ms, 99 % within {ordered[int(0.99 * keys)]:.0f} ms, "
        f"at most {ordered[-1]:.0f} ms; over 50 ms: {sum(ms > 50 for ms in took)}"
    )
    if json_file is not None:
        write_json(json_file, {**machine, "keys": took})


if __name__ == "__main__":
    typer.run(main)
