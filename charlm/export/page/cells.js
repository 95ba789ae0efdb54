// The recurrent cells, one step of one text each: charlm/models/cells.py has the same equations.
//
//     cell.step(x, a, memory)     the memory after the step, [h] or [h, c]
//     cell.gates(x, a, memory)    the gates of that step, by name
//
// x is U x_t + b_ih, and a is W h_{t−1} + b_hh, both (G·H), in torch's order of gates; memory is
// what the layer remembers, [h] or [h, c], of H numbers each. Nothing is changed in place.

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}

function vector(size, entry) {
  const made = new Float32Array(size);
  for (let k = 0; k < size; k++) made[k] = entry(k);
  return made;
}

// h_t = tanh(U x_t + W h_{t−1} + b)                              (Elman 1990)
class Simple {
  memory = ["h0"];
  gateCount = 1;

  constructor(hidden) {
    this.hidden = hidden;
  }

  step(x, a) {
    return [vector(this.hidden, (k) => Math.tanh(x[k] + a[k]))];
  }

  gates() {
    return {};
  }
}

// h_t = max(0, U x_t + W h_{t−1} + b)                            (Le, Jaitly and Hinton 2015)
class Rectified extends Simple {
  step(x, a) {
    return [vector(this.hidden, (k) => Math.max(0, x[k] + a[k]))];
  }
}

// i_t = σ(U_i x_t + W_i h_{t−1} + b_i + p_i ⊙ c_{t−1})           how much of the new is written
// f_t = σ(U_f x_t + W_f h_{t−1} + b_f + p_f ⊙ c_{t−1})           how much of the old is kept
// g_t = tanh(U_g x_t + W_g h_{t−1} + b_g)                        the new
// c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
// o_t = σ(U_o x_t + W_o h_{t−1} + b_o + p_o ⊙ c_t)               how much of it is shown
// h_t = o_t ⊙ tanh(c_t)
//
// (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000; the peepholes p, which are 0
// without them: Gers and Schmidhuber 2000)
class LSTM extends Simple {
  memory = ["h0", "c0"];
  gateCount = 4;

  constructor(hidden, peephole) {
    super(hidden);
    this.peephole = peephole ?? new Float32Array(3 * hidden);  // of i, f, o
  }

  step(x, a, [, before]) {
    const H = this.hidden, p = this.peephole;
    const h = new Float32Array(H), c = new Float32Array(H);
    for (let k = 0; k < H; k++) {
      const i = sigmoid(x[k] + a[k] + p[k] * before[k]);
      const f = sigmoid(x[H + k] + a[H + k] + p[H + k] * before[k]);
      const g = Math.tanh(x[2 * H + k] + a[2 * H + k]);
      c[k] = f * before[k] + i * g;
      h[k] = sigmoid(x[3 * H + k] + a[3 * H + k] + p[2 * H + k] * c[k]) * Math.tanh(c[k]);
    }
    return [h, c];
  }

  gates(x, a, memory) {
    const H = this.hidden, p = this.peephole, before = memory[1], c = this.step(x, a, memory)[1];
    return {
      i: vector(H, (k) => sigmoid(x[k] + a[k] + p[k] * before[k])),
      f: vector(H, (k) => sigmoid(x[H + k] + a[H + k] + p[H + k] * before[k])),
      o: vector(H, (k) => sigmoid(x[3 * H + k] + a[3 * H + k] + p[2 * H + k] * c[k])),
    };
  }
}

// r_t = σ(U_r x_t + W_r h_{t−1} + b_r)                           how much of the old the new sees
// z_t = σ(U_z x_t + W_z h_{t−1} + b_z)                           how much of the old is kept
// n_t = tanh(U_n x_t + b_n + r_t ⊙ (W_n h_{t−1} + b_hn))         the new
// h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}                          (Cho et al. 2014)
class GRU extends Simple {
  gateCount = 3;

  step(x, a, [before]) {
    const H = this.hidden, h = new Float32Array(H);
    for (let k = 0; k < H; k++) {
      const r = sigmoid(x[k] + a[k]), z = sigmoid(x[H + k] + a[H + k]);
      const n = Math.tanh(x[2 * H + k] + r * a[2 * H + k]);
      h[k] = n + z * (before[k] - n);
    }
    return [h];
  }

  gates(x, a) {
    const H = this.hidden;
    return {
      r: vector(H, (k) => sigmoid(x[k] + a[k])),
      z: vector(H, (k) => sigmoid(x[H + k] + a[H + k])),
    };
  }
}

export const CELLS = { rnn: Simple, "rnn-relu": Rectified, lstm: LSTM, "lstm-peephole": LSTM, gru: GRU };
