"""Choices between sentences: minimal pairs, test suites, n-best lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import require
from .loaded import Loaded

if TYPE_CHECKING:  # imported on first use
    from ..tasks.compare_pairs import PairComparison
    from ..tasks.nbest import Utterance
    from ..tasks.pair_files import PairSource
    from ..tasks.pairs import Pair, PairScore, PairScores
    from ..tasks.rescore import Rescored
    from ..tasks.suites import SuiteScores


class Choosing(Loaded):
    """Which of several sentences a model prefers."""

    def pairs(
        self,
        pairs: str | Path | Iterable[PairSource],
        *,
        region: bool = False,
        norm: str = "none",
        by: str | None = None,
        text: str | Path | None = None,
        skip_oov: bool = False,
        encoding: str = "utf-8",
        errors: str = "strict",
        jobs: int = 1,
        progress: Callable[[float], None] | None = None,
    ) -> PairScores:
        """Score minimal pairs: is the good sentence more probable than the bad one?

        pairs: (good, bad) or (good, bad, phenomenon) each, or files of them: tab-separated, or JSON
        lines with sentence_good and sentence_bad (BLiMP), or with a sentence and two words for the
        same place in it.
        region (bool, False): score only where the two sentences differ.
        norm (str, "none"): divide log P by the length in tokens ("token") or characters ("char").
        by (str, None): the column to group by; default: linguistics_term, phenomenon or UID.
        text (path, None): the sentences of files that have position, right word and wrong word.
        skip_oov (bool, False): leave out pairs with a word that the model does not know.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): how to handle bytes that do not decode.
        jobs (int, 1): processes, each with the model, that divide the pairs.
        progress (function, None): called now and then with the fraction done, if there are several.

        >>> model.pairs([("The cat was full.", "The cat were full.")]).accuracy
        1.0
        """
        from ..tasks.pair_files import collect
        from ..tasks.pairs import PairScores, known, score_pairs

        level = self.tokenizer.level
        collected = collect(pairs, by, text=text, encoding=encoding, errors=errors, level=level)
        if jobs == 1:
            return score_pairs(
                self.causal, self.tokenizer, collected, region=region, norm=norm, skip_oov=skip_oov
            )
        kept = known(self.tokenizer, collected) if skip_oov else collected
        work = partial(_pairs, region=region, norm=norm)
        scored = self.shared_out(work, kept, jobs, progress)
        return PairScores(tuple(scored), len(collected) - len(kept))

    def compare_pairs(
        self,
        other: Loaded,
        pairs: str | Path | Iterable[PairSource],
        *,
        by: str | None = None,
        text: str | Path | None = None,
        skip_oov: bool = False,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> PairComparison:
        """Compare this model (the first) and another on minimal pairs: exact McNemar tests.

        pairs, by, text, encoding, errors: as in `pairs`.
        skip_oov (bool, False): leave out pairs with a word that one of the models does not know.
        """
        from ..tasks.compare_pairs import compare_pairs
        from ..tasks.pair_files import collect

        same = self.tokenizer.level == other.tokenizer.level
        level = self.tokenizer.level if same else "char"
        how = {"encoding": encoding, "errors": errors}
        collected = collect(pairs, by, text=text, level=level, **how)
        models = [(one.lm, one.tokenizer) for one in (self, other)]
        return compare_pairs(models, collected, skip_oov=skip_oov)

    def regions(
        self, suite: str | Path, *, encoding: str = "utf-8", errors: str = "strict"
    ) -> SuiteScores:
        """Surprisal region by region of a test suite (SyntaxGym's JSON), and its predictions.

        encoding (str, "utf-8"): of the file.
        errors (str, "strict"): how to handle bytes that do not decode.
        """
        from ..tasks.suite_files import read_file
        from ..tasks.suites import score_suite

        found = read_file(suite, encoding=encoding, errors=errors)
        return score_suite(self.causal, self.tokenizer, found)

    def rescore(
        self,
        utterances: str | Path | Sequence[Utterance],
        references: str | Path | Mapping[str, str] | None = None,
        *,
        alpha: float | None = None,
        beta: float | None = None,
        tune: bool = False,
        dev: str | Path | Sequence[Utterance] | None = None,
        dev_references: str | Path | Mapping[str, str] | None = None,
        metric: str = "wer",
        oov: str | None = None,
        oov_penalty: float | None = None,
        scores: str | Path | None = None,
        lm_scores: str | Path | None = None,
        acoustic_scale: float = 1.0,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> Rescored:
        """Rerank n-best lists by first pass + α · (log P − old LM) + β · words, all in nats.

        utterances: lists, or a file of them: tab-separated (utterance, hypothesis, score, perhaps
        old_lm_score), JSON lines or, with `scores`, Kaldi's text.
        references (path or mapping, None): reference transcripts by utterance, for error rates.
        alpha (float, 1): weight of the language model.
        beta (float, 0): nats for each word.
        tune (bool, False): find the alpha and beta with the fewest errors.
        dev, dev_references (None): find them on these lists instead, with their references.
        metric (str, "wer"): count errors in words, or ("cer") in characters.
        oov (str, None): how unknown words count, see `compare`.
        oov_penalty (float, None): nats taken off for each unknown word, which counts as <UNK>.
        scores, lm_scores (paths, None): Kaldi's costs of the first pass and of the old LM.
        acoustic_scale (float, 1.0): multiplies the costs of the first pass.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): how to handle bytes that do not decode.
        """
        from ..tasks.nbest import read_files, read_reference_file
        from ..tasks.rescore import rescore

        reading = {"encoding": encoding, "errors": errors, "level": self.tokenizer.level}
        if isinstance(utterances, str | Path):
            utterances = read_files(
                utterances, scores, lm_scores, acoustic_scale=acoustic_scale, **reading
            )
        if isinstance(references, str | Path):
            references = read_reference_file(references, **reading)
        if isinstance(dev, str | Path):
            dev = read_files(dev, encoding=encoding, errors=errors, level=self.tokenizer.level)
        if isinstance(dev_references, str | Path):
            dev_references = read_reference_file(dev_references, **reading)
        require((dev is None) == (dev_references is None), "`dev` goes with `dev_references`")
        return rescore(
            self.causal,
            self.tokenizer,
            utterances,
            references,
            alpha=alpha,
            beta=beta,
            tune=tune,
            dev=None if dev is None or dev_references is None else (dev, dev_references),
            metric=metric,
            oov=oov,
            oov_penalty=oov_penalty,
        )


def _pairs(model: Choosing, pairs: Sequence[Pair], *, region: bool, norm: str) -> list[PairScore]:
    return list(model.pairs(pairs, region=region, norm=norm).pairs)
