"""Gradients through time: against equations written out, finite differences, and themselves."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from cli_support import Cli
from torch import Tensor
from toys import random_tensors

from charlm.config import CELLS, NetworkConfig, TokenizerConfig, TrainConfig
from charlm.errors import CharlmError
from charlm.lab import bptt, gradients, learn
from charlm.lab.gradients import flow
from charlm.network.network import Network, NetworkState, new_network
from charlm.text.corpus import Corpus
from charlm.training.streams import Streams

EOS, STEPS, ROWS = 0, 12, 3


def network_of(cell: str, **options: int | bool) -> tuple[Network, dict[str, Tensor]]:
    """A network with random weights everywhere, and its tensors in float64."""
    config = NetworkConfig(11, cell=cell, embed=5, hidden=6, **options)  # type: ignore[arg-type]
    tensors = random_tensors(config, seed=4, scale=0.6)
    exact = {name: torch.from_numpy(value).double() for name, value in tensors.items()}
    return Network.of(config, tensors), exact


def some_ids(
    steps: int = STEPS, rows: int = ROWS
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.random.default_rng(1).integers(11, size=(steps + 1, rows))


def step_by_the_book(
    cell: str, w: Mapping[str, Tensor], x: Tensor, state: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """One step for one text: x (E,), state (h,) or (h, c), each (H,)."""
    a, u = w["weight_ih"] @ x + w["bias_ih"], w["weight_hh"] @ state[0] + w["bias_hh"]
    if cell == "rnn":
        return (torch.tanh(a + u),)
    if cell == "rnn-relu":
        return ((a + u).clamp(min=0),)
    if cell == "gru":
        (a_r, a_z, a_n), (u_r, u_z, u_n) = a.view(3, -1), u.view(3, -1)
        r, z = torch.sigmoid(a_r + u_r), torch.sigmoid(a_z + u_z)
        return ((1 - z) * torch.tanh(a_n + r * u_n) + z * state[0],)
    i, f, g, o = (a + u).view(4, -1)
    c = state[1]
    p_i, p_f, p_o = w.get("peephole", torch.zeros(3, len(c), dtype=c.dtype))
    c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * state[1]) * torch.tanh(g)
    return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


def loss_by_the_book(
    config: NetworkConfig, w: Mapping[str, Tensor], ids: list[int], nudges: list[Tensor]
) -> Tensor:
    """−log P of the last of `ids`, with nudges[t] (all of the state in a row) added to s_t."""
    names = ("h0", "c0") if config.cell.startswith("lstm") else ("h0",)
    layers = [
        {name.split(".")[2]: value for name, value in w.items() if name.startswith(f"rnn.{k}.")}
        for k in range(config.layers)
    ]
    zero = torch.zeros(config.hidden, dtype=torch.float64)
    states = [tuple(layer.get(name, zero) for name in names) for layer in layers]
    for t, token in enumerate([EOS, *ids[:-1]]):
        x = w["embedding.weight"][token]
        for k, layer in enumerate(layers):
            states[k] = step_by_the_book(config.cell, layer, x, states[k])
            x = states[k][0]
        parts = torch.split(nudges[t], config.hidden)
        states = [
            tuple(s + parts[k * len(names) + j] for j, s in enumerate(state))
            for k, state in enumerate(states)
        ]
    x = states[-1][0]
    for k in range(config.dense):
        x = torch.tanh(w[f"dense.{k}.weight"] @ x + w[f"dense.{k}.bias"])
    logits = w["output.weight"] @ x + w["output.bias"]
    return logits.logsumexp(0) - logits[ids[-1]]


def width(config: NetworkConfig) -> int:
    """Numbers in a state."""
    return config.hidden * config.layers * (2 if config.cell.startswith("lstm") else 1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options", [{}, {"layers": 2, "dense": 1, "learned_start": True}], ids=["plain", "deep"]
)
def test_flow_is_the_gradient_of_the_equations_unrolled(
    cell: str, options: dict[str, int | bool]
) -> None:
    network, w = network_of(cell, **options)
    ids_TB = some_ids()
    squares = torch.zeros(STEPS, dtype=torch.float64)
    for row in ids_TB.T:
        zeros = [
            torch.zeros(width(network.config), dtype=torch.float64, requires_grad=True)
            for _ in range(STEPS + 1)
        ]
        loss_by_the_book(network.config, w, row.tolist(), zeros).backward()  # type: ignore[no-untyped-call]
        norms = [float(nudge.grad.norm()) for nudge in zeros[:0:-1] if nudge.grad is not None]
        squares += torch.tensor(norms).double() ** 2
    found = flow(network, ids_TB, eos=EOS)
    assert found.shape == (STEPS,)
    np.testing.assert_allclose(found, (squares / ROWS).sqrt().numpy(), rtol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_flow_agrees_with_finite_differences(cell: str) -> None:
    network, w = network_of(cell)
    config, steps, h = network.config, 4, 1e-5
    ids_TB = some_ids(steps, rows=1)
    ids = ids_TB[:, 0].tolist()
    for k, found in enumerate(flow(network, ids_TB, eos=EOS)):
        gradient = []
        for entry in range(width(config)):
            losses = []
            for sign in (h, -h):
                nudges = [torch.zeros(width(config), dtype=torch.float64) for _ in range(steps + 1)]
                nudges[steps - k][entry] = sign
                losses.append(float(loss_by_the_book(config, w, ids, nudges)))
            gradient.append((losses[0] - losses[1]) / (2 * h))
        assert found == pytest.approx(np.linalg.norm(gradient), rel=1e-5)


@pytest.mark.parametrize("rows", [1, 2])
def test_flow_holds_few_rows_at_once(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """All other rows change no more than the last digits."""
    network, _ = network_of("lstm", layers=2)
    ids_TB = some_ids()
    whole = flow(network, ids_TB, eos=EOS)
    monkeypatch.setattr(gradients, "MAX_HELD", rows * (STEPS + 1) * 2 * 6)
    read: list[int] = []
    tops = Network.hidden_states

    def counted(self: Network, x_TB: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        read.append(x_TB.shape[1])
        return tops(self, x_TB, state)

    monkeypatch.setattr(Network, "hidden_states", counted)
    np.testing.assert_allclose(flow(network, ids_TB, eos=EOS), whole, rtol=1e-12)
    assert max(read) == rows


def test_flow_leaves_the_network_as_it_is_and_reads_no_dropout() -> None:
    config = NetworkConfig(11, embed=5, hidden=6, dropout_output=0.5, weight_drop=0.5)
    network = Network.of(config, random_tensors(config)).train()
    first, second = (flow(network, some_ids(), eos=EOS) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert network.training
    assert network.precision == network.output.bias.dtype == torch.float32
    assert all(p.grad is None for p in network.parameters())


# Experiments ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """What is so small is quicker in one thread, much so where the processor is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random letters; of so few, so that a network soon knows how often each comes."""
    path = tmp_path_factory.mktemp("corpus") / "letters.txt"
    letters = np.random.default_rng(5).choice(list("abcd \n"), size=12_000)
    path.write_text("".join(letters), "utf-8")
    return path


@pytest.fixture(scope="module")
def corpus(text: Path) -> Iterator[Corpus]:
    with learn.corpus_of(str(text), TokenizerConfig()) as found:
        yield found


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(None, capfd, monkeypatch)


def png_size(path: Path) -> tuple[int, int]:
    """Pixels across and down."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def experiment(corpus: Corpus, seed: int = 1) -> gradients.Gradients:
    return gradients.experiment(corpus, cells=["gru"], length=12, hidden=8, steps=2, seed=seed)


