// Jeton's own script. Every page works without it; it copies, opens confirmations as dialogs, switches the theme in
// place, and removes the API key from the page when it is left. It runs in the head, before the first paint, so it
// listens on the document instead of searching for elements.
"use strict";

(() => {
  const root = document.documentElement;

  // --- Theme. Colours follow data-theme; the class is for the component library's dark variants.
  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

  function paintTheme() {
    const theme = root.dataset.theme;
    root.classList.toggle("dark", theme === "dark" || (theme === "system" && systemDark.matches));
  }
  paintTheme();
  systemDark.addEventListener("change", paintTheme);

  // Saves the choice without leaving the page: otherwise a key on it would be lost.
  async function switchTheme(form, button) {
    const response = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, button)),
      redirect: "manual",
    });
    if (!response.ok && response.type !== "opaqueredirect") {
      throw new Error(`theme: ${response.status}`);
    }
    root.dataset.theme = button.value;
    paintTheme();
    for (const other of form.querySelectorAll("button[name=theme]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-theme-form]") && event.submitter) {
      event.preventDefault();
      switchTheme(form, event.submitter).catch(() => showProblem(document.body.dataset.networkError));
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    // The first user's time zone is that of the browser; it can be changed in the profile.
    for (const input of document.querySelectorAll("[data-time-zone]")) {
      input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
    }
  });

  // --- A second press before the answer arrives would discard that answer, and perhaps a key with it. Registered
  // after the listener above, whose forms do not leave the page.
  let underWay = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (underWay.has(form)) event.preventDefault();
    underWay.add(form);
    setTimeout(() => underWay.delete(form), 10000);
  });
  window.addEventListener("pageshow", () => { underWay = new WeakSet(); });

  // --- Messages: `announce` is heard, `showProblem` is seen and heard.
  function announce(text) {
    const region = document.getElementById("announce");
    region.textContent = "";
    // In a later task, so that a repeated text is spoken again.
    setTimeout(() => { region.textContent = text; }, 50);
  }

  let hideProblem;
  function showProblem(text) {
    const region = document.getElementById("problems");
    // An open dialog covers everything else on the page, so the message moves into it.
    (document.querySelector("dialog[open]") || document.body).append(region);
    region.textContent = text;
    clearTimeout(hideProblem);
    hideProblem = setTimeout(clearProblem, 10000);
  }
  function clearProblem() {
    const region = document.getElementById("problems");
    region.textContent = "";
    document.body.append(region);
  }

  // --- Copy: <button data-copy="#id">, with <span class="copied"> inside, which is shown for a moment afterwards.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    const text = "value" in source ? source.value : source.textContent;
    try {
      await navigator.clipboard.writeText(text.trim());
    } catch {
      // No clipboard over plain HTTP, or the user denied access: select the text for Ctrl+C.
      window.getSelection().selectAllChildren(source);
      copyByHand(button);
      return;
    }
    button.parentElement.querySelector(":scope > .copy-help")?.remove();
    // A press on the key itself copies it too, and its button shows this.
    for (const same of document.querySelectorAll(`[data-copy="${button.dataset.copy}"]`)) {
      same.classList.add("is-copied");
      setTimeout(() => same.classList.remove("is-copied"), 2500);
    }
    announce(document.body.dataset.copied);
  });

  function copyByHand(button) {
    const text = document.body.dataset.copyByHand;
    const place = button.closest(".secret-value") || button;
    if (!place.nextElementSibling?.matches(".copy-help")) {
      const help = document.createElement("p");
      help.className = "hint copy-help";
      help.textContent = text;
      place.after(help);
    }
    announce(text);
  }

  // --- Dialogs: <a data-dialog href="…"> is a page of its own; with htmx its fragment is shown as a modal dialog.
  let opener = null;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !plain || !window.htmx) return;
    event.preventDefault();
    opener = link;
    window.htmx.ajax("GET", link.href, { source: link, target: "#dialog-host", swap: "innerHTML" });
  });

  document.addEventListener("htmx:after:swap", () => {
    const host = document.getElementById("dialog-host");
    if (!opener || !host || host.childElementCount === 0) return;
    const dialog = host.querySelector("dialog");
    if (!dialog) {
      // An unexpected answer (an error, the sign-in page): the browser shows it as a page.
      host.replaceChildren();
      window.location.assign(opener.href);
    } else if (!dialog.open || !dialog.matches(":modal")) {
      dialog.close();
      dialog.showModal();
      dialog.addEventListener("close", () => closed(host), { once: true });
    }
  });

  function closed(host) {
    clearProblem();
    host.replaceChildren();
    const back = opener;
    opener = null;
    // A link in a menu disappears with it: return the focus to the button that opens the menu.
    const menu = back?.closest("[popover]:not(:popover-open)");
    const seen = menu ? document.querySelector(`[popovertarget="${menu.id}"]`) : back;
    if (seen?.isConnected) seen.focus();
  }

  // Cancel is a link to the previous page; in a dialog it closes the dialog, as does a press on the backdrop.
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("#dialog-host dialog");
    if (!dialog) return;
    const box = dialog.getBoundingClientRect();
    const outside = event.target === dialog && event.detail > 0 &&
      (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom);
    if (outside || event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });

  // --- Lists: marks the row of the token in the panel as the current one.
  document.addEventListener("htmx:after:swap", () => {
    const selected = document.getElementById("panel")?.dataset.selected;
    for (const link of document.querySelectorAll("a[data-token]")) {
      if (link.dataset.token === selected) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  });

  // --- Permissions: selects all or none of a group, without a request.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=pick]");
    if (!button) return;
    event.preventDefault();
    const isAll = button.value.startsWith("all.");
    const boxes = button.closest("[data-permission-group]").querySelectorAll("input[type=checkbox]:not(:disabled)");
    for (const box of boxes) box.checked = isAll;
    boxes[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("change", (event) => {
    const group = event.target.closest("[data-permission-group]");
    const count = group?.querySelector("legend .number");
    if (count) count.textContent = count.textContent.replace(/\d+/, group.querySelectorAll(":checked").length);
  });

  // --- Kinds: a key is made from the name until somebody types another one, and each row shows what it becomes.
  function keyOf(name) {
    const plain = name.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
    return plain.replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 32).replace(/_+$/, "");
  }

  function follow(name, key) {
    // A key that was typed, or cannot change, does not follow.
    if (!key || key.readOnly || (key.value && key.value !== (name.dataset.made ?? keyOf(name.defaultValue)))) return;
    key.value = name.dataset.made = keyOf(name.value);
    key.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-kind-form]");
    if (!form) return;
    const { name, value } = event.target;
    if (name === "plural") follow(event.target, form.elements.key);
    if (name === "name[]") follow(event.target, event.target.closest("tr").querySelector("[name='action[]']"));
    if (name === "nature[]") {
      const level = event.target.closest("tr").querySelector("span[data-level]");
      level.textContent = event.target.selectedOptions[0].dataset.level;
    }
    if (name === "key") {
      for (const code of form.querySelectorAll("[data-kind-key]")) code.textContent = `${value}.`;
      for (const code of form.querySelectorAll("[data-permission]")) {
        code.textContent = `${value || "…"}.${code.textContent.split(".").pop()}`;
      }
    }
  });

  // --- Editor of a form: the name of a field follows what is typed.
  document.addEventListener("input", (event) => {
    if (event.target.name !== "label[]") return;
    const name = event.target.closest("details")?.querySelector("summary strong");
    const typed = event.target.value.trim();
    if (!name || !typed) return;
    for (const button of event.target.closest("li").querySelectorAll(".moves button")) {
      button.ariaLabel = button.ariaLabel.replace(name.textContent, () => typed);
    }
    name.textContent = typed;
  });

  // --- Answers: counts them while they are given, and keeps them on the page while the network is away.
  function isAnswered(question) {
    const inputs = question.querySelectorAll("input, select, textarea");
    return [...inputs].some((input) => (input.matches("[type=radio], [type=checkbox]") ? input.checked : true) &&
      !input.name.startsWith("find-") && input.value.trim() !== "");
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-answers]");
    if (!form) return;
    const answered = [...form.querySelectorAll("[data-question]")].filter(isAnswered).length;
    form.querySelector("[data-answered]").textContent = answered;
    form.querySelector("progress").value = answered;
  });
  document.addEventListener("submit", (event) => {
    if (navigator.onLine || !event.target.matches("form[data-answers], form.editor")) return;
    event.preventDefault();
    showProblem(document.body.dataset.networkError);
  }, true);

  // --- Lists with shortcuts, unless their user has switched them off: / goes to the search, J and K to the next and
  // previous row, where Enter opens the link as it always does.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable], dialog, [popover]");
    const combined = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
    if (typing || combined || !document.querySelector("[data-shortcuts]")) return;
    const links = [...document.querySelectorAll(".data-table tbody th a")];
    const at = links.indexOf(document.activeElement);
    const next = {
      "/": document.querySelector("[role=search] input[type=search]"),
      j: links[at + 1],
      k: links[at - 1],
    }[event.key.toLowerCase()];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  // --- The key: removed from the page when it is left, so that "back" cannot show it again.
  function blankSecrets() {
    for (const element of document.querySelectorAll("[data-secret]")) {
      element.textContent = element.matches("output") ? element.dataset.gone || document.body.dataset.secretGone : "";
    }
  }
  window.addEventListener("pagehide", blankSecrets);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) blankSecrets();
  });

  // --- htmx swaps in the answer for every status; the remaining case is no answer at all.
  document.addEventListener("htmx:error", () => showProblem(document.body.dataset.networkError));
  document.addEventListener("htmx:before:request", clearProblem);
})();
