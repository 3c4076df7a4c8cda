// The approvals page. It shows what the server renders and sends what the manager decides; no rule lives here.
"use strict";

const root = document.getElementById("console");
const queuePane = document.getElementById("queue");
const cardPane = document.getElementById("card");
const toasts = document.getElementById("toasts");
const announcer = document.getElementById("announcer");
const decides = root.dataset.decides === "yes";
let keysOn = root.dataset.keys === "on";
let busy = false;
let looked = "";           // the card that the first `a` has brought into view
let opening = 0;           // the newest request for a card; answers of older ones are dropped
const undoable = [];       // cards whose decision can still be taken back, the newest last

const $ = selector => document.querySelector(selector);
const middle = () => document.getElementById("middle");
const editor = () => document.getElementById("words");
const current = () => middle()?.dataset.id || "";
const address = (id, what) => `${root.dataset.base}${id}/${what ? `${what}/` : ""}`;
const wanted = () => document.getElementById("rows")?.dataset.wanted || "";

// --- talking to the server ------------------------------------------------------------------------------------------

class Refused extends Error { constructor(code, message) { super(message); this.code = code; } }
class Unreachable extends Error {}
class SignedOut extends Error {}

function csrf() {
  return document.cookie.split("; ").find(part => part.startsWith("csrftoken="))?.slice(10) || "";
}

async function ask(url, data) {
  const options = { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin" };
  if (data) {
    options.method = "POST";
    options.body = new URLSearchParams(data);
    options.headers["X-CSRFToken"] = csrf();
  }
  let answer;
  try { answer = await fetch(url, options); } catch { throw new Unreachable(); }
  if (answer.redirected && answer.url.includes(root.dataset.login)) throw new SignedOut();
  if (answer.status >= 500) throw new Unreachable();
  if (answer.ok) return answer;
  if (answer.status === 403) throw csrf() ? new Refused("forbidden", "You may not do this. If you signed in again meanwhile, try once more.") : new SignedOut();
  const said = await answer.json().catch(() => ({}));
  throw new Refused(said.code || "error", said.message || "The server could not do this.");
}

function explain(error) {
  if (error instanceof SignedOut) return problem(`You have been signed out. Nothing was sent, and your words are kept here. <a href="${root.dataset.login}" target="_blank" rel="noopener">Sign in again</a> in another tab, then repeat it.`);
  if (error instanceof Unreachable) return problem("The server does not answer. Your words are kept here. Try again in a moment: nothing is sent twice.");
  if (error instanceof Refused) return problem(plain(error.message));
  throw error;
}

function plain(text) { const box = document.createElement("i"); box.textContent = text; return box.innerHTML; }

function problem(html) {
  const box = document.getElementById("problem");
  if (!box) return toast(html.replace(/<[^>]*>/g, ""), { bad: true });
  box.innerHTML = html;
  box.hidden = !html;
  if (html) box.scrollIntoView({ block: "nearest" });
}

// --- words that are being typed are kept on this machine until they are decided ----------------------------------------

const keeper = {
  key: id => `console:${root.dataset.me}:${id}`,
  keep(id, conversation, text) { localStorage.setItem(this.key(id), JSON.stringify({ conversation, text, at: Date.now() })); },
  of(id) { return JSON.parse(localStorage.getItem(this.key(id)) || "null"); },
  drop(id) { localStorage.removeItem(this.key(id)); },
  // What was typed for another draft of the same conversation, such as one that was withdrawn under the cursor.
  ofConversation(conversation, besides) {
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (!key.startsWith(this.key("")) || key === this.key(besides)) continue;
      const kept = JSON.parse(localStorage.getItem(key));
      if (kept.conversation === conversation) return { ...kept, key };
    }
    return null;
  },
  tidy() {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith("console:") && Date.now() - JSON.parse(localStorage.getItem(key)).at > 7 * 864e5) localStorage.removeItem(key);
    }
  },
};

// --- the card ---------------------------------------------------------------------------------------------------------

