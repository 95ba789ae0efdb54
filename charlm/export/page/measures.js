// The numbers of a text, by the names that they have everywhere: charlm/measures.py defines them.

import { start } from "/page/models.js";

const ASSIGNED = 159801, CODE_POINTS = 0x110000;  // characters of Unicode 17.0; of which there could be

export function bits(nats) {
  return nats / Math.LN2;
}

// −log2 P; of what is certain 0, not −0.
export function surprisal(nats) {
  return -nats / Math.LN2 + 0;
}

// The measures of a text, line ends included, from its tokens, their log-probabilities, and the
// log-probability of how what is unknown in it is spelled.
export function measures(text, ids, nats, unk, spelling) {
  let logprob = 0, unknown = 0, oov = 0;
  ids.forEach((id, k) => {
    logprob += nats[k];
    if (id !== unk) return;
    oov++;
    unknown += nats[k];
  });
  const tokens = ids.length, chars = [...text].length, bytes = new TextEncoder().encode(text).length;
  return {
    tokens, chars, bytes, oov, logprob,
    log10prob: logprob / Math.LN10,
    perplexity: Math.exp(-logprob / tokens),
    perplexity_excluding_oov: Math.exp(-(logprob - unknown) / (tokens - oov)),
    nats_per_char: -logprob / chars,
    bits_per_char: bits(-logprob / chars),
    bits_per_byte: bits(-logprob / bytes),
    logprob_spelled: logprob + spelling,
    bits_per_char_spelled: bits(-(logprob + spelling) / chars),
  };
}

// How probable it is that an unknown word, or character, is this one: charlm/models/spelling.py.
export class Speller {
  // chars, model: of the words' characters, for a model of words; otherwise none.
  constructor(chars, model) {
    this.chars = chars;
    this.model = model;
  }

  logprob(unknown) {
    return unknown.reduce((sum, one) => sum + (this.model ? this.ofWord(one) : ofCharacter(one)), 0);
  }

  ofWord(word) {
    const { chars, model } = this;
    let state = start(model), nats = 0;
    for (const id of [...chars.encode(word), chars.eos]) {
      nats += model.predict([state])[0][id];
      [state] = model.advance([state], [id]);
    }
    return chars.unknown(word).reduce((sum, char) => sum + ofCharacter(char), nats);
  }
}

function ofCharacter(char) {
  const nats = -Math.log(ASSIGNED + 1);
  return /[\p{Cn}\p{Co}\p{Cs}]/u.test(char) ? nats - Math.log(CODE_POINTS) : nats;
}
