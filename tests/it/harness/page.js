// Finds elements as a person would: by what is visible. The browser tests (`browser.rs`) run it in the page, even if
// the page's own JavaScript is off. `arguments`: what to find ("click", "field", …), the text, and the text of the
// part of the page to search (or null). Returns { element } or { error }.

const [kind, wanted, within] = arguments;

// Narrow and other no-break spaces, which are common in French, count as plain ones.
const plain = (text) => (text || "").replace(/[\s\u00a0\u202f\u200b]+/g, " ").trim();

const visible = (element) =>
  element.getClientRects().length > 0 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

// An open modal dialog hides the rest from a person, so it is ignored here too.
const front = () => [...document.querySelectorAll("dialog:modal")].at(-1) || document.body;

function smallestPart(text) {
  const parts = "tr, li, article, section, form, fieldset, dialog, nav, aside, header, footer, details, dl, table, [popover]";
  const holding = [...front().querySelectorAll(parts)].filter((part) => visible(part) && plain(part.innerText).includes(plain(text)));
  return holding.find((part) => !holding.some((other) => other !== part && part.contains(other)));
}

const byIds = (ids) => ids.split(/\s+/).map((id) => document.getElementById(id)).map((part) => part && (part.innerText || part.textContent)).join(" ");

// The accessible name, as far as Jeton's pages need it.
function names(element) {
  const said = element.getAttribute("aria-labelledby") ? byIds(element.getAttribute("aria-labelledby")) : element.getAttribute("aria-label");
  const value = element.matches("input[type=submit], input[type=button], input[type=reset]") ? element.value : "";
  return [said, element.innerText, element.textContent, value, element.title].map(plain).filter(Boolean);
}

// Labels may end in a hint or an asterisk, and rows of a menu in a shortcut: the exact text first, then its beginning, then any part.
function pick(candidates, textsOf) {
  const text = plain(wanted);
  for (const fits of [(t) => t === text, (t) => t.startsWith(text), (t) => t.includes(text)]) {
    const found = candidates.filter((candidate) => textsOf(candidate).some(fits));
    if (found.length) return found;
  }
  return [];
}

function answer(found, offered) {
  const inner = found.filter((one) => !found.some((other) => other !== one && one.contains(other)));
  if (inner.length === 1) return { element: inner[0] };
  // Two identical links on a page lead to the same address.
  if (inner.length > 1 && inner.every((one) => one.tagName === "A" && one.href === inner[0].href)) return { element: inner[0] };
  if (inner.length > 1) return { error: `${inner.length} of them: ${inner.map((one) => one.outerHTML.slice(0, 160)).join(" | ")}` };
  return { error: `there is none; there are: ${[...new Set(offered)].join(" | ")}` };
}

const part = within === null ? front() : smallestPart(within);
if (!part) return { error: `no part of the page has “${within}”` };

if (kind === "click") {
  const all = [...part.querySelectorAll("a[href], button, summary, input[type=submit], input[type=button], input[type=reset], [role=button], [role=menuitem], [role=menuitemradio], [role=tab], [role=switch]")].filter(visible);
  return answer(pick(all, names), all.map((one) => names(one)[0]));
}

if (kind === "field") {
  const all = [...part.querySelectorAll("input:not([type=hidden], [type=submit], [type=button], [type=reset]), select, textarea, output")];
  const labels = (field) => [...[...(field.labels || [])].filter(visible).map((label) => plain(label.innerText)), ...names({
    getAttribute: (name) => field.getAttribute(name), matches: () => false, innerText: "", textContent: "", title: field.title })];
  // A checkbox or radio button may be drawn by its label, and a field may exist twice, once hidden.
  const seen = all.filter((field) => visible(field) || [...(field.labels || [])].some(visible));
  return answer(pick(seen, labels), seen.flatMap(labels));
}

return { error: `what is a ${kind}?` };
