// A model's reading of texts, which remembers the last few: of a text that somebody is typing, only
// what is new is computed.

import { start } from "/page/models.js";
import { breathe } from "/page/pace.js";

const TEXTS = 8;  // that are remembered
const EACH = 2048;  // tokens at the beginning of a text whose states are all kept; after them, some
const SOME = 64;  // tokens apart

// The rank of a token by decreasing probability, from 1; ties by id.
export function rankOf(nats, id) {
  let rank = 1;
  const p = nats[id];
  for (let v = 0; v < nats.length; v++) if (nats[v] > p || (nats[v] === p && v < id)) rank++;
  return rank;
}

export class Reader {
  constructor(model) {
    this.model = model;
    this.known = [];  // readings, the latest first: ids, their nats and ranks, states before them
  }

  // log P of each token of a text from the beginning of a line, nats, and its rank.
  async read(ids) {
    const reading = this.resumed(ids);
    let { state } = reading;
    for (let t = reading.nats.length; t < ids.length; t++) {
      const [nats] = this.model.predict([state]);
      reading.nats.push(nats[ids[t]]);
      reading.ranks.push(rankOf(nats, ids[t]));
      [state] = this.model.advance([state], [ids[t]]);
      keep(reading.states, t + 1, state);
      await breathe();
    }
    return reading;
  }

  // The state after a text.
  async stateAfter(ids) {
    let { state, from } = this.nearest(ids);
    for (; from < ids.length; from++) {
      [state] = this.model.advance([state], [ids[from]]);
      await breathe();
    }
    return state;
  }

  // What is known of the beginning of a text, as a reading to go on with.
  resumed(ids) {
    const { nats, ranks, states, state, from } = this.nearest(ids);
    const reading = { ids, nats: nats.slice(0, from), ranks: ranks.slice(0, from), states: states.slice(0, from + 1), state };
    this.known = [reading, ...this.known].slice(0, TEXTS);
    return reading;
  }

  // The remembered text that begins as this one for longest, and where and in what state to go on.
  nearest(ids) {
    let best = { nats: [], ranks: [], states: [start(this.model)], state: null, from: -1 };
    for (const one of this.known) {
      let from = 0;
      const most = Math.min(ids.length, one.nats.length);
      while (from < most && ids[from] === one.ids[from]) from++;
      while (from > 0 && !one.states[from]) from--;
      if (from > best.from) best = { ...one, from };
    }
    best.from = Math.max(0, best.from);
    best.state = best.states[best.from];
    return best;
  }
}

function keep(states, t, state) {
  if (t <= EACH || t % SOME === 0) states[t] = state;
}
