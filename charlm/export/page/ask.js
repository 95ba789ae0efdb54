// Asks the model in the page: the same questions as those of the server's page, and the same answers.

import { Speller } from "/page/measures.js";
import { build, networkIn } from "/page/models.js";
import { fill } from "/page/filling.js";
import { Reader } from "/page/reading.js";
import { completion } from "/page/sampling.js";
import { nextTokens, score } from "/page/scoring.js";
import { buildChars, buildTokenizer } from "/page/tokenizers.js";
import { show } from "/page/trouble.js";
import { influence, inside, unit } from "/page/units.js";
import { unpack } from "/page/unpack.js";

const FRAME = 16;  // milliseconds
export const now = { model: null, level: "char" };

const page = await opened().catch((error) => {
  show(new Error(`This browser cannot run the model: ${error.message}`));
  throw error;
});
const ANSWERS = {
  "/v1/models": () => ({ data: [page.card] }),
  "/v1/score": async (asked) => ({ scores: await score(page, asked) }),
  "/v1/next": (asked) => nextTokens(page, asked),
  "/v1/fill": async (asked) => ({ found: await fill(page, asked) }),
  "/v1/inside": (asked) => inside(page, asked),
  "/v1/unit": (asked) => unit(page, asked),
  "/v1/influence": (asked) => influence(page, asked),
};

async function opened() {
  const { about, arrayOf } = await unpack(document.getElementById("model-bytes").textContent);
  const model = build(about.model, arrayOf), tokenizer = buildTokenizer(about.tokenizer, arrayOf);
  const { speller } = about.tokenizer;
  return {
    card: about.card, model, tokenizer,
    network: networkIn(model),
    reader: about.card.causal ? new Reader(model) : null,
    speller: speller ? new Speller(buildChars(speller.names), build(speller.model, arrayOf)) : new Speller(),
  };
}

export async function get(path) {
  return answered(path, {});
}

export async function ask(path, body) {
  return answered(path, body);
}

async function answered(path, body) {
  if (!(path in ANSWERS)) throw new Error(`nothing answers ${path}`);
  return { model: page.card.id, ...await ANSWERS[path](body) };
}

// A completion, as a stream of events; an error is the last of them.
export async function post(path, body, signal) {
  const tokens = completion(page, body), encoder = new TextEncoder();
  return new Response(new ReadableStream({
    async pull(stream) {
      const send = (event) => stream.enqueue(encoder.encode(`data: ${event}\n\n`));
      let found = {};
      try {
        found = await soMany(tokens, signal);
        send(JSON.stringify({ choices: [found.choice] }));
      } catch (error) {
        if (signal?.aborted) return stream.error(error);
        send(JSON.stringify({ error: { message: error.message } }));
        found.done = true;
      }
      if (!found.done) return;
      send("[DONE]");
      stream.close();
    },
    cancel: () => tokens.return(),
  }));
}

// What is written within a frame.
async function soMany(tokens, signal) {
  const choice = { index: 0, text: "", logprobs: { tokens: [], token_logprobs: [] } };
  const end = performance.now() + FRAME;
  while (performance.now() < end) {
    signal?.throwIfAborted();
    const { done, value } = await tokens.next();
    if (done) return { choice, done };
    choice.text += value.text;
    if (value.id === null) continue;
    choice.logprobs.tokens.push(page.tokenizer.names[value.id]);
    choice.logprobs.token_logprobs.push(value.nats);
  }
  return { choice, done: false };
}

globalThis.charlm = { get, ask, post };  // for the browser's console
