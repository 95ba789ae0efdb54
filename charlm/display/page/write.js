// Text that a model writes, as it is written.

import { now, post } from "/page/ask.js";
import { element, number } from "/page/look.js";
import { forget, show } from "/page/trouble.js";

const $ = (id) => document.getElementById(id);
const SLIDERS = ["temperature", "top-k", "top-p"];
const MAX_TOKENS = { char: 600, byte: 600, subword: 200, word: 150 };

// Events of a stream: the JSON of each.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.replace(/^data: /, "");
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

export function write(text, changed) {
  let stop = null, whole = "";

  for (const id of SLIDERS) {
    const tell = () => {
      const value = Number($(id).value);
      $(`${id}-out`).textContent = id === "top-k" && !value ? "all" : number(value, id === "top-k" ? 0 : 2);
    };
    $(id).addEventListener("input", tell);
    tell();
  }

  async function run() {
    stop = new AbortController();
    forget();
    $("write").textContent = "Stop";
    $("keep").disabled = true;
    whole = "";
    const shown = element("span");
    $("written").replaceChildren(element("span", { className: "prompt" }, text.value), shown);
    let tokens = 0;
    const begin = performance.now();
    try {
      const answer = await post("/v1/completions", {
        prompt: text.value, stream: true, max_tokens: MAX_TOKENS[now.level], ignore_eos: true, logprobs: 0,
        temperature: Number($("temperature").value), top_k: Number($("top-k").value),
        top_p: Number($("top-p").value),
      }, stop.signal);
      for await (const event of events(answer)) {
        if (event.error) throw new Error(event.error.message);
        for (const choice of event.choices) {
          whole += choice.text;
          tokens += choice.logprobs?.tokens.length ?? 0;
        }
        shown.textContent = whole;
        $("written").scrollTop = $("written").scrollHeight;
        const seconds = (performance.now() - begin) / 1000;
        $("speed").textContent = `${tokens} tokens, ${number(tokens / seconds, 0)} a second`;
      }
    } catch (error) {
      if (error.name !== "AbortError") show(error);
    }
    stop = null;
    $("write").textContent = "Write";
    $("keep").disabled = !whole;
  }

  $("write").addEventListener("click", () => stop ? stop.abort() : run());
  $("keep").addEventListener("click", () => {
    text.value += whole;
    $("keep").disabled = true;
    changed();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && now.causal) {
      event.preventDefault();
      if (!stop) run();
    }
  });
}
