// Makes the chat page live: sends without a reload, fetches replies and notices as they come, follows the language.
"use strict";

const WORDS = JSON.parse(document.getElementById("words").textContent);
const RIGHT_TO_LEFT = new Set(["he"]);
const log = document.getElementById("log");
const form = document.getElementById("say");
const box = document.getElementById("message");
const dialog = document.getElementById("context");
// While a reply is on its way the page looks for it so often (milliseconds), should the live connection be away.
const SOON = 800;

let state = document.getElementById("state").dataset.state;
let pending = !document.getElementById("thinking").hidden;
let looking = Promise.resolve();
// Whether our last line offers to try a call again.
let offered = state !== "confirming" && document.querySelector("#choices .yes") !== null;
// Whether the newest line is in view: then it stays there, whatever the room that is left for it.
let atEnd = true;

function language() { return document.documentElement.lang; }
function words(name) { return WORDS[language()][name]; }

function speak(code) {
  if (!WORDS[code] || code === language()) return;
  document.documentElement.lang = code;
  document.documentElement.dir = RIGHT_TO_LEFT.has(code) ? "rtl" : "ltr";
  for (const part of document.querySelectorAll("[data-words]")) part.textContent = words(part.dataset.words);
  box.placeholder = words("label");
  form.querySelector(".send").setAttribute("aria-label", words("send"));
  log.setAttribute("aria-label", words("log"));
  document.title = words("title");
  keepHintTogether();
}

function clock(moment) {
  return new Intl.DateTimeFormat(language(), { hour: "2-digit", minute: "2-digit" }).format(new Date(moment));
}

// A telephone number stays in one piece, whatever the width.
const NUMBER = /(\u2066[^\u2069]*\u2069|\+?\(?\d[\d ()-]{5,}\d)/;

function keepNumbersTogether(bubble) {
  bubble.replaceChildren(...bubble.textContent.split(NUMBER).map((part, place) => {
    if (place % 2 === 0) return part;
    const number = document.createElement("bdi");
    number.dir = "ltr";
    number.textContent = part;
    return number;
  }));
}

function keepHintTogether() {
  for (const hint of document.querySelectorAll("#welcome [data-words]")) keepNumbersTogether(hint);
}

function toEnd() { log.scrollTop = log.scrollHeight; }

function show(line) {
  if (line.id && log.querySelector(`[data-id="${line.id}"]`)) return;
  document.getElementById("welcome")?.remove();
  if (line.role === "user" && line.id) log.querySelector("[data-sending]")?.remove();
  const row = document.createElement("div");
  row.className = `line ${line.role} ${line.kind}`;
  if (line.id) row.dataset.id = line.id; else row.dataset.sending = "";
  const who = document.createElement("span");
  who.className = "hidden";
  who.textContent = `${words(line.role === "user" ? "you" : "assistant")}:`;
  const bubble = document.createElement("p");
  bubble.className = "bubble";
  bubble.dir = "auto";
  bubble.lang = line.language || language();
  bubble.textContent = line.text;
  keepNumbersTogether(bubble);
  const time = document.createElement("time");
  time.dateTime = line.created_at;
  time.textContent = clock(line.created_at);
  row.append(who, bubble, time);
  log.append(row);
  toEnd();
}

function choice(label, said, main) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  if (main) button.className = "yes";
  button.addEventListener("click", () => { send(said); box.focus(); });
  return button;
}

function stand() {
  const line = document.getElementById("state");
  line.dataset.state = state;
  line.textContent = words(state);
  document.getElementById("thinking").hidden = !pending;
  const choices = document.getElementById("choices");
  choices.replaceChildren();
  if (pending) return;
  if (state === "confirming") {
    choices.append(choice(words("yes"), words("yes_words"), true), choice(words("cancel"), words("cancel_words")));
  } else if (offered) {
    choices.append(choice(words("retry"), words("yes_words"), true), choice(words("leave"), words("leave_words")));
  }
}

function lastId() {
  const rows = log.querySelectorAll("[data-id]");
  return rows.length ? rows[rows.length - 1].dataset.id : "";
}

