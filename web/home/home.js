// The index: every lot with its displays. What is free is for the displays to say: they know when they do not know.

import { signal } from "@preact/signals";
import { html, render } from "htm/preact";

const lots = signal([]);
const cursor = signal(null);
const trouble = signal(null);
const signs = signal(new Map()); // lot → its signs, once somebody looked

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

/** Runs `reading` and shows why when it fails. */
async function attempt(reading) {
  try {
    await reading();
    trouble.value = null;
  } catch (error) {
    trouble.value = error.message;
  }
}

const readLots = () =>
  attempt(async () => {
    const page = await read(`/v1/lots?limit=100${cursor.value ? `&cursor=${encodeURIComponent(cursor.value)}` : ""}`);
    lots.value = [...lots.value, ...page.data];
    cursor.value = page.next_cursor;
  });

const readSigns = (lot) =>
  attempt(async () => {
    if (signs.value.has(lot)) return;
    const layout = await read(`/v1/lots/${encodeURIComponent(lot)}/layout`);
    signs.value = new Map(signs.value).set(lot, layout.signs ?? []);
  });

const displayOf = (lot, sign) => `/display/${encodeURIComponent(lot)}${sign ? `/${encodeURIComponent(sign)}` : ""}`;

function LotCard({ lot }) {
  return html`<li class="lot">
    <h2>${lot.name || lot.lot}</h2>
    <p>${lot.address}</p>
    <p>${lot.places} places</p>
    <a href=${displayOf(lot.lot)}>Display of ${lot.name || lot.lot}</a>
    <details onToggle=${(event) => event.currentTarget.open && readSigns(lot.lot)}>
      <summary>Its signs</summary>
      <ul>
        ${(signs.value.get(lot.lot) ?? []).map((sign) => html`<li key=${sign.sign}><a href=${displayOf(lot.lot, sign.sign)}>${sign.name || sign.sign}</a></li>`)}
      </ul>
      ${signs.value.get(lot.lot)?.length === 0 && html`<p>None of its own.</p>`}
    </details>
  </li>`;
}

function Lots() {
  return html`
    ${trouble.value && html`<p role="alert">${trouble.value}</p>`}
    <ul class="lots">${lots.value.map((lot) => html`<${LotCard} key=${lot.lot} lot=${lot} />`)}</ul>
    ${cursor.value && html`<button type="button" onClick=${readLots}>More lots</button>`}
  `;
}

const root = document.getElementById("lots");
root.replaceChildren();
render(html`<${Lots} />`, root);
await readLots();
