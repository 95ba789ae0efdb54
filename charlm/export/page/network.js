// Recurrent networks: charlm/models/recurrent.py and bidirectional.py, for several texts at a time.
//
// The state of a text is, layer by layer, what the layer remembers: [h] or [h, c]. No state is ever
// changed, so that any may be kept and gone on from.

import { CELLS } from "/page/cells.js";
import { normalise, times } from "/page/numbers.js";
import { breathe } from "/page/pace.js";

const TABLE_ENTRIES = 1 << 22;  // of the table of first-layer products, made where it is not given

function row(values, k, width) {
  return values.subarray(k * width, (k + 1) * width);
}

function together(rows, width) {
  if (rows.length === 1) return rows[0];
  const all = new Float32Array(rows.length * width);
  rows.forEach((one, b) => all.set(one, b * width));
  return all;
}

function addToRows(values, bias) {
  for (let k = 0, n = 0; k < values.length; k++, n++) {
    if (n === bias.length) n = 0;
    values[k] += bias[n];
  }
  return values;
}

// Stacked layers: x_t = embedding of token t; h_t = cell(x_t, …), layer by layer. The uppermost h_t
// is what leaves the stack; in a residual network it is the sum of all of them.
class Stack {
  constructor(config, tensors, name) {
    this.config = config;
    this.cells = [];
    this.layers = [];
    for (let k = 0; k < config.layers; k++) {
      const of = (part) => tensors[`${name}.${k}.${part}`];
      this.cells.push(new CELLS[config.cell](config.hidden, of("peephole")));
      this.layers.push({ W: of("weight_hh"), b: of("bias_hh"), U: of("weight_ih"), bx: of("bias_ih") });
    }
    this.width = this.cells[0].gateCount * config.hidden;  // G·H
    this.start = this.cells.map((cell, k) =>
      cell.memory.map((part) => tensors[`${name}.${k}.${part}`] ?? new Float32Array(config.hidden)));
    this.embedding = tensors["embedding.weight"];
    this.table = tensors[`${name}.0.table`] ?? null;
    if (!this.table && config.vocab_size * this.width <= TABLE_ENTRIES) {
      this.table = this.ofVectors(this.embedding, config.vocab_size);
    }
  }

  // U x + b of the first layer for N vectors, (N, E) → (N, G·H).
  ofVectors(vectors, count) {
    const { U, bx } = this.layers[0];
    return addToRows(times(U, this.width, this.config.embed, vectors, count), bx);
  }

  // The same for a token.
  input(id) {
    return this.table ? row(this.table, id, this.width)
      : this.ofVectors(row(this.embedding, id, this.config.embed), 1);
  }

  // The same for the mean of all tokens' vectors.
  average() {
    const { vocab_size: V, embed: E } = this.config;
    const [rows, width] = this.table ? [this.table, this.width] : [this.embedding, E];
    const mean = new Float64Array(width);
    for (let k = 0; k < V * width; k++) mean[k % width] += rows[k] / V;
    return this.table ? Float32Array.from(mean) : this.ofVectors(Float32Array.from(mean), 1);
  }

  // The states after one more token in every text, from the inputs of these; and with `watch`, which
  // is called with layer, x, a and the memory before for every text, what the cells were given.
  step(states, inputs, watch) {
    const { hidden: H, layers, residual } = this.config, B = states.length, after = states.map(() => []);
    let xs = inputs;
    for (let k = 0; k < layers; k++) {
      const { W, b, U, bx } = this.layers[k], cell = this.cells[k];
      if (k > 0) {
        const below = after.map((done) => this.top(done, residual));
        const product = addToRows(times(U, this.width, H, together(below, H), B), bx);
        xs = below.map((_, n) => row(product, n, this.width));
      }
      const before = states.map((state) => state[k]);
      const a = addToRows(times(W, this.width, H, together(before.map((memory) => memory[0]), H), B), b);
      for (let n = 0; n < B; n++) {
        const part = row(a, n, this.width);
        watch?.(k, n, xs[n], part, before[n]);
        after[n].push(cell.step(xs[n], part, before[n]));
      }
    }
    return after;
  }

