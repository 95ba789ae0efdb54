// Asks the server. Exported pages have another file of this name, which asks the model in the page.

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
