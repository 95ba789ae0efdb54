// Fill in the blanks of a line: charlm/tasks/fill.py, with narrower beams where a vocabulary is large.

import { start } from "/page/models.js";
import { logSumExp, normalise } from "/page/numbers.js";
import { breathe } from "/page/pace.js";

const BLANK = "_", PLACEHOLDERS = "\ua7ff\ua7fe\ua7fd";
const BIDIRECTIONAL_BEAM = 64, CAUSAL_BEAM = 1024, REFINED_LINES = 16;
const MAX_TRIES_PER_BLANK = 8, MAX_TRIES = 48, MAX_SWEEPS = 4;
const MAX_PREDICTIONS = 1 << 22;  // held in memory at a time
const ROWS = 32;  // texts that a model reads at a time

// The best ways to fill the blanks of a text, best first.
export async function fill(page, { text, top_k }) {
  const { model, tokenizer } = page, template = parse(tokenizer, text);
  const pseudo = !page.reader, unknown = tokenizer.unk ?? tokenizer.eos;
  const found = pseudo
    ? await fillBidirectional(model, template, unknown, Math.max(REFINED_LINES, Math.min(top_k, BIDIRECTIONAL_BEAM)))
    : await fillCausal(model, template);
  const total = logSumExp(found.map(({ nats }) => nats));
  return found.slice(0, top_k).map(({ ids, nats }) => {
    const tokens = template.blanks.map((place) => tokenizer.names[ids[place]]);
    return {
      ...(pseudo && template.blanks.length > 1 ? { pseudo } : {}),
      text: filled(template, tokens), tokens, logprob: nats, probability: Math.exp(nats - total),
    };
  });
}

// Templates ------------------------------------------------------------------------------------

// A line with blanks as tokens: ids, with <EOS>; the places of blanks among them; which tokens fit in
// each; and where each lies in the text.
function parse(tokenizer, text) {
  if (text.includes("\n")) throw new Error("the text has a line break: give a single line");
  const fits = tokenizer.names.map((_, id) => id !== tokenizer.eos && id !== tokenizer.unk);
  if (tokenizer.level === "word") return parseWords(tokenizer, text, fits);
  if (tokenizer.level !== "char") throw new Error("only models of characters and words fill blanks");
  const letters = [...text];
  const blanks = [...letters.keys()].filter((k) => letters[k] === BLANK);
  return {
    ids: [...tokenizer.encode(text), tokenizer.eos], blanks, allowed: blanks.map(() => fits),
    text: letters, spans: blanks.map((k) => [k, k + 1]),
  };
}

function parseWords(tokenizer, text, fits) {
  const placeholder = [...PLACEHOLDERS].find((letter) => !text.includes(letter));
  if (!placeholder) throw new Error(`the text contains all of ${PLACEHOLDERS}: remove one of them`);
  const marked = text.replaceAll(/_+/g, placeholder);
  const parts = tokenizer.words(marked);
  const blanks = [...parts.keys()].filter((k) => parts[k].includes(placeholder));
  const spans = [], allowed = [];
  let after = 0;
  for (const part of blanks.map((k) => parts[k])) {
    const pieces = part.split(placeholder);
    const first = marked.indexOf(placeholder, after);
    let last = first;
    for (let k = 2; k < pieces.length; k++) last = marked.indexOf(placeholder, last + 1);
    const begin = first - pieces[0].length;
    after = last + 1 + pieces.at(-1).length;
    spans.push([begin, after]);
    const fitting = new RegExp(`^${pieces.map(quoted).join(".+")}$`, "su");
    allowed.push(fits.map((fit, id) => fit && fitting.test(tokenizer.names[id])));
    if (!allowed.at(-1).includes(true)) {
      throw new Error(`no word in the vocabulary fits ${part.replaceAll(placeholder, BLANK)}`);
    }
  }
  return { ids: [...tokenizer.encode(marked), tokenizer.eos], blanks, allowed, text: marked, spans };
}

function quoted(text) {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, (c) => `\\${c}`);
}

function filled({ text, spans }, tokens) {
  const slice = (begin, end) => typeof text === "string" ? text.slice(begin, end) : text.slice(begin, end).join("");
  let done = "", last = 0;
  spans.forEach(([begin, end], k) => {
    done += slice(last, begin) + tokens[k];
    last = end;
  });
  return done + slice(last);
}

// Searches -------------------------------------------------------------------------------------

// Rows, tokens and sums of the best continuations that fit, best first.
function best(predicted, sums, fits, limit) {
  const found = [];
  predicted.forEach((nats, row) => {
    for (let id = 0; id < nats.length; id++) if (fits[id]) found.push({ row, id, sum: sums[row] + nats[id] });
  });
  return found.sort((a, b) => b.sum - a.sum || a.row - b.row || a.id - b.id).slice(0, limit);
}

