"""The page around an exported model: one file, which fetches nothing."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import Reader
from driven import asked_for, complaints
from model_page import ModelPage
from toys import small_model_file

from charlm.display import page_files
from charlm.errors import CharlmError
from charlm.export import one_page
from charlm.export.exporting import export
from charlm.export.packed_model import packed
from charlm.models import model_file
from charlm.models.model_file import ModelFile

Opened = Callable[[ModelFile], ModelPage]

DRAWN = "return document.getElementById('map').toDataURL()"


def test_one_file_with_everything_in_it() -> None:
    page = one_page.page("a <b> & c", "bW9kZWw=")
    read = Reader(page)
    assert one_page.is_ours(page[:4096].encode())
    assert "<title>a &lt;b&gt; &amp; c</title>" in page
    assert read.tags["script"] == 2
    for name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "action")
        assert name != "href" or value.startswith("data:")
    (policy,) = (value for _, value in read.attributes if value.startswith("default-src"))
    assert "connect-src" not in policy  # so that it is 'none'
    for tag in ("style", 'script type="module"'):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag.split()[0]}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_panels_are_those_of_the_server() -> None:
    served = {path.name: path.read_text("utf-8") for path in page_files.FOLDER.iterdir()}
    own = {path.name for path in one_page.OWN.iterdir()}
    assert own & served.keys() == {"ask.js"}
    page = one_page.page("tale", "")
    for name in ("main.js", "look.js", "inside.js", "write.js", "trouble.js"):
        body = one_page.IMPORT.sub("", served[name]).replace("</", "<\\/")
        assert re.sub("^export ", "", body, flags=re.M).strip() in re.sub(
            r"^const \{ .* \} = \w+_js;\n", "", page, flags=re.M
        )


def test_modules_become_functions() -> None:
    modules = {
        "main.js": 'import { one, two as both } from "/page/a.js";\n\nlog(one(), both);\n',
        "a.js": 'import { deep } from "/page/b.js";\n'
        "export function one() {}\nexport const two = deep;\n",
        "b.js": "export const deep = '</script><!--';\n",
    }
    found = one_page.bundled(modules, "main.js")
    assert found.index("b_js =") < found.index("a_js =") < found.index("main_js =")
    assert "const { one, two: both } = a_js;" in found
    assert "return { one, two };" in found
    assert "</script" not in found
    assert "<!--" not in found
    with pytest.raises(AssertionError, match="other imports"):
        one_page.bundled({"main.js": 'import a from "elsewhere";\n'}, "main.js")


def test_a_kind_of_model_that_a_page_cannot_run() -> None:
    class Odd:
        pseudo, eos = False, 0

    tokenizer = small_model_file().tokenizer
    with pytest.raises(CharlmError, match="cannot run this kind of model"):
        packed(Odd(), tokenizer, "odd", "")  # type: ignore[arg-type]


def test_the_same_model_makes_the_same_page(elsewhere: Path) -> None:
    model_file.write("tale.safetensors", small_model_file("word"))
    (first,) = export("tale.safetensors", to="html").files
    assert first == Path("tale.html")
    before = first.read_bytes()
    assert export("tale.safetensors", to="html").files == (first,)
    assert first.read_bytes() == before


LONG_TEXT = """
    const text = document.getElementById("text");
    text.value = "abc de, ".repeat(500);
    text.dispatchEvent(new Event("input"));