  // What layers with these memories give to the next one, or the last to the head.
  top(layers) {
    if (!this.config.residual || layers.length === 1) return layers.at(-1)[0];
    const sum = layers[0][0].slice();
    for (const [h] of layers.slice(1)) for (let k = 0; k < sum.length; k++) sum[k] += h[k];
    return sum;
  }
}

// From what leaves the stack to log P: u = tanh(D h + d), `dense` times; P = softmax(V u + c).
class Head {
  constructor(config, tensors) {
    this.V = config.vocab_size;
    this.width = (config.bidirectional ? 2 : 1) * config.hidden;
    this.hidden = config.hidden;
    this.embed = config.embed;
    this.dense = Array.from({ length: config.dense }, (_, k) =>
      ({ D: tensors[`dense.${k}.weight`], d: tensors[`dense.${k}.bias`] }));
    this.projection = tensors["projection.weight"];
    this.output = tensors[config.tied ? "embedding.weight" : "output.weight"];
    this.bias = tensors["output.bias"];
  }

  // (V,) nats for each of B tops.
  predict(tops) {
    const B = tops.length;
    let x = together(tops, this.width), width = this.width;
    for (const { D, d } of this.dense) {
      x = addToRows(times(D, this.hidden, width, x, B), d).map(Math.tanh);
      width = this.hidden;
    }
    if (this.projection) {
      x = times(this.projection, this.embed, width, x, B);
      width = this.embed;
    }
    const z = addToRows(times(this.output, this.V, width, x, B), this.bias);
    return tops.map((_, b) => normalise(row(z, b, this.V)));
  }
}

export class Recurrent {
  constructor({ config, eos }, tensors) {
    this.config = config;
    this.eos = eos;
    this.vocabSize = config.vocab_size;
    this.stack = new Stack(config, tensors, "rnn");
    this.head = new Head(config, tensors);
  }

  empty() {
    return this.stack.start;
  }

  advance(states, ids) {
    return this.stack.step(states, ids.map((id) => this.stack.input(id)));
  }

  predict(states) {
    return this.head.predict(states.map((state) => this.stack.top(state)));
  }
}

// P(x_t | all other tokens) = softmax(V [s→_{t−1}; s←_{t+1}] + c), from a stack that has read what is
// left of t and one that has read what is right of it (Schuster and Paliwal 1997).
export class Bidirectional {
  constructor({ config, eos }, tensors) {
    this.config = config;
    this.eos = eos;
    this.vocabSize = config.vocab_size;
    this.left = new Stack(config, tensors, "rnn");
    this.right = new Stack(config, tensors, "back");
    this.head = new Head(config, tensors);
  }

  // What token t of each line is predicted from, for every t: lines of the same length, (T, B).
  async tops(lines) {
    const T = lines[0].length, H = this.config.hidden;
    const pass = async (stack, states, places) => {
      const found = new Array(T);
      for (const t of places) {
        found[t] = states.map((state) => stack.top(state));
        states = stack.step(states, lines.map((line) => stack.input(line[t])));
        await breathe();
      }
      return found;
    };
    const forward = [...Array(T).keys()], begin = this.left.step([this.left.start], [this.left.input(this.eos)])[0];
    const before = await pass(this.left, lines.map(() => begin), forward);
    const after = await pass(this.right, lines.map(() => this.right.start), forward.toReversed());
    return before.map((row, t) => row.map((one, b) => together([one, after[t][b]], H)));
  }

  // (V,) nats for each token of a line.
  async predictAll(line) {
    const found = [];
    for (const [top] of await this.tops([line])) {
      found.push(this.head.predict([top])[0]);
      await breathe();
    }
    return found;
  }
}