async function open(id, { focus = false, quiet = false } = {}) {
  const turn = ++opening;
  const left = current();
  try {
    const mine = decides && !quiet;
    const answer = await ask(address(id, mine ? "claim" : ""), mine ? { open: "1" } : undefined);
    const html = await answer.text();
    if (turn !== opening) return;
    if (left && left !== id && decides) ask(address(left, "release"), { open: "1" }).catch(() => {});
    show(html, { keepCaret: left === id });
    if (!quiet) { root.dataset.pane = "card"; remember(id); }
    if (focus) middle()?.focus({ preventScroll: true });
  } catch (error) { explain(error); }
}

function show(html, { keepCaret = false } = {}) {
  const before = editor();
  const caret = keepCaret && before && document.activeElement === before ? [before.selectionStart, before.selectionEnd] : null;
  cardPane.innerHTML = html;
  looked = "";
  markCurrent();
  const field = editor();
  if (!field) return;
  const kept = keeper.of(current());
  if (kept && kept.text !== field.value && !field.readOnly) { field.value = kept.text; check(); }
  offerKept();
  paint(figuresOnPage());
  fit();
  toTheLastWords();
  if (caret && !field.readOnly) { field.focus(); field.setSelectionRange(...caret); }
  label();
}

function offerKept() {
  const box = document.getElementById("kept"), field = editor();
  const kept = keeper.ofConversation(middle().dataset.conversation, current());
  if (!box || !kept || field.readOnly) return;
  box.innerHTML = `<span>You were writing to this tenant: <q>${plain(kept.text)}</q></span><span><button type="button" class="link" data-do="use-kept">Use it here</button> · <button type="button" class="link" data-do="drop-kept">Forget it</button></span>`;
  box.dataset.key = kept.key;
  box.dataset.text = kept.text;
  box.hidden = false;
}

function markCurrent() {
  for (const row of queuePane.querySelectorAll(".row")) {
    if (row.dataset.card === current()) { row.setAttribute("aria-current", "true"); row.scrollIntoView({ block: "nearest" }); }
    else row.removeAttribute("aria-current");
  }
}

function remember(id) {
  history.replaceState(null, "", `?${[`card=${id}`, wanted()].filter(Boolean).join("&")}`);
}

function edited() { const field = editor(); return Boolean(field) && field.value.trim() !== field.dataset.draft.trim(); }

function label() {
  const button = document.getElementById("approve");
  if (button && !button.dataset.trouble) button.querySelector("span").textContent = edited() ? "Send edit" : button.querySelector("span").textContent === "Send again" ? "Send again" : "Approve";
}

function fit() {
  const field = editor();
  field.style.blockSize = "auto";
  field.style.blockSize = `${field.scrollHeight + 2}px`;
}

// The tenant's last words stay in view, however high the editor grows.
function toTheLastWords() { const thread = document.getElementById("thread"); thread.scrollTop = thread.scrollHeight; }

// The figures are marked behind the words; a figure is a few characters, so it is found by its text.
function paint(figures) {
  const marks = document.getElementById("marks"), text = editor().value;
  let html = "", from = 0;
  for (const figure of figures) {
    const at = text.indexOf(figure.text, from);
    if (at < 0) continue;
    html += plain(text.slice(from, at)) + `<mark class="${figure.source ? "" : "unsourced"}">${plain(figure.text)}</mark>`;
    from = at + figure.text.length;
  }
  marks.innerHTML = `${html}${plain(text.slice(from))}\n`;
  marks.dataset.figures = JSON.stringify(figures);
}

function figuresOnPage() {
  return [...document.querySelectorAll("#checked .figures li")].map(item => ({ text: item.querySelector("b").textContent, source: item.classList.contains("sourced") ? "yes" : null }));
}

let checking = null, checkLater = 0;
function typed() {
  const field = editor();
  if (edited()) keeper.keep(current(), middle().dataset.conversation, field.value);
  else keeper.drop(current());
  fit(); label();
  paint(JSON.parse(document.getElementById("marks").dataset.figures || "[]"));
  clearTimeout(checkLater);
  checkLater = setTimeout(check, 120);
}

