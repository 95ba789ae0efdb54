// The page: a text, and what a model makes of it.

import { ask, get, now } from "/page/ask.js";
import { inside } from "/page/inside.js";
import { bar, css, element, inkOn, isDark, number, ofSurprisal, percent, shown, superscript, system, written } from "/page/look.js";
import { latest, show } from "/page/trouble.js";
import { write } from "/page/write.js";

const $ = (id) => document.getElementById(id);
const text = $("text"), ribbon = $("ribbon");
const EXAMPLES = {
  hypotheses: "the apple and pair salad\nthe apple and pear salad",
  blanks: { char: "the c_t sat on the m_t", word: "the ___ sat on the mat" },
  text: "the apple and pear salad",
};
const SLOW = 300;  // milliseconds after which an answer is awaited visibly
let models = [], tokens = [], selected = -1;

// Surprisal ------------------------------------------------------------------------------------

const score = latest(async () => {
  const lines = text.value.split("\n");
  if (lines.at(-1) === "" && lines.length > 1) lines.pop();
  const context = now.causal && lines.length > 1 ? "stream" : "sentence";
  const waiting = setTimeout(() => showAsOld(true), SLOW);
  let scores;
  try {
    ({ scores } = await ask("/v1/score", { sentences: lines, tokens: true, context }));
  } finally {
    clearTimeout(waiting);
    showAsOld(false);
  }
  tokens = scores.flatMap((one) => one.token_scores);
  drawRibbon();
  const total = { logprob: 0, tokens: 0, chars: 0 };
  for (const one of scores) for (const key in total) total[key] += one[key];
  drawNumbers(total);
});

// Numbers of an earlier text are pale while those of this one are awaited.
function showAsOld(old) {
  for (const one of [ribbon, $("numbers")]) {
    one.classList.toggle("old", old);
    one.setAttribute("aria-busy", old);
  }
}

// What has not changed stays as it is: of a long text, one key changes little.
function drawRibbon() {
  ribbon.classList.toggle("words", now.level === "word");
  selected = Math.min(selected, tokens.length - 1);
  tokens.forEach((token, k) => {
    const look = [token.token, token.surprisal, token.rank, now.level, isDark()].join("|");
    const old = ribbon.children[k];
    if (old?.dataset.look === look) return;
    const span = tokenSpan(token, k);
    span.dataset.look = look;
    if (old) old.replaceWith(span);
    else ribbon.append(span);
  });
  while (ribbon.children.length > tokens.length) ribbon.lastChild.remove();
  markSelected(Math.max(0, selected));
}

function tokenSpan(token, k) {
  const colour = ofSurprisal(token.surprisal);
  const span = element("span", { role: "option" }, now.level === "word" ? shown(token.token) : visible(token.token));
  span.style.background = css(colour);
  span.style.color = inkOn(colour);
  span.title = `${shown(token.token)} · ${number(token.surprisal)} bits · rank ${token.rank}`;
  span.setAttribute("aria-label", span.title);
  span.dataset.k = k;
  return span;
}

function markSelected(reached) {
  [...ribbon.children].forEach((span, k) => {
    span.setAttribute("aria-selected", k === selected);
    span.tabIndex = k === reached ? 0 : -1;
    span.style.borderBottomColor = "transparent";
  });
}

// Spaces stay spaces between letters, so that the text can be read.
function visible(token) {
  const found = shown(token);
  return found === "␣" ? " " : found.replaceAll("␣", " ");
}

function drawNumbers({ logprob, tokens: n, chars }) {
  const ten = Math.round(logprob / Math.LN10), pseudo = now.causal ? "" : "pseudo-";
  $("numbers").replaceChildren(
    `${pseudo}log P `, element("b", {}, number(logprob)),
    ` nats, or 10${superscript(ten)} · ${pseudo}perplexity `,
    element("b", {}, number(Math.exp(-logprob / n))), " · ",
    element("b", {}, number(-logprob / chars / Math.LN2)), " bits/char",
  );
}

function choose(k, focus = false) {
  if (!tokens.length) return;
  selected = Math.max(0, Math.min(k, tokens.length - 1));
  markSelected(selected);
  if (focus) ribbon.children[selected]?.focus();
  inside.select(selected);
}

ribbon.addEventListener("click", (event) => {
  if (event.target.dataset.k) choose(Number(event.target.dataset.k), true);
});
ribbon.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
  if (!step) return;
  event.preventDefault();
  choose(Math.min(Math.max(selected + step, 0), tokens.length - 1), true);
});