async function ask(path, options = {}) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const answer = await fetch(path, { headers, credentials: "same-origin", ...options });
  if (answer.status === 401 || answer.status === 403) location.reload();
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

async function look() {
  const news = await ask(`/chat/messages?after=${lastId()}`);
  for (const line of news.messages) show(line);
  const last = news.messages.at(-1);
  if (last) {
    speak(last.language);
    offered = last.offers_retry;
  }
  const changed = last || news.state !== state || news.pending !== pending;
  ({ state, pending } = news);
  if (changed) stand();
}

// One look at a time, so that no line comes twice and none out of order. Gives whether the server was there.
function lookNow() {
  const seen = looking.then(look).then(() => true, () => false);
  looking = seen;
  return seen.then((there) => { if (pending) setTimeout(lookNow, SOON); return there; });
}

function connection(name) {
  if (name !== "lost") {
    if (document.getElementById("state").dataset.state === "offline") stand();
    return;
  }
  const line = document.getElementById("state");
  line.dataset.state = "offline";
  line.textContent = words("offline");
}

async function send(text) {
  document.getElementById("problem").hidden = true;
  if (!text.trim()) return;
  show({ role: "user", kind: "turn", text, created_at: new Date().toISOString() });
  const before = { pending, offered };
  pending = true;
  stand();
  try {
    await ask("/chat", { method: "POST", body: JSON.stringify({ message: text }) });
  } catch {
    log.querySelector("[data-sending]")?.remove();
    ({ pending, offered } = before);
    stand();
    if (!navigator.onLine) connection("lost");
    complain("failed");
    if (!box.value) box.value = text;
    return;
  }
  await lookNow();
}

function say(event) {
  event.preventDefault();
  const text = box.value;
  box.value = "";
  send(text);
}

form.addEventListener("submit", say);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) say(event);
});

function item(text) {
  const row = document.createElement("li");
  row.dir = "auto";
  row.textContent = text;
  return row;
}

function fill(id, rows) {
  document.getElementById(id).replaceChildren(...(rows.length ? rows : [item(words("nothing"))]));
}

function complain(name) {
  const problem = document.getElementById("problem");
  problem.textContent = words(name);
  problem.hidden = false;
}

document.getElementById("knows").addEventListener("click", async () => {
  const known = await ask("/context").catch(() => null);
  if (known === null) return complain("no_answer");
  fill("context-contacts", known.context.map((one) => item(`${one.name}: \u2066${one.value}\u2069`)));
  fill("context-tasks", known.tasks.slice(-10).reverse().map((task) => item(task.summary || task.type)));
  document.getElementById("context-messages").textContent = `${known.messages.length} ${words("messages")}`;
  dialog.showModal();
});

document.getElementById("close").addEventListener("click", () => dialog.close());
document.getElementById("erase").addEventListener("click", async () => {
  if (!window.confirm(words("erase_ask"))) return;
  const erased = await ask("/context", { method: "DELETE" }).catch(() => null);
  if (erased !== null) return location.reload();
  dialog.close();
  complain("no_answer");
});

// A scroll that comes of the log's own shrinking, when buttons appear, is not the reader's.
let height = log.clientHeight;
log.addEventListener("scroll", () => { if (log.clientHeight === height) atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40; });
new ResizeObserver(() => { height = log.clientHeight; if (atEnd) toEnd(); }).observe(log);
window.addEventListener("offline", () => connection("lost"));
window.addEventListener("online", async () => { if (await lookNow()) connection("live"); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) lookNow(); });
for (const bubble of log.querySelectorAll(".bubble")) keepNumbersTogether(bubble);
keepHintTogether();
for (const time of log.querySelectorAll("time")) time.textContent = clock(time.dateTime);
for (const button of document.querySelectorAll("#choices button")) {
  button.type = "button";
  button.addEventListener("click", () => { send(button.value); box.focus(); });
}
toEnd();
listenLive(document.body.dataset.live && `${document.body.dataset.live}?channel=chat`, { changed: lookNow, refetch: lookNow, state: connection });