async function check() {
  const id = current(), text = editor().value;
  checking?.abort?.();
  const turn = checking = {};
  try {
    const said = await (await ask(address(id, "check"), { text })).json();
    if (turn !== checking || current() !== id || editor().value !== text) return;
    const thread = document.getElementById("thread");
    const atTheEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
    document.getElementById("checked").innerHTML = said.html;
    paint(said.figures);
    if (atTheEnd) toTheLastWords();
    if (!said.red.length) hide("override");
  } catch (error) { if (!(error instanceof Unreachable)) explain(error); }
}

function hide(id) { const box = document.getElementById(id); if (box) box.hidden = true; }

// --- deciding -----------------------------------------------------------------------------------------------------------

async function decide(decision, data = {}, id = current()) {
  if (!id || busy) return;
  busy = true;
  problem("");
  root.setAttribute("aria-busy", "true");
  const row = queuePane.querySelector(`[data-card="${id}"]`), name = middle()?.dataset.name;
  const next = neighbours(id);
  row?.classList.add("leaving");
  try {
    const said = await (await ask(address(id, decision), { ...data, next: next.join(","), view: wanted() })).json();
    if (decision !== "undo") keeper.drop(id);
    opening++;
    if (said.undo_seconds) undoable.push({ id, decision, until: Date.now() + said.undo_seconds * 1000 });
    if (decision === "snooze") undoable.push({ id, decision: "snooze", until: Date.now() + 60000 });
    if (decision !== "undo" && decision !== "wake") row?.closest("li").remove();
    show(said.card);
    if (said.card_id) remember(said.card_id);
    else if (root.dataset.pane === "card") root.dataset.pane = "queue";
    middle()?.focus({ preventScroll: true });
    // What came back stands in the list before the next J or K.
    if (decision === "undo" || decision === "wake") await refresh();
    toast(said.said, { undo: said.undo_seconds || (decision === "snooze" ? 10 : 0), id });
    refreshSoon();
    return true;
  } catch (error) {
    row?.classList.remove("leaving");
    await overtaken(error, id, name);
    return false;
  } finally {
    busy = false;
    root.removeAttribute("aria-busy");
  }
}

// Somebody or something came first: show the card as it is now, keep what was typed, and say what happened.
async function overtaken(error, id, name) {
  if (error instanceof Refused && error.code === "gate_failed") { askForReason(); return explain(error); }
  if (error instanceof Refused && ["already_decided", "stale", "contact_hold", "claimed", "not_found"].includes(error.code)) {
    await open(id, { quiet: true });
    refreshSoon();
    if (document.getElementById("problem")) return problem(plain(error.message));
    return toast(`${name}: ${error.message}`, { bad: true });
  }
  explain(error);
}

function neighbours(id) {
  const free = [...queuePane.querySelectorAll(".row:not([data-held])")].map(row => row.dataset.card);
  const all = [...queuePane.querySelectorAll(".row")].map(row => row.dataset.card);
  const below = all.slice(all.indexOf(id) + 1).filter(card => free.includes(card));
  const above = all.slice(0, Math.max(0, all.indexOf(id))).filter(card => free.includes(card)).reverse();
  return [...below, ...above].filter(card => card !== id).slice(0, 5);
}

function approve() {
  if (!canDecide()) return;
  const key = current() + editor().value;
  if (looked !== key && !fullyInView()) {
    looked = key;
    document.querySelector(".bubble.answered, .bubble.inbound:last-of-type")?.scrollIntoView({ block: "nearest" });
    document.getElementById("composer").scrollIntoView({ block: "nearest" });
    return toast("Read it first; the next A sends it.");
  }
  if (middle().dataset.status === "unknown" && looked !== key) {
    looked = key;
    return toast("The tenant may have this text already. Look first; the next A sends it once more.", { bad: true });
  }
  if (document.querySelector("#checked .gate-red")) return askForReason();
  decide("approve", { text: editor().value });
}

function askForReason() {
  const box = document.getElementById("override");
  if (!box) return;
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
  box.querySelector("input")?.focus();
}

function override() {
  const reason = document.getElementById("override-reason").value.trim();
  if (!reason) return document.getElementById("override-reason").focus();
  decide("approve", { text: editor().value, override_reason: reason });
}