// How strongly each token before the selected one bears on it, as a line under it.
function underline(bits) {
  const most = Math.max(1e-9, ...bits);
  [...ribbon.children].forEach((span, k) => {
    const share = (bits[k] ?? 0) / most;
    span.style.borderBottomColor = share > 0.02
      ? `color-mix(in srgb, var(--mark) ${Math.round(100 * Math.sqrt(share))}%, transparent)` : "transparent";
  });
}

function drawLegend() {
  const stops = [0, 2, 4, 6, 8, 10, 12].map((bits) => css(ofSurprisal(bits)));
  const scale = element("i");
  scale.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
  $("legend").replaceChildren("0", scale, "12 bits");
}

// The next token -------------------------------------------------------------------------------

const next = latest(async () => {
  if (!now.causal) {
    $("next").replaceChildren();
    $("entropy").textContent = "A bidirectional model fills blanks; it does not write on.";
    return;
  }
  const found = await ask("/v1/next", { prompt: text.value, top_k: 10 });
  const most = Math.max(...found.next.map((one) => one.probability));
  $("next").replaceChildren(...found.next.map((one) =>
    bar(shown(one.token), one.probability / most, percent(one.probability), () => {
      text.value += written(one.token, now.level, text.value);
      changed();
    })));
  $("entropy").textContent = `entropy ${number(found.entropy)} bits: as uncertain as a choice among `
    + `${number(2 ** found.entropy, 1)} equally likely tokens`;
});

// Hypotheses and blanks ------------------------------------------------------------------------

const rank = latest(async () => {
  const lines = $("hypotheses").value.split("\n").filter((line) => line.trim());
  if (!lines.length) return $("ranked").replaceChildren();
  const { scores } = await ask("/v1/score", { sentences: lines });
  scores.sort((a, b) => b.logprob_spelled - a.logprob_spelled);
  const top = scores[0].logprob_spelled;
  const sum = scores.reduce((all, one) => all + Math.exp(one.logprob_spelled - top), 0);
  $("ranked").classList.add("sentences");
  $("ranked").replaceChildren(...scores.map((one) => {
    const p = Math.exp(one.logprob_spelled - top) / sum;
    return bar(one.text, p, `${number(one.logprob_spelled)} nats · ${percent(p)}`);
  }));
});

const fill = latest(async () => {
  const list = $("filled"), line = $("blanks").value;
  if (now.level !== "char" && now.level !== "word") {
    return list.replaceChildren(element("li", { className: "soft" }, "For models of characters and words."));
  }
  if (!line.includes("_")) return list.replaceChildren();
  let found;
  try {
    ({ found } = await ask("/v1/fill", { text: line, top_k: 5 }));
  } catch (error) {
    return list.replaceChildren(element("li", { className: "soft" }, error.message));
  }
  list.classList.add("sentences");
  list.replaceChildren(...found.map((one) => bar(one.text, one.probability, percent(one.probability), () => {
    text.value = one.text;
    changed();
    text.focus();
  })));
});

// All together ---------------------------------------------------------------------------------

// The text of last time. Where a browser keeps nothing, such as in a preview, there is none.
function remembered() {
  try {
    return localStorage.getItem("text");
  } catch {
    return null;
  }
}

function remember(value) {
  try {
    localStorage.setItem("text", value);
  } catch { /* it is not needed */ }
}

// The surprisal comes first: all else would only keep it waiting.
async function changed() {
  remember(text.value);
  await score();
  next();
  inside.read(text.value);
}

function draw() {
  drawLegend();
  drawRibbon();
  inside.draw();
}

function meet(name) {
  const card = models.find((one) => one.id === name) ?? models[0];
  Object.assign(now, { model: card.id, level: card.level, causal: card.causal });
  $("about").textContent = card.description;
  $("inside").hidden = !card.network;
  document.querySelectorAll("#write, #temperature, #top-k, #top-p").forEach((one) => {
    one.disabled = !card.causal;
  });
  if (!$("blanks").value) $("blanks").value = EXAMPLES.blanks[now.level] ?? "";
  inside.meet(card);
  changed();
  rank();
  fill();
}

$("model").addEventListener("change", () => meet($("model").value));
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  root.dataset.theme = dark ? "light" : "dark";
  draw();
});
system.addEventListener("change", draw);
text.addEventListener("input", changed);
$("hypotheses").addEventListener("input", rank);
$("blanks").addEventListener("input", fill);
inside.onSelect = (k) => choose(k);
inside.onInfluence = underline;
write(text, changed);

try {
  models = (await get("/v1/models")).data;
  $("model").replaceChildren(...models.map((one) => element("option", { value: one.id }, one.id)));
  text.value = remembered() || EXAMPLES.text;
  $("hypotheses").value = EXAMPLES.hypotheses;
  drawLegend();
  meet(models[0].id);
} catch (error) {
  show(error);
}