"""


def test_every_panel_works_from_a_disk(opened: Opened) -> None:
    from selenium.webdriver.common.keys import Keys

    page = opened(small_model_file(layers=2))
    driver: Any = page.driver
    field = driver.find_element("id", "text")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("abc, de")
    page.until(lambda: page.count("#ribbon span") == 8)
    expected = f"{abs(page.model.score('abc, de').logprob):.2f}"
    page.until(lambda: expected in page.text("#numbers"))
    best = page.model.next_tokens("abc, de", top_k=1).tokens[0].token
    shown = {" ": "␣", "</s>": "↵"}.get(best, best)
    page.until(lambda: page.text("#next .name") == shown)
    drawn = driver.execute_script(DRAWN)
    driver.find_elements("css selector", "#ribbon span")[4].click()
    page.until(lambda: "depends most on" in page.text("#influence"))
    assert driver.execute_script(DRAWN) != drawn
    page.until(lambda: page.text("#fires") == "abc, de")
    driver.find_elements("css selector", "#ribbon span")[
        7
    ].click()  # the end, which no unit has read
    page.until(lambda: "“↵”" in page.text("#influence"))
    assert "after" not in page.text("#unit")
    driver.find_element("id", "write").click()
    page.until(lambda: page.text("#write") == "Write" and page.text("#speed").startswith("600"))
    assert len(page.text("#written")) == 7 + 600
    hypotheses = driver.find_element("id", "hypotheses")
    hypotheses.send_keys(Keys.CONTROL, "a")
    hypotheses.send_keys("abc\nxyz\nde")
    page.until(lambda: page.count("#ranked li") == 3)
    blanks = driver.find_element("id", "blanks")
    blanks.send_keys(Keys.CONTROL, "a")
    blanks.send_keys("a_c")
    found = page.model.fill("a_c", top_k=1)[0].text
    page.until(lambda: page.count("#filled li") == 5 and page.text("#filled .name") == found)
    assert "Nothing leaves this page" in page.text("footer")
    assert complaints(driver) == []
    elsewhere = {url for url in asked_for(driver) if not url.startswith(("file:", "data:"))}
    assert elsewhere == set()


def test_numbers_of_a_bidirectional_model_are_called_what_they_are(opened: Opened) -> None:
    page = opened(small_model_file(bidirectional=True))
    page.until(lambda: "pseudo-log P" in page.text("#numbers"))
    assert "pseudo-perplexity" in page.text("#numbers")


def test_numbers_of_an_earlier_text_are_pale(opened: Opened) -> None:
    page = opened(small_model_file(layers=30))  # slow enough
    page.until(lambda: page.text("#numbers"))
    page.driver.execute_script(LONG_TEXT)
    page.until(lambda: page.count("#numbers.old") == 1)
    page.until(lambda: page.count("#numbers.old") == 0)
    page.driver.execute_script("localStorage.clear()")  # or the next page begins with this text


def test_writing_can_be_stopped_and_goes_wrong_in_words(opened: Opened) -> None:
    page = opened(small_model_file())
    stop = """
        const done = arguments[0], stop = new AbortController();
        const asked = { prompt: "", max_tokens: 1e9, ignore_eos: true };
        charlm.post("/v1/completions", asked, stop.signal)
            .then(async ({ body }) => { stop.abort(); for await (const _ of body); })
            .then(() => done("went on"), (error) => done(error.name));
    """
    assert page.driver.execute_async_script(stop) == "AbortError"
    assert page.ask("/v1/nothing") == "nothing answers /v1/nothing"


def test_a_browser_that_cannot_run_it_says_so(chromium: Any, elsewhere: Path) -> None:
    Path("odd.html").write_text(one_page.page("odd", "bm90IGRlZmxhdGVk"), "utf-8")
    chromium.get(Path("odd.html").absolute().as_uri())
    shown = chromium.find_element("id", "trouble")
    end = time.monotonic() + 20
    while not shown.is_displayed():
        assert time.monotonic() < end
    assert shown.text.startswith("This browser cannot run the model: ")
    complaints(chromium)  # that the script failed


def test_sampling_filters(opened: Opened) -> None:
    page = opened(small_model_file())
    best = page.model.next_tokens("abc").tokens
    found = set()
    for asked in ({"temperature": 0}, {"top_k": 1}, {"top_p": 1e-6}):
        script = """
            const [asked, done] = arguments;
            const body = { prompt: "abc", max_tokens: 1, ignore_eos: true, ...asked };
            charlm.post("/v1/completions", body).then((answer) => answer.text())
                .then((text) => done(JSON.parse(text.slice(6).split("\\n")[0])));
        """
        (choice,) = page.driver.execute_async_script(script, asked)["choices"]
        found.add(choice["logprobs"]["tokens"][0])
        assert choice["logprobs"]["token_logprobs"][0] == pytest.approx(best[0].logprob, abs=2e-3)
    assert found == {best[0].token}
