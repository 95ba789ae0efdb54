"""Text that a model writes: samples, endings, next tokens, blanks filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import require
from ..tasks.sample import Sample, sample
from .loaded import Loaded

if TYPE_CHECKING:  # all but sampling is imported on first use
    from ..tasks.complete import Completion
    from ..tasks.fill import Filled
    from ..tasks.next_tokens import NextTokens


class Generating(Loaded):
    """What a model writes."""

    def sample(
        self,
        *,
        prompt: str = "",
        num_samples: int = 1,
        max_tokens: int = 1000,
        lines: int = 1,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical: float = 1.0,
        no_repeat: int = 0,
        no_copy: int = 0,
        training_text: str | Path | None = None,
        match: str | None = None,
        words: str | Path | Iterable[str] | None = None,
        seed: int = 0,
        allow_unk: bool = False,
        allow_new_words: bool = False,
        on_text: Callable[[str], None] | None = None,
        on_sample: Callable[[Sample], None] | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> list[Sample]:
        """Sample texts.

        prompt (str, ""): how each begins.
        num_samples (int, 1): how many.
        max_tokens (int, 1000): maximum length of a text.
        lines (int, 1): stop at the end (<EOS>) of this many lines.
        temperature (float, 1.0): below 1 sharpens the distribution; 0 takes the most probable.
        top_k (int, 0): sample only from the k most probable tokens; 0: from all.
        top_p (float, 1.0): sample only from the most probable tokens with total probability p.
        min_p (float, 0.0): only from tokens at least p times as probable as the most probable.
        typical (float, 1.0): only from the most typical tokens with total probability p.
        no_repeat (int, 0): at most N tokens in a row that stand in the text so far; 0: no limit.
        no_copy (int, 0): at most N tokens in a row that stand in the training text; 0: no limit.
        training_text (path, None): for `no_copy`; None: where the model's run has it.
        match (str, None): a regular expression that every line matches in full; needs `regex`.
        words (path or strings, None): a file (or a list) of the only words that may be written.
        seed (int, 0): the same seed gives the same texts.
        allow_unk (bool, False): allow <UNK> to be sampled.
        allow_new_words (bool, False): where a word model has <UNK>, spell a new word.
        on_text (function, None): for a single text, called with each piece as soon as it is final.
        on_sample (function, None): called with each sample, in order, when its batch is drawn.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): how to handle bytes that do not decode.
        """
        lm, copied = self.causal, None
        require(bool(no_copy) or training_text is None, "`training_text` is for `no_copy`")
        if no_copy:
            from ..runs import training_text as texts

            if training_text is None:
                copied = texts.find(
                    Path(self._info["path"]), self.tokenizer, self._info["training"]
                )
            else:
                copied = texts.read(
                    [training_text], self.tokenizer, encoding=encoding, errors=errors
                )
        if isinstance(words, str | Path):
            from ..text.source import open_lines

            with open_lines(words, encoding, errors) as (_, listed):
                words = list(listed)
        return sample(
            lm,
            self.tokenizer,
            prompt=prompt,
            num_samples=num_samples,
            max_tokens=max_tokens,
            lines=lines,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            typical=typical,
            no_repeat=no_repeat,
            no_copy=no_copy,
            training_text=copied,
            match=match,
            words=words,
            seed=seed,
            allow_unk=allow_unk,
            allow_new_words=allow_new_words,
            on_text=on_text,
            on_sample=on_sample,
        )

    def complete(
        self,
        prompt: str,
        *,
        num: int = 3,
        beam: int = 8,
        length_penalty: float = 0.0,
        max_tokens: int = 200,
        min_length: int = 1,
        allow_unk: bool = False,
    ) -> list[Completion]:
        """The most probable endings of the sentence that `prompt` begins, best first.

        num (int, 3): how many.
        beam (int, 8): beam width.
        length_penalty (float, 0.0): α from 0 to 4: rank by log P / tokens^α; 0: by log P alone.
        max_tokens (int, 200): maximum length of an ending.
        min_length (int, 1): its minimum length, in tokens besides <EOS>; 0: it may be empty.
        allow_unk (bool, False): allow <UNK> in an ending.
        """
        from ..tasks.complete import complete

        return complete(
            self.causal,
            self.tokenizer,
            prompt,
            num=num,
            beam=beam,
            length_penalty=length_penalty,
            max_tokens=max_tokens,
            min_length=min_length,
            allow_unk=allow_unk,
        )

    def next_tokens(self, prompt: str = "", *, top_k: int = 15) -> NextTokens:
        """The most probable next tokens after `prompt`, and the entropy of the distribution, bits.

        top_k (int, 15): how many tokens.

        >>> tokens, entropy = model.next_tokens("The apple and", top_k=5)
        >>> tokens[0].token
        'pear'
        """
        from ..tasks.next_tokens import next_tokens

        return next_tokens(self.causal, self.tokenizer, prompt, top_k=top_k)

    def fill(self, text: str, *, top_k: int = 5, left_only: bool = False) -> list[Filled]:
        """The most probable ways to fill the blanks (_) of a line, best first.

        A blank is a character (character models); a run of them, a word or part of one (words).

        top_k (int, 5): how many ways.
        left_only (bool, False): use only the context to the left of the blanks.
        """
        from ..tasks.fill import fill

        return fill(self.lm, self.tokenizer, text, top_k=top_k, left_only=left_only)
