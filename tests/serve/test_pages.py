"""The page in a real browser: every panel used, by mouse and by keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from driven import asked_for, browser, complaints, needs_driver
from server import Client

pytestmark = needs_driver
STOP_AT_ONCE = """
    const button = document.getElementById("write");
    window.labels = [];
    new MutationObserver(() => {
        labels.push(button.textContent);
        if (button.textContent === "Stop") button.click();
    }).observe(button, { childList: true });
"""  # a machine may write the text before anybody could click


class Page:
    """The page, opened."""

    def __init__(self, driver: Any, client: Client) -> None:
        self.driver, self.client = driver, client
        driver.get(f"http://127.0.0.1:{client.port}/")
        self.until(lambda: self.all("#ribbon span"))

    def one(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def has(self, selector: str, count: int) -> bool:
        return len(self.all(selector)) == count

    def text(self, selector: str) -> str:
        return str(self.one(selector).get_property("textContent"))

    def texts(self, selector: str) -> list[str]:
        """Of all that match."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        found: list[str] = self.driver.execute_script(script, selector)
        return found

    def click(self, selector: str, k: int = 0) -> None:
        """One of those that match; what is drawn anew meanwhile is looked for again."""
        from selenium.common.exceptions import StaleElementReferenceException

        for _ in range(20):
            try:
                self.all(selector)[k].click()
                return
            except StaleElementReferenceException:
                time.sleep(0.05)
        raise AssertionError(f"{selector} does not come to rest")

    def until(self, true: Callable[[], Any]) -> Any:
        end = time.monotonic() + 20
        while not (found := true()):
            assert time.monotonic() < end, "nothing happens"
            time.sleep(0.02)
        return found

    def type(self, selector: str, text: str) -> None:
        """Replace what is in a field."""
        from selenium.webdriver.common.keys import Keys

        self.one(selector).send_keys(Keys.CONTROL, "a")
        self.one(selector).send_keys(text)

    def check(self) -> None:
        """No script has failed, nothing came from elsewhere."""
        assert complaints(self.driver) == []
        own = f"http://127.0.0.1:{self.client.port}/"
        assert [url for url in asked_for(self.driver) if not url.startswith(own)] == []


@pytest.fixture
def page(client: Client) -> Iterator[Page]:
    with browser() as driver:
        found = Page(driver, client)
        yield found
        found.check()


def test_surprisal_at_each_keystroke(page: Page) -> None:
    page.type("#text", "the cats")
    page.until(lambda: len(page.all("#ribbon span")) == 9)
    score = page.client.models["char"].model.score("the cats")
    expected = f"{abs(score.logprob):.2f}"
    page.until(lambda: expected in page.text("#numbers"))
    colours = {span.value_of_css_property("background-color") for span in page.all("#ribbon span")}
    assert len(colours) > 2
    page.one("#text").send_keys("\nate")
    page.until(lambda: len(page.all("#ribbon span")) == 13)
    page.type("#text", " ")
    page.until(lambda: len(page.all("#ribbon span")) == 2)


def test_the_next_token_can_be_clicked(page: Page) -> None:
    page.type("#text", "the c")
    model = page.client.models["char"].model
    best = model.next_tokens("the c").tokens
    token = next(one.token for one in best if one.token.isalpha() and len(one.token) == 1)
    names = [one.token for one in best]
    shown = [{" ": "␣", "</s>": "↵"}.get(name, name) for name in names[:10]]
    page.until(lambda: page.texts("#next .name") == shown)
    page.click("#next button", names.index(token))
    page.until(lambda: page.one("#text").get_property("value") == f"the c{token}")


