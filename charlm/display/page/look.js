// Colours, and how tokens are written.

const SURPRISAL = {
  light: [[255, 247, 236], [253, 187, 132], [215, 48, 31], [127, 0, 0]],
  dark: [[32, 30, 34], [94, 42, 26], [214, 84, 32], [255, 220, 160]],
};
const SIGNED = {
  light: [[67, 147, 195], [255, 255, 255], [214, 96, 77]],
  dark: [[58, 134, 200], [26, 29, 34], [214, 72, 66]],
};
export const MAX_BITS = 12;
export const system = matchMedia("(prefers-color-scheme: dark)");

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : system.matches;
}

function between(fraction, scale) {
  const position = Math.min(Math.max(fraction, 0), 1) * (scale.length - 1);
  const k = Math.min(Math.floor(position), scale.length - 2), part = position - k;
  return scale[k].map((low, n) => Math.round(low + (scale[k + 1][n] - low) * part));
}

export function ofSurprisal(bits) {
  return between(bits / MAX_BITS, SURPRISAL[isDark() ? "dark" : "light"]);
}

export function ofSigned(value) {
  return between((value + 1) / 2, SIGNED[isDark() ? "dark" : "light"]);
}

// The colours of signed bytes, that of −128 first.
export function shades() {
  return Array.from({ length: 256 }, (_, k) => css(ofSigned((k - 128) / 127)));
}

export function css(rgb) {
  return `rgb(${rgb.join(" ")})`;
}

// Black or white, whichever is easier to read on a colour (WCAG 2).
export function inkOn(rgb) {
  const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

const EOS = new Set(["</s>", "\n"]);

// A token as it is shown: spaces and the end of a sentence can be seen.
export function shown(token) {
  if (EOS.has(token)) return "↵";
  return token.replaceAll("▁", "␣").replaceAll(" ", "␣");
}

// A token as it stands in a text.
export function written(token, level, before) {
  if (EOS.has(token)) return "\n";
  if (level === "subword") {
    const byte = /^0x([0-7][0-9A-F])$/.exec(token);
    if (byte) return String.fromCharCode(parseInt(byte[1], 16));
    const text = token.replaceAll("▁", " ");
    return before ? text : text.trimStart();
  }
  if (level === "byte") {
    const byte = /^0x([0-7][0-9A-F])$/.exec(token);
    return byte ? String.fromCharCode(parseInt(byte[1], 16)) : token.length === 1 ? token : "";
  }
  if (level === "word") {
    const joined = !before || /\s$/.test(before) || /^[,.;:!?%)\]}]+$/.test(token);
    return joined ? token : ` ${token}`;
  }
  return token;
}

export function percent(p) {
  if (p >= 0.1) return `${(100 * p).toFixed(1)} %`;
  if (p >= 0.0001) return `${(100 * p).toPrecision(2)} %`;
  return p > 0 ? `10${superscript(Math.round(Math.log10(p)))}` : "0";
}

export function superscript(number) {
  return [...String(number)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");
}

export function number(value, digits = 2) {
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace("-", "−");
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A row of a bar chart: a button if it can be clicked.
export function bar(name, fraction, amount, onClick) {
  const track = element("span", { className: "track" }, element("i"));
  track.firstChild.style.width = `${Math.max(0.4, 100 * fraction)}%`;
  const parts = [
    element("span", { className: "name" }, name), track,
    element("span", { className: "amount" }, amount),
  ];
  const row = onClick
    ? element("button", { type: "button", onclick: onClick }, ...parts)
    : element("div", { className: "bar" }, ...parts);
  return element("li", {}, row);
}
