"""`charlm serve` in a process of its own."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from cli_support import Cli, environment, run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(char_model: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "charlm", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment(char_model), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, said
        with urlopen(f"{found[0]}/v1/models", timeout=30) as answer:
            assert json.load(answer)["data"][0]["id"] == char_model.parent.name
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_what_is_open_is_said(char_model: Path) -> None:
    script = "$CHARLM serve --port 0 --host 0.0.0.0 & pid=$!; sleep 4; kill -INT $pid; wait $pid"
    said = run(char_model, shell=script).stderr.decode()
    assert "anyone who can reach 0.0.0.0" in said


def test_a_port_that_is_taken(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "choose another --port" in cli.fails("serve", "--port", port)


def test_a_model_that_is_not_there(cli: Cli) -> None:
    assert "there is no model nowhere" in cli.fails("serve", "nowhere")
