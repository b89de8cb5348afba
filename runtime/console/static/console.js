// The little that pages do by themselves. Without it everything works: pages are reloaded, boxes are ticked one by one.
"use strict";

// What moves is asked for again and put in place, while it is looked at and nobody is writing in it.
const live = document.querySelector("[data-live]");
if (live) {
  const every = Math.max(1, Number(live.dataset.live)) * 1000;
  const look = async () => {
    const isBusy = document.hidden || live.contains(document.activeElement) || live.querySelector("input:checked, details[open]");
    if (!isBusy) {
      try {
        const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
        if (!fresh) return;
        if (fresh.innerHTML !== live.innerHTML) live.replaceChildren(...fresh.childNodes);
        if (fresh.dataset.live === "0") return;
      } catch { /* the server is away for a moment, or the login has ended: what is shown stays */ }
    }
    setTimeout(look, every);
  };
  if (live.dataset.live !== "0") setTimeout(look, every);
}

// One box for all boxes of a list, and how many are ticked.
const all = document.querySelector("[data-all]");
if (all) {
  all.closest("[hidden]")?.removeAttribute("hidden");
  const boxes = () => [...document.querySelectorAll('input[name="chosen"]:not(:disabled)')];
  const told = document.querySelector("[data-count]");
  const count = () => {
    const ticked = boxes().filter((box) => box.checked).length;
    if (told) told.textContent = ticked ? `${ticked} chosen` : "";
    all.checked = ticked > 0 && ticked === boxes().length;
  };
  all.addEventListener("change", () => { boxes().forEach((box) => { box.checked = all.checked; }); count(); });
  document.addEventListener("change", (event) => { if (event.target.name === "chosen") count(); });
  count();
}
