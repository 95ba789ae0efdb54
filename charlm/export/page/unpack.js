// The model's bytes, from the text in the page: charlm/export/packing.py is the other side.

const WHOLE = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };
const BYTES = { u8: 1, u16: 2, u32: 4, f32: 4 };
const LEVELS = 16383;

// The tree of the model, and a function from a spec in it to the array that it means.
export async function unpack(base64) {
  const bytes = await inflated(fromBase64(base64));
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { about, arrayOf: (spec) => arrayOf(bytes.subarray(4 + length), spec) };
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function arrayOf(bytes, spec) {
  if (spec.how === "coded") {
    const codes = arrayOf(bytes, spec.codes), book = arrayOf(bytes, spec.book);
    return Float32Array.from(codes, (code) => book[code]);
  }
  if (spec.how === "rows") {
    const codes = arrayOf(bytes, spec.codes), units = arrayOf(bytes, spec.units);
    const width = codes.length / units.length;
    return Float32Array.from(codes, (code, k) => units[Math.floor(k / width)] * (code - LEVELS));
  }
  const width = BYTES[spec.how], { at, size } = spec;
  const whole = new Uint8Array(width * size);  // out of planes: number after number
  for (let plane = 0; plane < width; plane++) {
    const begin = at + plane * size;
    for (let k = 0; k < size; k++) whole[k * width + plane] = bytes[begin + k];
  }
  if (spec.how === "f32") return new Float32Array(whole.buffer);
  return new WHOLE[spec.how](whole.buffer);
}
