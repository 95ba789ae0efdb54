// Long work in pieces, so that the page stays alive: nothing is computed for longer than a frame.

const SLICE = 12;  // milliseconds
const waiting = [], channel = new MessageChannel();
let begun = performance.now();

channel.port1.onmessage = () => waiting.shift()();

// To be awaited between pieces of work: lets others have their turn, when it is time.
export function breathe() {
  if (performance.now() - begun < SLICE) return null;
  return new Promise((go) => {
    waiting.push(() => {
      begun = performance.now();
      go();
    });
    channel.port2.postMessage(null);
  });
}
