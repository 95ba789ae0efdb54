// Scores of lines, and what may come next: charlm/tasks/score.py and next_tokens.py.

import { measures, surprisal } from "/page/measures.js";
import { largest } from "/page/numbers.js";
import { rankOf } from "/page/reading.js";

// The scores of lines, each after the beginning of a line or, in a stream, after those before it.
export async function score(page, { sentences, tokens, context = "sentence" }) {
  const lines = sentences.map((line) => [...page.tokenizer.encode(line), page.tokenizer.eos]);
  const runs = context === "stream" ? [lines.flat()] : lines, read = [];
  for (const ids of runs) read.push(await readLine(page, ids));
  const nats = read.flatMap((one) => one.nats), ranks = read.flatMap((one) => one.ranks);
  let at = 0;
  return sentences.map((text, k) => {
    const here = [at, at += lines[k].length];
    return described(page, text, lines[k], nats.slice(...here), ranks.slice(...here), tokens);
  });
}

async function readLine(page, ids) {
  if (page.reader) return page.reader.read(ids);
  const predicted = await page.model.predictAll(ids);
  return {
    nats: predicted.map((nats, t) => nats[ids[t]]),
    ranks: predicted.map((nats, t) => rankOf(nats, ids[t])),
  };
}

function described({ tokenizer, speller }, text, ids, nats, ranks, tokens) {
  const spelling = ids.includes(tokenizer.unk) ? speller.logprob(tokenizer.unknown(text)) : 0;
  const found = { text, ...measures(`${text}\n`, ids, nats, tokenizer.unk, spelling) };
  if (tokens) {
    found.token_scores = ids.map((id, k) => ({
      token: tokenizer.names[id], logprob: nats[k], surprisal: surprisal(nats[k]), rank: ranks[k],
    }));
  }
  return found;
}

// A prompt's tokens, and whether it ends in a space that belongs to the next token.
export function encodePrompt(tokenizer, prompt) {
  const spaced = (tokenizer.level === "word" || tokenizer.level === "subword") && prompt.endsWith(" ");
  return { ids: tokenizer.encode(spaced ? prompt.replace(/ +$/, "") : prompt), spaced };
}

// The most probable next tokens, and the entropy of the distribution in bits (Shannon 1948).
export async function nextTokens({ model, tokenizer, reader }, { prompt, top_k }) {
  const state = await reader.stateAfter(encodePrompt(tokenizer, prompt).ids);
  const [nats] = model.predict([state]);
  let entropy = 0;
  for (const one of nats) if (one > -Infinity) entropy += Math.exp(one) * surprisal(one);
  const next = largest(nats, top_k).map((id) =>
    ({ token: tokenizer.names[id], logprob: nats[id], probability: Math.exp(nats[id]) }));
  return { entropy, next };
}
