// The network at work: charlm/serve/inside.py, models/activations.py and tasks/influence.py.

import { bits } from "/page/measures.js";
import { start } from "/page/models.js";
import { breathe } from "/page/pace.js";

const GATES = "iforz", LARGEST = 127, MAX_SHOWN = 1000;
const WINDOW = 128;  // tokens before a prediction that may bear on it

// All units of a place, layer:what, after each token: from −1 to 1, gates from −1 for 0; and what can be
// larger than 1 divided by the largest.
async function values(network, ids, place) {
  const [layer, what] = place.split(":"), { stack } = network, found = [];
  let state = start(network);
  for (const id of ids) {
    let gates = {};
    const watch = (k, _, x, a, memory) => {
      if (k === Number(layer) && GATES.includes(what)) gates = stack.cells[k].gates(x, a, memory);
    };
    [state] = stack.step([state], [stack.input(id)], watch);
    found.push(gates[what] ?? state[layer]["hc".indexOf(what)]);
    await breathe();
  }
  return found;
}

function scaled(what, rows) {
  if (GATES.includes(what)) return rows.map((row) => row.map((value) => 2 * value - 1));
  let most = 1;
  for (const row of rows) for (const value of row) most = Math.max(most, Math.abs(value));
  return rows.map((row) => row.map((value) => value / most));
}

export async function inside({ network, tokenizer }, { text, place }) {
  const ids = tokenizer.encode(text);
  const rows = scaled(place.split(":")[1], (await values(network, ids, place)).slice(-MAX_SHOWN));
  const units = network.config.hidden, bytes = new Int8Array(rows.length * units);
  rows.forEach((row, t) => bytes.set(row.map((value) => Math.round(LARGEST * value)), t * units));
  return { tokens: named(tokenizer, ids.slice(-MAX_SHOWN)), units, values: base64(new Uint8Array(bytes.buffer)) };
}

export async function unit({ network, tokenizer }, { text, unit: asked }) {
  const [layer, index, what] = asked.split(":"), ids = tokenizer.encode(text);
  const rows = (await values(network, ids, `${layer}:${what}`)).map((row) => row.subarray(index, Number(index) + 1));
  return { tokens: named(tokenizer, ids), values: scaled(what, rows).map(([value]) => value) };
}

// How much the prediction in place of a token depends on each token before it: the Kullback-Leibler
// divergence D(P ‖ P′) = Σ_v P(v) log2 (P(v) / P′(v)) of the prediction P′ after reading an average
// token in its place, bits.
export async function influence({ network, tokenizer }, { text, token: at }) {
  const ids = tokenizer.encode(text), { stack } = network;
  if (!text.endsWith("\n")) ids.push(tokenizer.eos);
  const first = Math.max(0, at - WINDOW), average = stack.average();
  let state = start(network);
  for (const id of ids.slice(0, first)) {
    [state] = network.advance([state], [id]);
    await breathe();
  }
  let states = [state];  // with all tokens as they are; then, with an average one in the first place …
  for (const id of ids.slice(first, at)) {
    const x = stack.input(id);
    states = stack.step([...states, states[0]], [...states.map(() => x), average]);
    await breathe();
  }
  const [whole, ...without] = network.predict(states);
  const found = without.map((other) => {
    let sum = 0;
    for (let v = 0; v < whole.length; v++) {
      if (whole[v] > -Infinity) sum += Math.exp(whole[v]) * (whole[v] - other[v]);
    }
    return bits(Math.max(0, sum));
  });
  return { tokens: named(tokenizer, ids), bits: [...new Array(first).fill(0), ...found] };
}

function named(tokenizer, ids) {
  return ids.map((id) => id === tokenizer.eos ? "\n" : tokenizer.names[id]);
}

function base64(bytes) {
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return btoa(letters);
}