@pytest.fixture(scope="module")
def found(corpus: Corpus) -> gradients.Gradients:
    return experiment(corpus)


def test_the_same_seed_makes_the_same_gradients(corpus: Corpus, found: gradients.Gradients) -> None:
    assert experiment(corpus) == found
    assert experiment(corpus, seed=2).cells[0].fresh != found.cells[0].fresh


def test_plain_networks_obey_the_theorem(found: gradients.Gradients) -> None:
    for curve in found.scaled:
        for k, ratio in enumerate(curve.ratios):
            assert ratio <= curve.gain**k * (1 + 1e-5)  # fresh weights are orthogonal in fp32
    assert max(curve.ratio(12) for curve in found.scaled if curve.gain < 1) < 0.3


def test_clipping_bounds_what_a_step_does_and_not_what_is_measured(
    found: gradients.Gradients,
) -> None:
    free, clipped = found.clipping[2:]
    assert (free.clip_norm, clipped.clip_norm) == (0, gradients.CLIP_NORM)
    assert free.norms[0] == clipped.norms[0] > gradients.CLIP_NORM
    assert free.losses[0] == clipped.losses[0]
    assert free.losses[1] != clipped.losses[1]
    assert len(free.norms) == len(free.losses) == 2


def test_a_curve_tells_where_the_gradient_is_gone() -> None:
    curve = gradients.Curve("rnn", 1.0, (2.0, 1.0, 0.01, 0.1))
    assert curve.faded == 2
    assert curve.ratio(1) == 0.5
    assert math.isnan(curve.ratio(4))
    assert gradients.Curve("rnn", 1.0, (2.0, 1.0)).faded is None


