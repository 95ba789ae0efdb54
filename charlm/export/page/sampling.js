// What a model writes: charlm/tasks/sampling_filters.py, prompt.py and stream_writer.py.

import { largest, normalise } from "/page/numbers.js";
import { breathe } from "/page/pace.js";
import { encodePrompt } from "/page/scoring.js";

const UNSTABLE_CHARS = 3;  // at the end of a text, that the next byte may still change
const MAX_LINE_TOKENS = 256;  // of a line; beyond this its beginning is dropped

// What to draw from: log P ^ (1 / temperature), of the k most probable tokens, of the smallest set of
// the most probable ones with mass ≥ p (Holtzman et al. 2020). A temperature of 0 leaves one token.
export function filtered(nats, { temperature = 1, top_k = 0, top_p = 1 }) {
  if (temperature === 0) return only(nats, largest(nats, 1));
  let left = Float64Array.from(nats);
  for (let id = 0; id < left.length; id++) left[id] /= temperature;
  normalise(left);
  if (top_k && top_k < left.length) left = only(left, largest(left, top_k));
  if (top_p < 1) {
    const order = largest(left);
    let mass = 0, count = 0;
    while (count < order.length && mass < top_p) mass += Math.exp(left[order[count++]]);
    left = only(left, order.slice(0, count));
  }
  return left;
}

function only(nats, ids) {
  const left = new Float64Array(nats.length).fill(-Infinity);
  for (const id of ids) left[id] = nats[id];
  return normalise(left);
}

// A token by inversion: the first whose cumulative probability exceeds the draw.
export function draw(nats, uniform = Math.random()) {
  let sum = 0, last = 0;
  for (let id = 0; id < nats.length; id++) {
    if (nats[id] === -Infinity) continue;
    sum += Math.exp(nats[id]);
    last = id;
    if (sum > uniform) return id;
  }
  return last;
}

// A growing text piece by piece, never a piece that may still change: a character of several bytes is
// withheld until it is complete, a single quote between words to the end of its line.
class Writer {
  constructor(tokenizer, promptIds, spaced) {
    Object.assign(this, { tokenizer, spaced, closed: false });
    this.line = promptIds.slice(promptIds.lastIndexOf(tokenizer.eos) + 1);
    this.shown = tokenizer.decode(this.line).length;
    const quote = tokenizer.level === "word" ? tokenizer.ids.get("'") : undefined;
    this.quote = quote === tokenizer.unk ? undefined : quote;
  }

  add(id) {
    let piece = "";
    if (this.closed) {
      piece = "\n";
      this.line = [];
      this.shown = 0;
    }
    this.closed = id === this.tokenizer.eos;
    if (!this.closed) {
      this.line.push(id);
      if (this.line.includes(this.quote)) return this.trimmed(piece);
    }
    return this.trimmed(piece + this.grown(this.closed));
  }

  // The rest, when nothing more will come.
  rest() {
    return this.trimmed((this.closed ? "\n" : "") + (this.closed ? "" : this.grown(true)));
  }

  grown(whole) {
    const text = this.tokenizer.decode(this.line);
    let stable = text.length;
    while (!whole && stable > text.length - UNSTABLE_CHARS && text[stable - 1] === "\ufffd") stable--;
    const piece = text.slice(this.shown, stable);
    this.shown = Math.max(this.shown, stable);
    if (this.line.length > MAX_LINE_TOKENS && this.shown === text.length && this.tokenizer.level !== "word") {
      this.line = this.line.slice(-MAX_LINE_TOKENS / 8);  // decoding all for every token would be slow
      this.shown = this.tokenizer.decode(this.line).length;
    }
    return piece;
  }

  trimmed(piece) {
    if (!piece || !this.spaced) return piece;
    this.spaced = false;
    return piece.replace(/^ /, "");
  }
}

// Tokens one by one, with the text that each completes: { id, nats, text }.
export async function* completion({ model, tokenizer, reader }, asked) {
  const { ids, spaced } = encodePrompt(tokenizer, asked.prompt);
  const writer = new Writer(tokenizer, ids, spaced), most = asked.max_tokens ?? 16;
  let state = await reader.stateAfter(ids);
  for (let written = 0; written < most; written++) {
    const [nats] = model.predict([state]), allowed = nats.slice();
    if (tokenizer.unk !== null && !asked.allow_unk) allowed[tokenizer.unk] = -Infinity;
    if (spaced && !written) for (const id of tokenizer.insideWord) allowed[id] = -Infinity;
    const id = draw(filtered(allowed, asked));
    const ended = id === tokenizer.eos && !asked.ignore_eos;
    yield { id, nats: nats[id], text: ended ? writer.rest() : writer.add(id) };
    if (ended) return;
    [state] = model.advance([state], [id]);
    await breathe();
  }
  yield { id: null, nats: null, text: writer.rest() };
}
