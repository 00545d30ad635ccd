// The demo's mailbox. Asks every two seconds while the page is seen: mails are few, and this page is for one machine.

const POLL_MS = 2000;

const list = document.getElementById("mails");
const status = document.getElementById("status");
const filter = document.getElementById("to");
let shown = "";
let chosen = new URL(location.href).searchParams.get("mail");

filter.value = new URL(location.href).searchParams.get("to") ?? "";
filter.addEventListener("input", refresh);
document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", refresh);

async function mails() {
  const to = filter.value.trim();
  const answer = await fetch(`/v1/mailbox${to ? `?to=${encodeURIComponent(to)}` : ""}`);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return (await answer.json()).data;
}

async function refresh() {
  if (document.hidden) return;
  try {
    show(await mails());
  } catch (error) {
    status.textContent = `The mailbox cannot be read: ${error.message}`;
  }
}

function show(found) {
  const fingerprint = JSON.stringify([found.map((mail) => mail.id), chosen]);
  if (fingerprint === shown) return;
  shown = fingerprint;
  status.textContent = found.length === 0 ? "No mail yet." : found.length === 1 ? "1 mail" : `${found.length} mails`;
  const focused = document.activeElement?.dataset?.mail;
  list.replaceChildren(...found.map(entry));
  list.querySelector(`[data-mail="${focused}"]`)?.focus();
  open(found.find((mail) => mail.id === chosen) ?? found[0]);
}

function entry(mail) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.mail = mail.id;
  button.append(line("subject", mail.subject), line("to", mail.to), line("at", time(mail.at)));
  button.addEventListener("click", () => {
    chosen = mail.id;
    open(mail);
  });
  item.append(button);
  return item;
}

function line(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}

function open(mail) {
  document.getElementById("mail").hidden = !mail;
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.mail === mail?.id));
  }
  if (!mail) return;
  document.getElementById("subject").textContent = mail.subject;
  document.getElementById("recipient").textContent = mail.to;
  document.getElementById("sent").textContent = time(mail.at);
  document.getElementById("sent").dateTime = mail.at;
  document.getElementById("text").textContent = mail.text;
  const frame = document.getElementById("html");
  if (frame.getAttribute("src") !== mail.html) frame.src = mail.html;
}

function time(at) {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

refresh();
setInterval(refresh, POLL_MS);