@pytest.mark.parametrize("cell", CELLS)
def test_cutting_side_by_side_is_cutting_one_after_another(cell: str, corpus: Corpus) -> None:
    """A gradient cut every 4 of 8 tokens is the mean of those of two pieces."""
    shape = NetworkConfig(corpus.tokenizer.vocab_size, cell=cell, embed=5, hidden=6)
    config = TrainConfig(
        steps=2, bptt=8, batch_size=3, optimizer="sgd", lr=0.1, momentum=0.0, clip_norm=0.0,
        weight_decay=0.0, schedule="constant", warmup=0,
    )  # fmt: skip
    found = learn.train_network(new_network(shape, config), config, corpus, reach=4).tensors()
    network = new_network(shape, config)
    streams = Streams(corpus.train, 3, 8, config.seed, corpus.tokenizer.eos)
    state = network.start(3)
    for _ in range(2):
        batch = streams.next()
        network.zero_grad()
        for piece in (slice(0, 4), slice(4, 8)):
            x, y = (torch.from_numpy(ids[piece]) for ids in (batch.x_TB, batch.y_TB))
            loss, after = network(x, y, state)
            (loss / 2).backward()
            state = tuple(tuple(s.detach() for s in layer) for layer in after)
        with torch.no_grad():
            for p in network.parameters():
                assert p.grad is not None
                p.sub_(0.1 * p.grad)
    for name, tensor in network.tensors().items():
        np.testing.assert_allclose(found[name], tensor, atol=1e-5, err_msg=name)


def test_the_same_seeds_make_the_same_truncation(corpus: Corpus) -> None:
    first, same = (
        bptt.experiment(corpus, cells=["gru"], lengths=[1, 64], seeds=2, hidden=8, steps=3)
        for _ in range(2)
    )
    assert first == same
    one, whole = first.points
    assert (one.bptt, whole.bptt) == (1, 64)
    assert len(set(one.losses)) == 2
    assert one.losses != whole.losses
    assert one.bits_per_char == pytest.approx(one.loss / math.log(2), rel=1e-6)


def test_a_truncation_that_does_not_fit_is_refused(corpus: Corpus) -> None:
    with pytest.raises(CharlmError, match="3 tokens does not divide"):
        bptt.experiment(corpus, lengths=[3], hidden=8, steps=3)