function canDecide() {
  return decides && middle()?.dataset.open === "yes" && !middle().dataset.holder;
}

// The tenant's words and the whole reply: what a person must have seen before a key sends it.
function fullyInView() {
  const thread = document.getElementById("thread").getBoundingClientRect();
  const words = document.querySelector(".bubble.answered")?.getBoundingClientRect();
  const field = document.getElementById("editor").getBoundingClientRect();
  const actions = document.querySelector(".actions").getBoundingClientRect();
  const seen = !words || (words.bottom <= thread.bottom + 2 && words.top >= thread.top - 2 && words.top >= 0);
  return seen && field.top >= 0 && field.bottom <= window.innerHeight && actions.top < window.innerHeight;
}

function undo() {
  while (undoable.length) {
    const last = undoable.pop();
    if (last.until < Date.now()) continue;
    return decide(last.decision === "snooze" ? "wake" : "undo", {}, last.id);
  }
  if (middle()?.dataset.status === "approved") return decide("undo");
  toast("There is nothing left to take back: the text has gone out.");
}

// --- the queue -----------------------------------------------------------------------------------------------------------

let refreshing = null, seen = new Set([...queuePane.querySelectorAll(".row")].map(row => row.dataset.card));

function refreshSoon() {
  if (!refreshing) refreshing = setTimeout(async () => { refreshing = null; await refresh(); }, 250);
}

// One after the other: an answer to an older question must not cover that to a newer one.
let turn = Promise.resolve();

function refresh(query) {
  turn = turn.then(() => fetchQueue(query ?? wanted()));
  return turn;
}

async function fetchQueue(query) {
  try {
    const html = await (await ask(`${root.dataset.base}queue/?${query}`)).text();
    const search = document.getElementById("search");
    const typing = search && document.activeElement === search ? { text: search.value, at: search.selectionStart } : null;
    const focused = document.activeElement?.dataset?.card, open = queuePane.querySelector("details")?.open;
    const scrolled = document.getElementById("rows")?.scrollTop || 0, state = document.getElementById("live").outerHTML;
    queuePane.innerHTML = html;
    document.getElementById("live").outerHTML = state;
    document.getElementById("rows").scrollTop = scrolled;
    if (open) queuePane.querySelector("details").open = true;
    if (typing) { const field = document.getElementById("search"); field.value = typing.text; field.focus(); field.setSelectionRange(typing.at, typing.at); }
    if (focused) queuePane.querySelector(`[data-card="${focused}"]`)?.focus();
    announceNew();
    for (const row of queuePane.querySelectorAll(".row")) if (row.dataset.card === current()) row.setAttribute("aria-current", "true");
    if (!current() && root.dataset.pane !== "card") openFirst();
    return true;
  } catch (error) {
    if (error instanceof SignedOut) explain(error);
    return false;
  }
}

function openFirst() {
  const first = queuePane.querySelector(".row:not([data-held])");
  if (first && window.innerWidth > 820) open(first.dataset.card);
}

function announceNew() {
  const rows = [...queuePane.querySelectorAll(".row")].map(row => row.dataset.card);
  const fresh = rows.filter(card => !seen.has(card));
  rows.forEach(card => seen.add(card));
  if (fresh.length) announcer.textContent = fresh.length === 1 ? "A new reply waits." : `${fresh.length} new replies wait.`;
}

function step(by) {
  const rows = [...queuePane.querySelectorAll(".row")];
  const at = rows.findIndex(row => row.dataset.card === current());
  const row = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  if (row && row.dataset.card !== current()) open(row.dataset.card, { focus: true });
}

async function more(button) {
  button.disabled = true;
  try {
    const html = await (await ask(`${root.dataset.base}queue/?${wanted()}&after=${encodeURIComponent(button.dataset.after)}`)).text();
    const item = button.closest("li");
    item.insertAdjacentHTML("afterend", html);
    item.remove();
    announceNew();
  } catch (error) { button.disabled = false; explain(error); }
}

// --- live ----------------------------------------------------------------------------------------------------------------

const WORDS_OF_STATE = { live: "Live", polling: "Every 2 s", lost: "Connection lost, trying again", connecting: "Connecting" };

