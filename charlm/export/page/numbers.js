// Products with matrices, and sums of probabilities.

const rowsKnown = new WeakMap();  // of matrices
const MAX_INSERTED = 64;  // values that are inserted one by one, not sorted

// y = W x for B vectors x: W is (N, M) row by row, x is (B, M), and y (B, N) is returned. Four rows at
// a time, whose sums stay in registers, and two vectors at a time, so that each weight is read once for
// both. Engines are quickest at arrays that are read from their beginning, so each row becomes one.
export function times(W, N, M, x, B = 1) {
  const y = new Float32Array(B * N), whole = N - N % 4, rows = rowsOf(W, N, M);
  const vector = (b) => x.subarray(b * M, (b + 1) * M), result = (b) => y.subarray(b * N, (b + 1) * N);
  for (let b = 0; b + 1 < B; b += 2) {
    fourByTwo(rows, whole, M, vector(b), vector(b + 1), result(b), result(b + 1));
  }
  if (B % 2) fourByOne(rows, whole, M, vector(B - 1), result(B - 1));
  for (let n = whole; n < N; n++) {
    for (let b = 0; b < B; b++) {
      let sum = 0;
      for (let m = 0; m < M; m++) sum += W[n * M + m] * x[b * M + m];
      y[b * N + n] = sum;
    }
  }
  return y;
}

function fourByOne(rows, count, M, x, y) {
  const even = M - M % 2;
  for (let n = 0; n < count; n += 4) {
    const a = rows[n], b = rows[n + 1], c = rows[n + 2], d = rows[n + 3];
    let p = 0, q = 0, r = 0, s = 0;
    for (let m = 0; m < even; m += 2) {
      const v = x[m], w = x[m + 1];
      p += a[m] * v + a[m + 1] * w;
      q += b[m] * v + b[m + 1] * w;
      r += c[m] * v + c[m + 1] * w;
      s += d[m] * v + d[m + 1] * w;
    }
    const v = even < M ? x[even] : 0;
    y[n] = p + (v && a[even] * v);
    y[n + 1] = q + (v && b[even] * v);
    y[n + 2] = r + (v && c[even] * v);
    y[n + 3] = s + (v && d[even] * v);
  }
}

function fourByTwo(rows, count, M, x, x2, y, y2) {
  for (let n = 0; n < count; n += 4) {
    const a = rows[n], b = rows[n + 1], c = rows[n + 2], d = rows[n + 3];
    let p = 0, q = 0, r = 0, s = 0, p2 = 0, q2 = 0, r2 = 0, s2 = 0;
    for (let m = 0; m < M; m++) {
      const v = x[m], w = x2[m], am = a[m], bm = b[m], cm = c[m], dm = d[m];
      p += am * v;
      q += bm * v;
      r += cm * v;
      s += dm * v;
      p2 += am * w;
      q2 += bm * w;
      r2 += cm * w;
      s2 += dm * w;
    }
    y[n] = p;
    y[n + 1] = q;
    y[n + 2] = r;
    y[n + 3] = s;
    y2[n] = p2;
    y2[n + 1] = q2;
    y2[n + 2] = r2;
    y2[n + 3] = s2;
  }
}

// The rows of a matrix; made once.
function rowsOf(W, N, M) {
  let rows = rowsKnown.get(W);
  if (!rows) {
    rows = Array.from({ length: N }, (_, n) => W.subarray(n * M, (n + 1) * M));
    rowsKnown.set(W, rows);
  }
  return rows;
}

// log Σ exp(nats); −∞ if all probabilities are zero.
export function logSumExp(nats) {
  let top = -Infinity, sum = 0;
  for (const one of nats) if (one > top) top = one;
  if (top === -Infinity) return top;
  for (const one of nats) sum += Math.exp(one - top);
  return top + Math.log(sum);
}

// The values shifted, in place, so that their probabilities sum to 1.
export function normalise(nats) {
  const total = logSumExp(nats);
  for (let k = 0; k < nats.length; k++) nats[k] -= total;
  return nats;
}

// The indices of the largest values, the largest first, ties by index; at most so many.
export function largest(values, count = Infinity) {
  if (count > MAX_INSERTED) {
    return Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
  }
  const found = [];
  for (let k = 0; k < values.length; k++) {
    if (found.length === count && !(values[k] > values[found.at(-1)])) continue;
    let place = found.length;
    while (place && values[k] > values[found[place - 1]]) place--;
    found.splice(place, 0, k);
    found.length = Math.min(found.length, count);
  }
  return found;
}
