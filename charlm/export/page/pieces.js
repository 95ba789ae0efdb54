// Subwords: SentencePiece's segmentation, from its pieces and their scores, and bytes for the rest.
//
// Unigram model: the segmentation with the highest sum of scores (Kudo 2018), found by dynamic
// programming. BPE: of all neighbours that make a piece, those that make the best one are merged,
// again and again (Sennrich, Haddow and Birch 2016). Sums are in single precision, as there.

const SPACE = "▁", PART_CHARS = 1000, UNKNOWN_PENALTY = 10;
const APART = /([▁\ud800-\udfff]+)/u;  // written as bytes, since SentencePiece would alter them

export class Pieces {
  constructor(names, scores, bpe, eos, unk) {
    Object.assign(this, { bpe, eos, unk, names });
    this.scores = scores;
    this.ids = new Map();
    this.byteIds = [];
    this.longest = 1;
    let least = 0;
    names.forEach((name, id) => {
      if (Number.isNaN(scores[id])) {
        if (id !== eos && id !== unk) this.byteIds[parseInt(name, 16)] = id;
        return;
      }
      this.ids.set(name, id);
      this.longest = Math.max(this.longest, [...name].length);
      least = Math.min(least, scores[id]);
    });
    this.unknownScore = Math.fround(least - UNKNOWN_PENALTY);
    this.known = new Map();  // words, and their ids
  }

  encode(text) {
    const ids = [];
    text.split("\n").forEach((line, k) => {
      if (k) ids.push(this.eos);
      if (line) for (const word of line.split(" ")) ids.push(...this.ofWord(word));
    });
    return ids;
  }

  decode(ids) {
    const bytes = [], encoder = new TextEncoder();
    for (const id of ids) {
      const byte = this.byteIds.indexOf(id);
      if (id === this.eos) bytes.push(10);
      else if (byte >= 0) bytes.push(byte);
      else bytes.push(...encoder.encode(this.names[id].replaceAll(SPACE, " ")));
    }
    const text = new TextDecoder().decode(Uint8Array.from(bytes));
    return text.replace(/^ /, "").replaceAll("\n ", "\n");
  }

  ofWord(word) {
    if (!this.known.has(word)) {
      const letters = [" ", ...word], ids = [];
      for (let begin = 0; begin < letters.length; begin += PART_CHARS) {
        letters.slice(begin, begin + PART_CHARS).join("").split(APART).forEach((run, k) => {
          if (k % 2) ids.push(...this.bytes(run));
          else if (run) ids.push(...this.segment([...run.replaceAll(" ", SPACE)]));
        });
      }
      this.known.set(word, ids);
    }
    return this.known.get(word);
  }

  bytes(text) {
    return Array.from(new TextEncoder().encode(text), (byte) => this.byteIds[byte]);
  }

  segment(letters) {
    const parts = this.bpe ? this.merged(letters) : this.best(letters);
    return parts.flatMap((part) => this.ids.get(part) ?? this.bytes(part.replaceAll(SPACE, " ")));
  }

  best(letters) {
    const N = letters.length, ends = Array.from({ length: N + 1 }, () => ({ from: -1, score: 0 }));
    const offer = (from, to, score) => {
      const sum = Math.fround(score + ends[from].score);
      if (ends[to].from === -1 || sum > ends[to].score) ends[to] = { from, score: sum };
    };
    for (let from = 0; from < N; from++) {
      let piece = "", single = false;
      for (let to = from + 1; to <= Math.min(N, from + this.longest); to++) {
        piece += letters[to - 1];
        const id = this.ids.get(piece);
        if (id === undefined) continue;
        offer(from, to, this.scores[id]);
        single ||= to === from + 1;
      }
      if (!single) offer(from, from + 1, this.unknownScore);
    }
    const parts = [];
    for (let to = N; to > 0; to = ends[to].from) parts.push(letters.slice(ends[to].from, to).join(""));
    return parts.reverse();
  }

  merged(letters) {
    const parts = [...letters];
    for (;;) {
      let best = -1, most = -Infinity;
      for (let k = 0; k + 1 < parts.length; k++) {
        const id = this.ids.get(parts[k] + parts[k + 1]);
        if (id !== undefined && this.scores[id] > most) [best, most] = [k, this.scores[id]];
      }
      if (best < 0) return parts;
      parts.splice(best, 2, parts[best] + parts[best + 1]);
    }
  }
}
