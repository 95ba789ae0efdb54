// The network at work: its units over the text as a heat map, a token's influence, a unit's text.

import { ask } from "/page/ask.js";
import { css, element, inkOn, isDark, number, ofSigned, shades, shown } from "/page/look.js";
import { latest, settled } from "/page/trouble.js";

const $ = (id) => document.getElementById(id);
const canvas = $("map"), paper = canvas.getContext("2d");
const UNITS = 56, HIGH = 7, HEAD = 24, LEFT = 44, GATES = "iforz";
const NAMES = {
  h: "h, the hidden state", c: "c, the cell state", i: "i, the input gate", f: "f, the forget gate",
  o: "o, the output gate", r: "r, the reset gate", z: "z, the update gate",
};
let card = null, text = "", map = null, units = [], row = 0, column = -1, wide = 14;

export const inside = { onSelect: () => {}, onInfluence: () => {}, meet, read, select, draw };

function meet(model) {
  card = model;
  map = null;
  units = [];
  if (!card.network) return;
  const kept = $("place").value;
  $("place").replaceChildren(...card.network.places.map((place) => {
    const [layer, what] = place.split(":");
    const name = card.network.layers > 1 ? `layer ${Number(layer) + 1}: ${NAMES[what]}` : NAMES[what];
    return element("option", { value: place }, name);
  }));
  if (card.network.places.includes(kept)) $("place").value = kept;
}

function read(given) {
  text = given;
  if (card?.network) look();
}

const look = latest(async () => {
  if (!card.network) return;
  const asked = card, place = $("place").value;
  const found = await ask("/v1/inside", { text, place });
  if (asked !== card) return;  // another model has been chosen meanwhile
  const bytes = Uint8Array.from(atob(found.values), (c) => c.charCodeAt(0));
  map = { place, tokens: found.tokens, values: new Int8Array(bytes.buffer), width: found.units };
  const before = units[row];
  units = liveliest(map);
  row = Math.max(0, units.indexOf(before));
  column = Math.min(column, map.tokens.length - 1);
  draw();
  $("map-scroll").scrollLeft = 1e9;
  firesSoon();
});

// The units that change most over the text, in their own order.
function liveliest({ values, width, tokens }) {
  const spread = Array.from({ length: width }, (_, unit) => {
    let sum = 0, squares = 0;
    for (let t = 0; t < tokens.length; t++) {
      const value = values[t * width + unit];
      sum += value;
      squares += value * value;
    }
    return squares - sum * sum / Math.max(1, tokens.length);
  });
  const order = spread.map((_, unit) => unit).sort((a, b) => spread[b] - spread[a]);
  return order.slice(0, UNITS).sort((a, b) => a - b);
}

function value(t, unit) {
  return map.values[t * map.width + unit] / 127;
}

function draw() {
  if (!map || !card?.network) return;
  const n = map.tokens.length;
  const room = $("map-scroll").clientWidth - LEFT - 2;
  wide = Math.min(28, Math.max(12, Math.floor(room / Math.max(1, n))));
  const width = LEFT + n * wide, height = HEAD + units.length * HIGH + 2, ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.floor(width * ratio) || canvas.height !== Math.floor(height * ratio)) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  paper.setTransform(ratio, 0, 0, ratio, 0, 0);
  paper.clearRect(0, 0, width, height);
  const ink = isDark() ? "#e6e8eb" : "#1d2126", soft = isDark() ? "#9ba4b0" : "#5d6570";
  const mark = isDark() ? "#7fe0d8" : "#0f6b6f";
  paper.font = "13px ui-monospace, 'DejaVu Sans Mono', monospace";
  paper.textAlign = "center";
  paper.textBaseline = "middle";
  const colours = shades();
  map.tokens.forEach((token, t) => {
    paper.fillStyle = t === column ? mark : ink;
    paper.fillText(shown(token), LEFT + (t + 0.5) * wide, HEAD / 2, wide * 1.6);
    units.forEach((unit, k) => {
      paper.fillStyle = colours[map.values[t * map.width + unit] + 128];
      paper.fillRect(LEFT + t * wide, HEAD + k * HIGH, wide - 1, HIGH - 1);
    });
  });
  paper.textAlign = "end";
  paper.font = "10px system-ui, sans-serif";
  units.forEach((unit, k) => {
    if (k !== row && k % 8) return;
    if (k !== row && Math.abs(k - row) < 2) return;
    paper.fillStyle = k === row ? mark : soft;
    paper.fillText(unit, LEFT - 6, HEAD + (k + 0.5) * HIGH);
  });
  paper.strokeStyle = mark;
  paper.lineWidth = 1.5;
  if (units.length) paper.strokeRect(LEFT - 1, HEAD + row * HIGH - 1, n * wide, HIGH + 1);
  if (column >= 0 && column < n) paper.strokeRect(LEFT + column * wide - 1, HEAD - 1, wide + 1, units.length * HIGH + 1);
  tell();
}

