// Text ↔ token ids, as the classes of charlm/text/*_tokenizer.py: `encode` and `decode`, the names of
// tokens, and what of a text is unknown.

import { joinWords, pattern, wordsOf } from "/page/words.js";
import { Pieces } from "/page/pieces.js";

class Tokenizer {
  constructor({ level, eos, unk, names }, insideWord) {
    Object.assign(this, { level, eos, unk, names });
    this.insideWord = insideWord;  // ids of tokens that do not begin a word
    this.ids = new Map(names.map((name, id) => [name, id]));
  }

  // What `encode` makes <UNK> of, in order.
  unknown() {
    return [];
  }
}

class Chars extends Tokenizer {
  constructor(about, insideWord) {
    super(about, insideWord);
    this.ids.delete(this.names[this.eos]);
    this.ids.delete(this.names[this.unk]);
    this.ids.set("\n", this.eos);
  }

  encode(text) {
    return Array.from(text, (char) => this.ids.get(char) ?? this.unk);
  }

  decode(ids) {
    return ids.map((id) => id === this.eos ? "\n" : this.names[id]).join("");
  }

  unknown(text) {
    return [...text].filter((char) => !this.ids.has(char));
  }
}

class Words extends Tokenizer {
  constructor(about, insideWord) {
    super(about, insideWord);
    const { split, lower, unk_token, patterns } = about;
    Object.assign(this, { lower, unkToken: unk_token, patterns });
    this.pattern = split === "unicode" ? pattern(patterns) : null;
    this.ids.delete("</s>");
    this.ids.delete("<UNK>");
    for (let id = 0; id < this.names.length; id++) {  // a word may be written like one of these
      if (id !== this.eos && id !== this.unk) this.ids.set(this.names[id], id);
    }
    this.ids.set("\n", this.eos);
    if (unk_token) this.ids.set(unk_token, this.unk);
  }

  words(text) {
    return wordsOf(this.lower ? text.toLowerCase() : text, this.pattern, this.unkToken);
  }

  encode(text) {
    return this.words(text).map((word) => this.ids.get(word) ?? this.unk);
  }

  decode(ids) {
    const lines = [[]];
    for (const id of ids) {
      if (id === this.eos) lines.push([]);
      else lines.at(-1).push(this.names[id]);
    }
    return lines.map((words) => joinWords(words, this.patterns)).join("\n");
  }

  unknown(text) {
    return this.words(text).filter((word) => !this.ids.has(word));
  }
}

class Bytes extends Tokenizer {
  encode(text) {
    return Array.from(new TextEncoder().encode(text), (byte) => byte === 10 ? this.eos : byte);
  }

  decode(ids) {
    return new TextDecoder().decode(Uint8Array.from(ids, (id) => id === this.eos ? 10 : id));
  }
}

class Subwords extends Tokenizer {
  constructor(about, insideWord, scores) {
    super(about, insideWord);
    this.pieces = new Pieces(this.names, scores, about.bpe, about.eos, about.unk);
  }

  encode(text) {
    return this.pieces.encode(text);
  }

  decode(ids) {
    return this.pieces.decode(ids);
  }
}

const TOKENIZERS = { char: Chars, word: Words, byte: Bytes, subword: Subwords };

export function buildTokenizer(about, arrayOf) {
  const scores = about.scores && arrayOf(about.scores);
  return new TOKENIZERS[about.level](about, arrayOf(about.inside_word), scores);
}

// The characters of the alphabet of a speller: as `Chars`, but that its words end with <EOS>.
export function buildChars(names) {
  return new Chars({ level: "char", eos: 0, unk: 1, names }, []);
}