function state(name) {
  const light = document.getElementById("live");
  if (!light || light.dataset.state === name) return;
  light.dataset.state = name;
  light.querySelector("span").textContent = WORDS_OF_STATE[name];
}

function changed(conversation) {
  refreshSoon();
  if (conversation === middle()?.dataset.conversation || conversation === "*") cardChanged();
}

// The open card changed under the cursor: shown anew only if it really did, with what was typed kept.
async function cardChanged() {
  const id = current();
  if (!id || busy) return;
  try {
    const html = await (await ask(address(id, ""))).text();
    if (current() !== id || busy) return;
    const now = new DOMParser().parseFromString(html, "text/html").getElementById("middle");
    if (!now || now.dataset.state === middle().dataset.state) return;
    const typing = edited() ? editor().value : "";
    if (typing) keeper.keep(id, middle().dataset.conversation, typing);
    if (now.dataset.open === "no" && now.dataset.newer) {
      await open(now.dataset.newer);
      return toast(`${now.dataset.name} has written again: this is a new draft.`);
    }
    show(html, { keepCaret: true });
  } catch (error) { if (error instanceof SignedOut) explain(error); }
}

async function refetch() {
  const well = await refresh();
  if (well) cardChanged();
  return well;
}

setInterval(() => { if (!document.hidden) refreshSoon(); }, 60000);
// A claim lasts two minutes; it is renewed while the card is open and looked at.
setInterval(() => { if (!document.hidden && canDecide()) ask(address(current(), "claim"), { only: "1" }).catch(() => {}); }, 40000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refetch(); });
window.addEventListener("pagehide", () => {
  if (canDecide()) navigator.sendBeacon(address(current(), "release"), new URLSearchParams({ csrfmiddlewaretoken: csrf() }));
});

// --- toasts and dialogs -----------------------------------------------------------------------------------------------------

function toast(text, { undo: seconds = 0, bad = false, id = "" } = {}) {
  const box = document.createElement("div");
  box.className = `toast${bad ? " toast-bad" : ""}`;
  box.innerHTML = `<span>${plain(text)}</span>${seconds ? `<button type="button" data-do="undo">Undo <kbd aria-hidden="true">U</kbd> <span class="left" aria-hidden="true">${seconds}</span></button>` : ""}`;
  for (const old of [...toasts.children].slice(0, -1)) old.remove();
  if (toasts.children.length) toasts.firstChild.remove();
  toasts.append(box);
  let left = seconds || (bad ? 9 : 4);
  const tick = setInterval(() => {
    left -= 1;
    if (box.querySelector(".left")) box.querySelector(".left").textContent = left;
    if (left <= 0 || !box.isConnected) { clearInterval(tick); box.remove(); }
  }, 1000);
}

function ask_in(name) {
  const dialog = document.getElementById(`dialog-${name}`);
  if (name !== "help" && !canDecide()) return;
  // What was typed for this card and did not arrive is still there.
  if (dialog.dataset.card !== current()) dialog.querySelector("form")?.reset();
  dialog.dataset.card = current();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("textarea, input[name], .choices button")?.focus();
}

for (const dialog of document.querySelectorAll(".console-dialog")) {
  dialog.addEventListener("click", event => { if (event.target === dialog || event.target.closest("[data-close]")) dialog.close(); });
  dialog.addEventListener("keydown", event => {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.querySelector("form").requestSubmit(dialog.querySelector("button.primary"));
    const chosen = dialog.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (chosen) { event.preventDefault(); chosen.click(); }
  });
  const form = dialog.querySelector("form[data-decision]");
  form?.addEventListener("submit", async event => {
    const data = Object.fromEntries(new FormData(form, event.submitter?.name ? event.submitter : undefined));
    if (await decide(form.dataset.decision, data, dialog.dataset.card)) form.reset();
  });
}

// --- clicks and keys ------------------------------------------------------------------------------------------------------------

