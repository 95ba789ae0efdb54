// Work that may fail: run one call at a time, and what went wrong is shown at the top of the page.

const trouble = document.getElementById("trouble");
const failing = new Map();  // what could not be done, and why

// A function that runs one call at a time; of those asked for meanwhile only the last is run.
export function latest(work) {
  let running = false, again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      try {
        await work();
        failing.delete(work);
      } catch (error) {
        failing.set(work, error);
      }
      tell();
    } while (again);
    running = false;
  };
}

// A function that waits until it has not been called for some time, and then runs once.
export function settled(work, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, milliseconds);
  };
}

function tell() {
  trouble.textContent = [...failing.values()].map((error) => error.message).join(" · ");
  trouble.hidden = !failing.size;
}

export function show(error) {
  failing.set(show, error);
  tell();
}

export function forget() {
  failing.delete(show);
  tell();
}