def test_gradients_on_the_command_line(cli: Cli, text: Path, tmp_path: Path) -> None:
    picture = tmp_path / "flow.png"
    args: list[str | Path] = [
        "lab",
        "gradients",
        text,
        "--steps",
        "2",
        "--hidden",
        "8",
        "--length",
        "12",
    ]
    done = cli(*args, "--cells", "lstm,gru", "--out", picture, "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert [one["cell"] for one in found["cells"]] == ["lstm", "gru"]
    assert all(len(one["trained"]["norms"]) == 13 for one in found["cells"])
    assert {one["gain"] for one in found["scaled"]} == set(gradients.GAINS)
    assert [one["optimizer"] for one in found["clipping"]] == ["adamw"] * 2 + ["sgd"] * 2
    assert png_size(picture)[0] >= 1000
    plain = cli(*args, "--cells", "lstm", "--out", picture)
    assert plain.err == f"picture: {picture}\n"
    tables, remarks = plain.out.split("\n\n")[:-1], plain.out.split("\n\n")[-1]
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80
    assert "Clipping" in remarks


def test_bptt_on_the_command_line(cli: Cli, text: Path, tmp_path: Path) -> None:
    picture = tmp_path / "bptt.png"
    args: list[str | Path] = [
        "lab",
        "bptt",
        text,
        "--steps",
        "2",
        "--hidden",
        "8",
        "--out",
        picture,
    ]
    done = cli(*args, "--seeds", "1", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert {(one["cell"], one["bptt"]) for one in found["points"]} == {
        (cell, T) for cell in ("rnn", "lstm") for T in bptt.LENGTHS
    }
    assert found["points"][0]["spread"] is None
    assert png_size(picture)[0] >= 1000
    plain = cli(*args, "--cells", "rnn")
    assert "rnn: best at T = " in plain.out


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
def test_what_an_experiment_refuses(cli: Cli, text: Path, tmp_path: Path, verb: str) -> None:
    short = tmp_path / "short.txt"
    short.write_text("a few words\n", "utf-8")
    out: list[str | Path] = ["--out", tmp_path / "no.png"]
    assert "give more text" in cli.fails("lab", verb, short, *out)
    assert "unknown cell 'elman'" in cli.fails("lab", verb, text, "--cells", "rnn,elman", *out)
    assert "nothing.txt" in cli.fails("lab", verb, tmp_path / "nothing.txt", *out)
    assert "nowhere" in cli.fails("lab", verb, text, "--out", tmp_path / "nowhere" / "a.png")
    assert not (tmp_path / "no.png").exists()


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
@pytest.mark.parametrize(("given", "wrong"), [(b"a\0b", "holds a NUL"), (b"a\xff", "not valid")])
def test_errors_of_stdin_say_so(cli: Cli, verb: str, given: bytes, wrong: str) -> None:
    said = cli.fails("lab", verb, "-", stdin=given)
    assert said.startswith("stdin ")
    assert wrong in said


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
def test_numbers_outlive_a_picture_that_fails(
    cli: Cli, text: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def fails(*args: object, **options: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("charlm.cli.lab.experiment.png", fails)
    args = ("--steps", "1", "--hidden", "4", "--cells", "gru", "--json")
    done = cli("lab", verb, text, *args, *(["--length", "3"] if verb == "gradients" else []))
    assert done.code == 2
    assert json.loads(done.out)
    assert done.err == "error: No space left on device\n"


@pytest.mark.parametrize("verb", ["gradients", "bptt"])
def test_the_picture_never_replaces_the_text(
    cli: Cli, text: Path, tmp_path: Path, verb: str
) -> None:
    before, link = text.read_bytes(), tmp_path / "link.txt"
    link.symlink_to(text)
    for out in (text, link):
        said = cli.fails("lab", verb, text, "--steps", "1", "--hidden", "4", "--out", out)
        assert said == f"{out} is one of the files to read: name another with --out"
    assert text.read_bytes() == before