const DO = {
  approve: () => approve(),
  override: () => override(),
  undo: () => undo(),
  escalate: () => ask_in("escalate"),
  redraft: () => middle()?.dataset.status === "pending" && ask_in("redraft"),
  snooze: () => middle()?.dataset.status === "pending" && ask_in("snooze"),
  close: () => ask_in("close"),
  help: () => ask_in("help"),
  edit() { const field = editor(); if (field && !field.readOnly) { field.focus(); field.setSelectionRange(field.value.length, field.value.length); } },
  counter() {
    const field = editor(), offer = document.querySelector('[data-do="counter"]')?.dataset.text;
    if (!offer || !field || field.readOnly) return;
    const before = field.value.trimEnd();
    field.value = before ? `${before} ${offer}` : offer;
    typed(); DO.edit();
  },
  fold(button) { editor().value = button.dataset.text; typed(); },
  back() { root.dataset.pane = "queue"; queuePane.querySelector("[aria-current]")?.focus(); },
  "use-kept"() {
    const box = document.getElementById("kept");
    editor().value = box.dataset.text;
    localStorage.removeItem(box.dataset.key);
    box.hidden = true;
    typed(); DO.edit();
  },
  "use-unsent"(button) { editor().value = button.dataset.text; typed(); DO.edit(); },
  "drop-kept"() { const box = document.getElementById("kept"); localStorage.removeItem(box.dataset.key); box.hidden = true; },
};

const KEYS = { j: () => step(1), k: () => step(-1), a: DO.approve, e: DO.edit, x: DO.escalate, r: DO.redraft, s: DO.snooze, d: DO.close, c: DO.counter, u: DO.undo, "/": () => $("#search")?.focus(), "?": DO.help };

document.addEventListener("keydown", event => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.target.id === "words") {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); if (middle().dataset.status !== "unknown") looked = current() + editor().value; approve(); }
    if (event.key === "Escape") { event.preventDefault(); editor().blur(); middle().focus({ preventScroll: true }); }
    return;
  }
  if (event.target.id === "override-reason" && event.key === "Enter") { event.preventDefault(); return override(); }
  if (event.target.id === "override-reason" && event.key === "Escape") { hide("override"); return middle().focus({ preventScroll: true }); }
  if (event.target.id === "search" && event.key === "Escape") return event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key === "a") return;
  if (!keysOn && event.key !== "?") return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("click", event => {
  const row = event.target.closest("[data-card]:not(dialog)");
  if (row && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); return open(row.dataset.card, { focus: true }); }
  const view = event.target.closest("[data-view]");
  if (view) { event.preventDefault(); return look(view.dataset.view); }
  const button = event.target.closest("[data-do]");
  if (button) return DO[button.dataset.do](button);
  if (event.target.closest("[data-open]")) return ask_in(event.target.closest("[data-open]").dataset.open);
  if (event.target.closest("[data-after]")) more(event.target.closest("[data-after]"));
});

async function look(query) {
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  await refresh(query);
  seen = new Set([...queuePane.querySelectorAll(".row")].map(row => row.dataset.card));
  const first = queuePane.querySelector(".row");
  if (first && window.innerWidth > 820) open(first.dataset.card);
}

let searching = 0;
queuePane.addEventListener("input", event => {
  const form = event.target.closest("#filters");
  if (!form) return;
  clearTimeout(searching);
  searching = setTimeout(() => look(new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString()), event.target.id === "search" ? 250 : 0);
});
queuePane.addEventListener("submit", event => event.preventDefault());
cardPane.addEventListener("input", event => { if (event.target.id === "words") typed(); });

document.getElementById("keys-on").addEventListener("change", async event => {
  keysOn = event.target.checked;
  try { await ask(`${root.dataset.base}keys/`, { on: keysOn ? "yes" : "no" }); } catch (error) { explain(error); }
});

// --- begin -------------------------------------------------------------------------------------------------------------------------

keeper.tidy();
if (new URLSearchParams(location.search).get("card")) root.dataset.pane = "card";
show(cardPane.innerHTML);
if (current() && canDecide()) ask(address(current(), "claim"), { only: "1" }).catch(() => {});
window.listenLive(root.dataset.live && `${root.dataset.live}?channel=console`, { changed, refetch, state });