function tell() {
  if (!units.length) return;
  const [layer, what] = map.place.split(":");
  const here = column >= 0 && column < map.tokens.length ? ` is ${number(actual(value(column, units[row]), what))} after “${shown(map.tokens[column])}”` : "";
  $("unit").textContent = `unit ${layer}:${units[row]}:${what}${here}`;
}

function actual(shade, what) {
  return GATES.includes(what) ? (shade + 1) / 2 : shade;
}

// A token's influence --------------------------------------------------------------------------

function select(k) {
  column = k;
  draw();
  if (card?.network && column >= 0) influence();
}

const influence = latest(async () => {
  if (column < 0) return;
  const { bits, tokens } = await ask("/v1/influence", { text, token: column });
  inside.onInfluence(bits);
  const total = bits.reduce((all, one) => all + one, 0);
  let reach = 0, sum = 0;
  for (let k = column - 1; k >= 0 && sum < 0.9 * total; k--, reach++) sum += bits[k] ?? 0;
  const most = bits.indexOf(Math.max(...bits));
  $("influence").textContent = column && total > 0
    ? `What the network predicts in place of “${shown(tokens[column])}” depends most on “${shown(tokens[most])}”, `
      + `${column - most} back; ${reach === 1 ? "that token has" : `the last ${reach} tokens have`} nine tenths of the influence.`
    : "Choose a token: the line under the text shows what its prediction depends on.";
});

// A unit in another text -----------------------------------------------------------------------

const fires = latest(async () => {
  const other = $("longer").value || text;
  if (!units.length || !other) return $("fires").replaceChildren();
  const [layer, what] = map.place.split(":");
  const { tokens, values } = await ask("/v1/unit", { text: other, unit: `${layer}:${units[row]}:${what}` });
  const loudest = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, 3);
  $("fires").replaceChildren(...tokens.map((token, t) => {
    const colour = ofSigned(values[t]);
    const end = shown(token) === "↵";
    const span = element(loudest.includes(t) ? "mark" : "span", { title: number(values[t]) },
      end ? "↵\n" : card.level === "word" ? `${token} ` : token.replaceAll("▁", " "));
    span.style.background = css(colour);
    span.style.color = inkOn(colour);
    return span;
  }));
});

const firesSoon = settled(fires, 200);

// Mouse and keys -------------------------------------------------------------------------------

function pick(k, t) {
  row = Math.max(0, Math.min(k, units.length - 1));
  if (t !== column && t >= 0 && t < map.tokens.length) {
    column = t;
    inside.onSelect(t);
  }
  draw();
  fires();
}

canvas.addEventListener("click", (event) => {
  if (!map) return;
  const k = Math.floor((event.offsetY - HEAD) / HIGH), t = Math.floor((event.offsetX - LEFT) / wide);
  pick(k < 0 ? row : k, t);
});
canvas.addEventListener("keydown", (event) => {
  if (!map) return;
  const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
  if (!down && !right) return;
  event.preventDefault();
  pick(row + down, right ? Math.max(0, Math.min(column + right, map.tokens.length - 1)) : column);
});
$("place").addEventListener("change", look);
$("longer").addEventListener("input", fires);
new ResizeObserver(() => draw()).observe($("map-scroll"));