def test_writing(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.type("#text", "the")
    page.one("#temperature").send_keys(Keys.HOME)
    assert page.text("#temperature-out") == "0.00"
    page.one("#top-k").send_keys(Keys.RIGHT)
    assert page.text("#top-k-out") == "1"
    page.one("#write").click()
    page.until(lambda: page.one("#write").text == "Write" and page.one("#keep").is_enabled())
    written = page.text("#written")
    assert len(written) == 3 + 600
    assert re.search(r"600 tokens, [\d,]+ a second", page.text("#speed"))
    page.one("#keep").click()
    page.until(lambda: page.one("#text").get_property("value") == written)
    page.type("#text", "the")
    page.driver.execute_script(STOP_AT_ONCE)
    page.one("#text").send_keys(Keys.CONTROL, Keys.ENTER)
    page.until(lambda: page.driver.execute_script("return labels") == ["Stop", "Write"])
    assert page.text("#written").startswith("the")
    assert len(page.text("#written")) < 3 + 600


def test_hypotheses_and_blanks(page: Page) -> None:
    model = page.client.models["char"].model
    lines = ["the pear", "the cats", "fish"]
    page.type("#hypotheses", "\n".join(lines))
    page.until(lambda: len(page.all("#ranked li")) == 3)
    best = max(lines, key=lambda line: model.score(line).measures.logprob_spelled)
    page.until(lambda: page.text("#ranked li .name") == best)
    page.type("#blanks", "the c_t")
    expected = model.fill("the c_t", top_k=5)
    page.until(lambda: page.texts("#filled .name") == [one.text for one in expected])
    page.click("#filled button")
    page.until(lambda: page.one("#text").get_property("value") == expected[0].text)


def test_the_network_at_work(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.type("#text", "the cats ate")
    page.until(lambda: len(page.all("#ribbon span")) == 13)
    drawn = "return document.getElementById('map').toDataURL()"
    before = page.driver.execute_script(drawn)
    page.one("#text").send_keys(" fish")
    page.until(lambda: page.driver.execute_script(drawn) != before)
    page.click("#ribbon span", 9)
    page.until(lambda: "depends most on" in page.text("#influence"))
    page.until(lambda: "after “a”" in page.text("#unit"))
    page.one("#map").send_keys(Keys.DOWN, Keys.DOWN, Keys.RIGHT)
    page.until(lambda: "unit 0:2:h" in page.text("#unit") and "after “t”" in page.text("#unit"))
    page.driver.execute_script("document.getElementById('place').value = '0:f'")
    page.driver.execute_script(
        "document.getElementById('place').dispatchEvent(new Event('change'))"
    )
    page.until(lambda: "0:2:f" in page.text("#unit"))
    page.type("#longer", "the apple")
    page.until(lambda: page.text("#fires") == "the apple")
    assert len(page.all("#fires mark")) == 3


def test_every_model_can_be_chosen(page: Page) -> None:
    for name, count in (("word", 4), ("byte", 13), ("both", 4), ("subword", None)):
        page.driver.execute_script(
            "const s = document.getElementById('model'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('change'))",
            name,
        )
        page.type("#text", "the cats ate")
        if count is not None:
            page.until(partial(page.has, "#ribbon span", count))
        page.until(lambda: not page.one("#trouble").is_displayed())
        hidden = not page.one("#inside").is_displayed()
        assert hidden == (name == "both")
    assert all("/v1/fill" in one for one in complaints(page.driver))  # no word fits


def test_by_keyboard_alone(page: Page) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    seen = []
    for _ in range(40):
        seen.append(page.driver.execute_script("return document.activeElement.id"))
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
    wanted = {"text", "temperature", "top-k", "top-p", "write", "place", "map", "longer"}
    assert wanted | {"hypotheses", "blanks", "model", "theme"} <= set(seen)
    page.type("#text", "abc")
    page.until(lambda: len(page.all("#ribbon span")) == 4)
    page.click("#ribbon span")
    ActionChains(page.driver).send_keys(Keys.RIGHT, Keys.RIGHT).perform()
    selected = page.until(lambda: page.all("#ribbon span[aria-selected=true]"))
    assert selected[0].get_attribute("data-k") == "2"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 768, 1600])
def test_every_width_and_light(client: Client, width: int, dark: bool) -> None:
    with browser(width, 1200, dark=dark) as driver:
        page = Page(driver, client)
        page.until(lambda: page.all("#next li") and page.all("#ranked li"))
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        paper = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        first = int(re.findall(r"\d+", paper)[0])
        assert (first < 128) == dark
        page.one("#theme").click()
        turned = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (int(re.findall(r"\d+", turned)[0]) < 128) != dark
        page.check()


def test_the_description_for_people(client: Client) -> None:
    with browser() as driver:
        page = Page(driver, client)
        driver.get(f"http://127.0.0.1:{client.port}/docs")
        page.until(lambda: len(page.all("section")) > 10)
        assert "POST /v1/completions" in page.text("#routes")
        page.check()


def test_trouble_is_told(page: Page) -> None:
    """As where the server has been started again with other models."""
    choose = """
        const [name, done] = arguments;
        import("/page/ask.js").then(({ now }) => { done(now.model); now.model = name; });
    """
    name = page.driver.execute_async_script(choose, "gone")
    page.type("#text", "lost")
    page.until(lambda: page.one("#trouble").is_displayed())
    assert "gone" in page.text("#trouble")
    page.driver.execute_async_script(choose, name)
    page.type("#text", "fine")
    page.until(lambda: not page.one("#trouble").is_displayed())
    complaints(page.driver)  # of the requests that were refused
