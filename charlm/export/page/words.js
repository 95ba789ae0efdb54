// Lines into words and back: charlm/text/word_tokenizer.py.

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";  // Python's
const SPACES = new RegExp(`[${SPACE}]+`, "u");

// The words between white space, each in its parts where there is a pattern, and a newline as an item
// of its own for each line end.
export function wordsOf(text, pattern, unkToken) {
  const words = [];
  text.split("\n").forEach((line, k) => {
    if (k) words.push("\n");
    for (const word of line.split(SPACES)) {
      if (!word) continue;
      if (!pattern || word === unkToken || /^[A-Za-z]+$/.test(word)) words.push(word);
      else words.push(...word.match(pattern) ?? []);
    }
  });
  return words;
}

// After Unicode's word boundaries (UAX #29), with hyphenated compounds kept whole.
export function pattern({ cjk, marks }) {
  const w = "[\\p{L}\\p{N}_]", letter = `(?:(?![${cjk}])${w}[${marks}\\u200c\\u200d]*)`;
  return new RegExp([
    `[${cjk}][${marks}]*`,
    `(?:(?![${cjk}])[\\p{L}\\p{Nl}\\p{No}]\\.){2,}`,  // e.g. U.S.A.
    `${letter}+(?:(?:['’·\\-‐‑&]|(?<=\\p{Nd})[.,:/](?=\\p{Nd}))${letter}+)*`,  // don't, 3.14, so-so
    `['’](?:s|S|d|m|t|ll|re|ve|em|tis|twas|til)(?!${w})`,  // ’s on its own
    "``|''|\\.{2,}|-{2,}",  // Penn quotes, ellipsis, dash
    `[^${SPACE}][${marks}\\u200d\\ufe0f]*`,
  ].join("|"), "gu");
}

// One line of running text; more words only ever add to its end.
export function joinWords(words, patterns) {
  const is = (name, word) => new RegExp(`^(?:${patterns[name]})$`, "u").test(word);
  const edge = new RegExp(`^(?:${patterns.cjk_edge})`, "u"), quoted = new Set();
  let text = "", space = false, previous = "";
  for (const word of words) {
    if (word === "." && previous[0] !== "." && previous.endsWith(".")) continue;  // after "Jr."
    let before = true, after = true;
    if (is("paired", word)) {
      const possessive = word === "'" && /[sS]$/.test(text);
      after = quoted.has(word) || possessive;
      before = !after;
      if (quoted.has(word)) quoted.delete(word);
      else if (before) quoted.add(word);
    } else if (is("no_space_before", word)) {
      before = false;
    } else if (is("no_space_after", word)) {
      after = false;
    } else if (is("tight", word)) {
      before = after = false;
    }
    const cjk = edge.test(word) || edge.test([...text.slice(-2)].at(-1) ?? "");
    text += space && before && !cjk ? ` ${word}` : word;
    space = after;
    previous = word;
  }
  return text;
}
