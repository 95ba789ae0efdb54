// N-gram models with backoff: charlm/models/ngram.py, as a tree.
//
// Order k has the n-grams of k words, sorted; those that continue n-gram p of the order below are
// begin[p] … begin[p + 1] − 1, by their last words. Index w of order 1 is word w, and V is <s>.
//
//     log P(w | c) = log P(c w)                      if the n-gram c w is in the model
//                  = β(c) + log P(w | c′)            otherwise, c′ being c without its first word
//
// The state of a text: the indices of its last 1 … N − 1 words, as n-grams; ABSENT where there is none.

const ABSENT = -1;

export class Ngram {
  constructor({ vocab_size, lines, eos, orders, nats }, arrayOf) {
    this.vocabSize = vocab_size;
    this.lines = lines;
    this.eos = eos;
    this.order = orders.length + 1;
    this.orders = [{ nats: arrayOf(nats), suffix: null }];
    for (const spec of orders) this.orders.push(this.next(spec, arrayOf));
    this.unigrams = this.orders[0].nats.subarray(0, vocab_size);
  }

  // One more order, of which charlm/export/packing.py says what is written: log P and β of the order
  // below themselves, or what they were made of,
  //
  //     P(w | c) = s(w | c) + β(c) P(w | c′)        Σ_w s(w | c) + β(c) = 1
  next(spec, arrayOf) {
    const below = this.orders.at(-1), children = arrayOf(spec.children), words = arrayOf(spec.words);
    const begin = new Uint32Array(children.length + 1);
    for (let p = 0; p < children.length; p++) begin[p + 1] = begin[p] + children[p];
    below.begin = begin;
    below.words = words;
    if (spec.nats) {
      below.backoff = arrayOf(spec.backoff);
      return { nats: arrayOf(spec.nats), suffix: null };
    }
    const odds = arrayOf(spec.odds), shares = arrayOf(spec.shares);
    const nats = new Float32Array(words.length), suffix = new Uint32Array(words.length);
    below.backoff = new Float32Array(children.length);
    for (let p = 0, seen = 0; p < children.length; p++) {
      if (!children[p]) continue;
      const beta = 1 / (1 + Math.exp(-odds[seen++]));
      below.backoff[p] = Math.log(beta);
      let rest = 1 - beta;
      for (let k = begin[p]; k < begin[p + 1]; k++) {
        const share = Number.isNaN(shares[k]) ? rest : Math.exp(shares[k]);
        rest -= share;
        suffix[k] = below.suffix ? this.child(this.orders.at(-2), below.suffix[p], words[k]) : words[k];
        nats[k] = Math.log(share + beta * Math.exp(below.nats[suffix[k]]));
      }
    }
    return { nats, suffix };
  }

  // The index of an n-gram in the next order, from that of its prefix and its last word.
  child(order, prefix, word) {
    let low = order.begin[prefix], high = order.begin[prefix + 1];
    const end = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order.words[middle] < word) low = middle + 1;
      else high = middle;
    }
    return low < end && order.words[low] === word ? low : ABSENT;
  }

  empty() {
    return new Int32Array(this.order - 1).fill(ABSENT);
  }

  advance(states, ids) {
    return states.map((before, b) => {
      const id = ids[b], after = this.empty(), ends = this.lines && id === this.eos;
      if (after.length) after[0] = ends ? this.vocabSize : id;
      for (let k = 0; k + 1 < after.length && !ends; k++) {
        if (before[k] !== ABSENT) after[k + 1] = this.child(this.orders[k], before[k], id);
      }
      return after;
    });
  }

  predict(states) {
    return states.map((contexts) => {
      const nats = Float32Array.from(this.unigrams);
      let backedOff = 0;  // Σ β, added to all in the end
      contexts.forEach((context, k) => {
        if (context === ABSENT) return;
        const { begin, words, backoff } = this.orders[k], longer = this.orders[k + 1].nats;
        backedOff += backoff[context];
        for (let n = begin[context]; n < begin[context + 1]; n++) {
          if (words[n] < this.vocabSize) nats[words[n]] = longer[n] - backedOff;
        }
      });
      for (let v = 0; v < nats.length; v++) nats[v] += backedOff;
      return nats;
    });
  }

  // The length of the longest known context: 0 … N − 1.
  matched(state) {
    return state.findLastIndex((context) => context !== ABSENT) + 1;
  }
}
