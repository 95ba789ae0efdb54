// The model of a page, from the tree that charlm/export/packed_model.py makes. A causal model has
//
//     empty()                   the state of a text before any token
//     advance(states, ids)      the states of several texts after one more token each
//     predict(states)           log P(next token) of each, (V,) nats
//     vocabSize, eos            and, of n-gram models, order and matched(state)

import { Cache, LogLinear, Mixture, OtherWords } from "/page/combined.js";
import { Bidirectional, Recurrent } from "/page/network.js";
import { Ngram } from "/page/ngram.js";

export function build(spec, arrayOf) {
  const part = () => build(spec.part, arrayOf);
  const parts = () => spec.parts.map((one) => build(one, arrayOf));
  switch (spec.family) {
    case "recurrent": {
      const named = Object.entries(spec.tensors).map(([name, tensor]) => [name, arrayOf(tensor)]);
      const made = spec.config.bidirectional ? Bidirectional : Recurrent;
      return new made(spec, Object.fromEntries(named));
    }
    case "ngram": return new Ngram(spec, arrayOf);
    case "mixture": return new Mixture(spec, parts());
    case "log-linear": return new LogLinear(spec, parts());
    case "recent": return new Cache(spec, part());
    case "other-words": return new OtherWords(spec, part(), arrayOf(spec.ids), arrayOf(spec.share));
    default: throw new Error(`no such family: ${spec.family}`);
  }
}

// A model that is a network, or the first network in a mixture with the same tokens; or null.
export function networkIn(model) {
  if (model instanceof Recurrent) return model;
  const inner = model.parts ?? (model instanceof Cache ? [model.part] : []);
  return inner.map(networkIn).find((one) => one) ?? null;
}

// The state of a text just after <EOS>: at the beginning of a line.
export function start(model) {
  return model.advance([model.empty()], [model.eos])[0];
}