// What a function makes of ROWS items at a time.
async function inTurns(items, work) {
  const found = [];
  for (let k = 0; k < items.length; k += ROWS) {
    found.push(...await work(items.slice(k, k + ROWS), k));
    await breathe();
  }
  return found;
}

// Lines, best first, with log P of each: beam search from left to right.
async function fillCausal(model, { ids, blanks, allowed }) {
  const widest = Math.max(BIDIRECTIONAL_BEAM, Math.floor(MAX_PREDICTIONS / model.vocabSize));
  const width = blanks.length === 1 ? widest : Math.min(CAUSAL_BEAM, widest);
  let rows = [{ ids: [], nats: 0, state: start(model) }];
  for (let place = 0; place < ids.length; place++) {
    const blank = blanks.indexOf(place), id = ids[place];
    if (blank >= 0) {
      const predicted = await inTurns(rows, (some) => model.predict(some.map((row) => row.state)));
      const sums = rows.map((row) => row.nats);
      rows = best(predicted, sums, allowed[blank], width)
        .map(({ row, id: token, sum }) => ({ ids: [...rows[row].ids, token], nats: sum, state: rows[row].state }));
    } else {
      const nats = await inTurns(rows, (some) => model.predict(some.map((row) => row.state)).map((one) => one[id]));
      rows = rows.map((row, k) => ({ ids: [...row.ids, id], nats: row.nats + nats[k], state: row.state }));
    }
    if (place + 1 === ids.length) break;
    const states = await inTurns(rows, (some) =>
      model.advance(some.map((row) => row.state), some.map((row) => row.ids.at(-1))));
    rows = rows.map((row, k) => ({ ...row, state: states[k] }));
  }
  return rows.sort((a, b) => b.nats - a.nats);
}

// Lines, best first; for a single blank with log P(token | all others), for several with the sum of
// log P(token | all others) over the line: the tokens in the blanks must fit those around them.
async function fillBidirectional(model, { ids, blanks, allowed }, unknown, poolSize) {
  const single = blanks.length === 1;
  let lines = [ids.map((id, k) => blanks.includes(k) ? unknown : id)], sums = [0];
  const predictedAt = async (some, place) => inTurns(some, async (part) =>
    model.head.predict((await model.tops(part))[place]));
  for (const [k, place] of blanks.entries()) {  // what follows is unknown yet
    let predicted = await predictedAt(lines, place);
    if (single) predicted = predicted.map((nats) => normalise(nats.map((one, id) => allowed[k][id] ? one : -Infinity)));
    const found = best(predicted, sums, allowed[k], single ? model.vocabSize : BIDIRECTIONAL_BEAM);
    sums = found.map((one) => one.sum);
    lines = found.map(({ row, id }) => lines[row].with(place, id));
  }
  if (single) return lines.map((line, k) => ({ ids: line, nats: sums[k] }));
  const seen = new Map();
  const ranked = async (some) => {
    const fresh = [...new Map(some.map((line) => [line.join(), line])).entries()];
    const missing = fresh.filter(([key]) => !seen.has(key)).map(([, line]) => line);
    const nats = await inTurns(missing, (part) => sumOf(model, part));
    missing.forEach((line, k) => seen.set(line.join(), { ids: line, nats: nats[k] }));
    return fresh.map(([key]) => seen.get(key)).sort((a, b) => b.nats - a.nats);
  };
  let pool = (await ranked(lines)).slice(0, poolSize);
  const tries = Math.max(2, Math.min(MAX_TRIES_PER_BLANK, Math.floor(MAX_TRIES / blanks.length)));
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {  // each blank again, given the others
    const trials = pool.map((one) => one.ids);
    for (const [k, place] of blanks.entries()) {
      const predicted = await predictedAt(pool.map((one) => one.ids), place);
      predicted.forEach((nats, row) => {
        for (const { id } of best([nats], [0], allowed[k], tries)) trials.push(pool[row].ids.with(place, id));
      });
    }
    const found = (await ranked(trials)).slice(0, poolSize);
    if (found.every((one, k) => one.nats === pool[k]?.nats)) break;
    pool = found;
  }
  return [...seen.values()].sort((a, b) => b.nats - a.nats);
}

// Σ log P(token | all others) over each of some lines.
async function sumOf(model, lines) {
  const sums = lines.map(() => 0);
  for (const [t, tops] of (await model.tops(lines)).entries()) {
    model.head.predict(tops).forEach((nats, b) => {
      sums[b] += nats[lines[b][t]];
    });
    await breathe();
  }
  return sums;
}
