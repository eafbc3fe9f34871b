// Tries requests to the API from the pages that describe it. The key stays in its field: it is sent in a header only, and
// taken out of the page when somebody leaves it.
"use strict";

(() => {
  const shown = ["etag", "location", "retry-after", "www-authenticate", "x-ratelimit-remaining", "x-request-id"];
  const keyField = () => document.querySelector("[data-api-key]");

  for (const part of document.querySelectorAll("[data-with-scripts]")) part.hidden = false;

  function values(form, place) {
    const fields = form.querySelectorAll(`[data-in="${place}"]`);
    return [...fields].filter((field) => field.value !== "").map((field) => [field.dataset.name, field.value]);
  }

  function address(form) {
    let path = form.dataset.path;
    for (const [name, value] of values(form, "path")) path = path.replace(`{${name}}`, encodeURIComponent(value));
    const query = new URLSearchParams(values(form, "query")).toString();
    return query ? `${path}?${query}` : path;
  }

  function request(form) {
    const headers = new Headers(values(form, "header"));
    const key = keyField().value.trim();
    if (key) headers.set("Authorization", `Bearer ${key}`);
    const body = form.querySelector('[data-in="body"]');
    const fields = values(form, "form");
    if (body) headers.set("Content-Type", body.dataset.type);
    return {
      method: form.dataset.method,
      headers,
      body: body ? body.value : fields.length ? new URLSearchParams(fields) : undefined,
      // No cookie of this site goes along.
      credentials: "omit",
      redirect: "manual",
      cache: "no-store",
    };
  }

  function readable(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }

  function tell(region, head, body) {
    const line = document.createElement("p");
    line.textContent = head;
    const text = document.createElement("pre");
    text.tabIndex = 0;
    text.textContent = body;
    region.replaceChildren(line, ...(body ? [text] : []));
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-try]")) return;
    event.preventDefault();
    const region = form.parentElement.querySelector(".tried");
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const response = await fetch(address(form), request(form));
      const headers = shown.filter((name) => response.headers.has(name));
      const lines = headers.map((name) => `${name}: ${response.headers.get(name)}`);
      const body = readable(await response.text());
      tell(region, `${response.status} ${response.statusText}`, [...lines, body].filter(Boolean).join("\n"));
    } catch {
      tell(region, region.dataset.failed, "");
    }
    button.disabled = false;
  });

  const forget = () => { keyField().value = ""; };
  window.addEventListener("pagehide", forget);
  window.addEventListener("pageshow", forget);
})();
