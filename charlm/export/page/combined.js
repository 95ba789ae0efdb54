// Models made of other models: charlm/models/mixture.py, log_linear.py, unigram_cache.py and
// other_words.py.

import { logSumExp, normalise } from "/page/numbers.js";

class Combined {
  constructor({ weights, eos }, parts) {
    this.weights = weights;
    this.eos = eos;
    this.parts = parts;
    this.vocabSize = parts[0].vocabSize;
  }

  empty() {
    return this.parts.map((part) => part.empty());
  }

  advance(states, ids) {
    const after = this.parts.map((part, k) => part.advance(states.map((state) => state[k]), ids));
    return states.map((_, b) => after.map((part) => part[b]));
  }

  // What each part predicts: (parts, texts).
  predicted(states) {
    return this.parts.map((part, k) => part.predict(states.map((state) => state[k])));
  }
}

// P(w | c) = Σ_k λ_k(c) P_k(w | c), with one row of weights, or one for each length of the longest
// context that the n-gram model knows (Jelinek and Mercer 1980).
export class Mixture extends Combined {
  constructor(spec, parts) {
    super(spec, parts);
    const orders = parts.map((part) => part.order ?? 0), most = Math.max(...orders);
    this.guide = most > 1 && this.weights.length > 1 ? orders.indexOf(most) : null;
  }

  predict(states) {
    const nats = this.predicted(states);
    return states.map((state, b) => {
      const weights = this.weights[this.guide === null ? 0 : this.matched(state)];
      const p = new Float64Array(this.vocabSize);
      weights.forEach((weight, k) => {
        const part = nats[k][b];
        for (let v = 0; v < p.length; v++) p[v] += weight * Math.exp(part[v]);
      });
      return Float32Array.from(p, Math.log);
    });
  }

  matched(state) {
    return this.parts[this.guide].matched(state[this.guide]);
  }
}

// P(w | c) = Π_k P_k(w | c)^{λ_k} / Z(c)                         (Klakow 1998)
export class LogLinear extends Combined {
  predict(states) {
    const nats = this.predicted(states);
    return states.map((_, b) => {
      const total = new Float32Array(this.vocabSize);
      this.weights.forEach((weight, k) => {
        if (!weight) return;  // 0 · log 0 would be no number
        const part = nats[k][b];
        for (let v = 0; v < total.length; v++) total[v] += weight * part[v];
      });
      return normalise(total);
    });
  }
}

// P(w | c) = (1 − λ n / W) P_model(w | c) + λ n / W · (how often w is among the last n tokens) / n,
// n ≤ W tokens having been read (Kuhn and De Mori 1990).
export class Cache {
  constructor({ share, window, eos }, part) {
    Object.assign(this, { share, window, eos, part, vocabSize: part.vocabSize });
  }

  empty() {
    return { inner: this.part.empty(), recent: [] };
  }

  advance(states, ids) {
    const after = this.part.advance(states.map((state) => state.inner), ids);
    return states.map(({ recent }, b) => ({ inner: after[b], recent: [...recent, ids[b]].slice(-this.window) }));
  }

  predict(states) {
    const unit = this.share / this.window;
    return this.part.predict(states.map((state) => state.inner)).map((nats, b) => {
      const { recent } = states[b], p = Float64Array.from(nats, Math.exp);
      for (let v = 0; v < p.length; v++) p[v] *= 1 - unit * recent.length;
      for (const id of recent) p[id] += unit;
      return Float32Array.from(p, Math.log);
    });
  }
}

// A word model with other words: P(w | c) = P(the model's token for w | c) · (w's share in that). What
// the model has besides counts as <UNK>.
export class OtherWords {
  constructor({ unk, eos }, part, ids, share) {
    Object.assign(this, { unk, eos, part, ids, share, vocabSize: ids.length, order: part.order });
    const used = new Set(ids);
    this.leftOut = Array.from({ length: part.vocabSize }, (_, k) => k).filter((k) => !used.has(k));
  }

  empty() {
    return this.part.empty();
  }

  advance(states, ids) {
    return this.part.advance(states, Array.from(ids, (id) => this.ids[id]));
  }

  predict(states) {
    return this.part.predict(states).map((own) => {
      const nats = Float32Array.from(this.ids, (id, v) => own[id] + this.share[v]);
      if (this.leftOut.length) {
        nats[this.unk] = logSumExp([nats[this.unk], ...this.leftOut.map((k) => own[k])]);
      }
      return nats;
    });
  }

  matched(state) {
    return this.part.matched(state);
  }
}
