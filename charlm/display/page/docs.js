// The OpenAPI description, for people.

import { get } from "/page/ask.js";
import { element } from "/page/look.js";
import { show } from "/page/trouble.js";

let all = {};

function resolve(schema) {
  const name = schema?.$ref?.split("/").at(-1);
  return name ? all.components.schemas[name] : schema;
}

function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(kind).filter((one) => one !== "null").join(" | ");
  if (schema.type === "array") return `[${kind(schema.items ?? {})}]`;
  return schema.type ?? "anything";
}

function fields(schema) {
  const rows = Object.entries(schema?.properties ?? {}).map(([name, field]) => element("tr", {},
    element("td", {}, element("code", {}, name)),
    element("td", { className: "soft" }, kind(field)),
    element("td", { className: "soft" }, field.default === undefined || field.default === null ? "" : JSON.stringify(field.default)),
    element("td", {}, field.description ?? "")));
  return rows.length ? element("div", { className: "scroll" }, element("table", {}, ...rows)) : "";
}

function route(path, method, one) {
  const body = resolve(one.requestBody?.content?.["application/json"]?.schema);
  return element("section", { className: "wide" },
    element("h2", {}, `${method.toUpperCase()} ${path}`),
    element("p", {}, (one.description ?? one.summary ?? "").replaceAll("`", "")),
    fields(body));
}

try {
  all = await get("/openapi.json");
  document.getElementById("routes").replaceChildren(...Object.entries(all.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => route(path, method, one))));
} catch (error) {
  show(error);
}
