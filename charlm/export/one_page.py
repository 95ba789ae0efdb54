"""A model as one HTML page: the server's page, with the model inside in place of the server.

The page asks for everything through `ask.js`. Here this is another file, `page/ask.js`, which
answers from the model in the page; all else is the same. Browsers import no modules from a disk, so
each becomes a function whose result is what it exports, called after those that it imports from.

Nothing can be fetched: the page's content policy allows its own script and style, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from ..display import page_files
from ..models import model_file
from ..models.model_file import ModelFile
from ..runs import describe
from .packed_model import packed

OWN = Path(__file__).parent / "page"
GENERATOR = '<meta name="generator" content="charlm export">'
MAIN = "main.js"
FOOTER = "Nothing leaves this page: the model is in it. Made with charlm."
IMPORT = re.compile(r'^import \{ ([^}]*) \} from "/page/([\w.]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)


def html(contents: ModelFile, file: Path, name: str) -> bytes:
    """The page of a model. file: which it was read from.

    Raises CharlmError for a family that a page cannot run.
    """
    lm, tokenizer = model_file.build(contents), contents.tokenizer
    about = {**model_file.describe(file, contents), "path": name}
    model = packed(lm, tokenizer, name, describe.summary(about))
    return page(name, base64.b64encode(model).decode()).encode()


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is one of these."""
    return GENERATOR.encode() in head


def page(name: str, model: str) -> str:
    """The page around a packed model in base64."""
    theirs = {path.name: path.read_text("utf-8") for path in page_files.FOLDER.iterdir()}
    ours = {path.name: path.read_text("utf-8") for path in OWN.iterdir()}
    style, script = theirs["style.css"], bundled({**theirs, **ours}, MAIN)
    icon = base64.b64encode(theirs["icon.svg"].encode()).decode()
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = (
        f'{GENERATOR}\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(name)}</title>\n"
        f'<link rel="icon" href="data:image/svg+xml;base64,{icon}">\n<style>{style}</style>'
    )
    tail = (
        f'<footer class="soft">{FOOTER}</footer>\n'
        f'<script type="text/plain" id="model-bytes">{model}</script>\n'
        f'<script type="module">{script}</script>'
    )
    found = _replaced(theirs["index.html"], "<title>", head, "</head>")
    return _replaced(found, "<footer", tail, "</body>")


def _replaced(text: str, begin: str, new: str, end: str) -> str:
    """A text with `new` in place of what is from the first `begin` on, up to the `end` after it."""
    first = text.index(begin)
    return f"{text[:first]}{new}\n{text[text.index(end, first) :]}"


def bundled(modules: Mapping[str, str], main: str) -> str:
    """One module out of several: `main` and all that it imports, each once, in order."""
    done: dict[str, str] = {}

    def add(name: str) -> None:
        source = modules[name]
        for _, other in IMPORT.findall(source):
            if other not in done:
                add(other)
        done[name] = _as_function(name, source)

    add(main)
    return "\n" + "\n".join(done.values()).replace("</", "<\\/").replace("<!--", "<\\!--")


def _as_function(name: str, source: str) -> str:
    """A module as a call of a function: `const name_js = await (async () => { … })();`."""

    def taken(match: re.Match[str]) -> str:
        names = match[1].replace(" as ", ": ")
        return f"const {{ {names} }} = {_variable(match[2])};\n"

    exported = EXPORT.findall(source)
    body = EXPORT.sub("", IMPORT.sub(taken, source))
    assert not re.search(r"^(import|export) ", body, re.MULTILINE), f"{name} has other imports"
    result = f"return {{ {', '.join(exported)} }};\n" if exported else ""
    return f"const {_variable(name)} = await (async () => {{\n{body}{result}}})();\n"


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
