// Asks the server, and says so when it cannot.

const trouble = document.getElementById("trouble");
export const now = { model: null, level: "char" };

function headers() {
  const key = sessionStorage.getItem("key");
  const found = { "Content-Type": "application/json" };
  if (key) found.Authorization = `Bearer ${key}`;
  return found;
}

async function checked(answer) {
  if (answer.ok) return answer;
  let message = `${answer.status} ${answer.statusText}`;
  try {
    message = (await answer.json()).error.message;
  } catch { /* not JSON: the status must do */ }
  if (answer.status === 401) {
    const key = prompt("This server wants an API key:");
    if (key) {
      sessionStorage.setItem("key", key);
      location.reload();
    }
  }
  throw new Error(message);
}

export async function get(path) {
  return (await checked(await fetch(path, { headers: headers() }))).json();
}

export async function post(path, body, signal) {
  const data = JSON.stringify({ model: now.model, ...body });
  return checked(await fetch(path, { method: "POST", headers: headers(), body: data, signal }));
}

export async function ask(path, body) {
  return (await post(path, body)).json();
}

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
