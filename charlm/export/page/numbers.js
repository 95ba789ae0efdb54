// Products with matrices, and sums of probabilities.

const MAX_INSERTED = 64;  // values that are inserted one by one, not sorted

// y = W x for B columns x: W is (N, M) row by row, x is (B, M), and y (B, N) is returned. Four rows
// at a time, which keeps four sums in registers; and two columns at a time, so that each weight is
// read once for both.
export function times(W, N, M, x, B = 1) {
  const y = new Float32Array(B * N), whole = N - N % 4;
  let b = 0;
  for (; b + 1 < B; b += 2) fourByTwo(W, whole, M, x, b, y, N);
  if (b < B) fourByOne(W, whole, M, x, b, y, N);
  for (b = 0; b < B; b++) {
    for (let n = whole; n < N; n++) {
      let sum = 0;
      for (let m = 0; m < M; m++) sum += W[n * M + m] * x[b * M + m];
      y[b * N + n] = sum;
    }
  }
  return y;
}

function fourByOne(W, rows, M, x, b, y, N) {
  const from = b * M, to = b * N;
  for (let n = 0; n < rows; n += 4) {
    const i = n * M, j = i + M, k = j + M, l = k + M;
    let p = 0, q = 0, r = 0, s = 0;
    for (let m = 0; m < M; m++) {
      const v = x[from + m];
      p += W[i + m] * v;
      q += W[j + m] * v;
      r += W[k + m] * v;
      s += W[l + m] * v;
    }
    y[to + n] = p;
    y[to + n + 1] = q;
    y[to + n + 2] = r;
    y[to + n + 3] = s;
  }
}

function fourByTwo(W, rows, M, x, b, y, N) {
  const from = b * M, to = b * N;
  for (let n = 0; n < rows; n += 4) {
    const i = n * M, j = i + M, k = j + M, l = k + M;
    let p = 0, q = 0, r = 0, s = 0, t = 0, u = 0, v = 0, w = 0;
    for (let m = 0; m < M; m++) {
      const one = x[from + m], two = x[from + M + m];
      const wi = W[i + m], wj = W[j + m], wk = W[k + m], wl = W[l + m];
      p += wi * one;
      q += wj * one;
      r += wk * one;
      s += wl * one;
      t += wi * two;
      u += wj * two;
      v += wk * two;
      w += wl * two;
    }
    y[to + n] = p;
    y[to + n + 1] = q;
    y[to + n + 2] = r;
    y[to + n + 3] = s;
    y[to + N + n] = t;
    y[to + N + n + 1] = u;
    y[to + N + n + 2] = v;
    y[to + N + n + 3] = w;
  }
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
