// What makes the desk more comfortable: pages that follow what happens, files dropped anywhere, keys for a proof. Every page works without it.
"use strict";

/** Says something to whoever cannot see it change. */
function tell(text) {
  const told = document.getElementById("told");
  if (told.textContent !== text) told.textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { told.textContent = ""; }, 10_000);
}

/** Follows a board: its sections are changed one by one where they differ, and what had the focus keeps it. */
function follow(board) {
  let first = true;
  const events = new EventSource(board.dataset.follow);
  events.onmessage = (event) => {
    const sent = document.createElement("template");
    sent.innerHTML = event.data;
    let changed = false;
    const focus = board.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const sections = [...sent.content.children];
    for (const section of sections) {
      const shown = document.getElementById(section.id);
      if (shown && shown.outerHTML === section.outerHTML) continue;
      changed = true;
      if (shown) shown.replaceWith(section);
      else board.append(section);
    }
    const ids = sections.map((section) => section.id);
    for (const shown of [...board.children]) {
      if (!ids.includes(shown.id)) { shown.remove(); changed = true; }
    }
    if (ids.join() !== [...board.children].map((section) => section.id).join()) {
      ids.forEach((id) => board.append(document.getElementById(id)));
    }
    if (focus) board.querySelector(`[href="${CSS.escape(focus)}"]`)?.focus();
    if (changed && !first) tell(board.querySelector("[data-told]")?.dataset.told ?? "");
    first = false;
    board.dataset.live = "yes";
  };
  events.onerror = () => {
    board.dataset.live = "no";
    // A stream that was refused does not come again: the session has ended, and the page says so when it is loaded.
    if (events.readyState === EventSource.CLOSED) location.reload();
  };
  addEventListener("pagehide", () => events.close());
}

/** Lets files be dropped anywhere on the page. */
function takeDrops(form) {
  const input = form.querySelector("input[type=file]");
  addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

/** The keys of a proof, and what shows a query in both its texts. */
function proofKeys(form) {
  const text = document.getElementById("text");
  const on = document.getElementById("keys-on");
  const queries = [...form.querySelectorAll(".query")];
  let dirty = false;
  try { on.checked = localStorage.getItem("keys") !== "off"; } catch { /* A browser may keep nothing. */ }
  on.addEventListener("change", () => { try { localStorage.setItem("keys", on.checked ? "on" : "off"); } catch { /* As above. */ } });
  text.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { dirty = false; });
  addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });

  const current = () => queries.find((query) => query.contains(document.activeElement));
  const show = (query) => {
    document.querySelectorAll(".now").forEach((shown) => shown.classList.remove("now"));
    query.classList.add("now");
    const line = document.getElementById(`L${query.dataset.line}`);
    line?.classList.add("now");
    line?.scrollIntoView({ block: "center" });
    query.focus({ preventScroll: true });
    query.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    if (queries.length === 0) return;
    const at = queries.indexOf(current());
    show(queries[at < 0 ? (by > 0 ? 0 : queries.length - 1) : (at + by + queries.length) % queries.length]);
  };
  const edit = (query) => {
    text.focus();
    if (!query || dirty) return;
    const start = Number(query.dataset.start);
    text.setSelectionRange(start, Number(query.dataset.end));
    const before = text.value.slice(0, start).split("\n").length;
    text.scrollTop = (before - 4) * (parseFloat(getComputedStyle(text).lineHeight) || 20);
  };
  const press = (id) => document.getElementById(id)?.click();
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    a: () => current()?.querySelector("button")?.click(),
    e: () => edit(current()),
    v: () => press("preview"),
    p: () => (queries.length === 0 ? press("approve") : document.getElementById("approve").focus()),
    "?": () => {
      const help = document.getElementById("keys");
      help.open = !help.open;
      if (help.open) help.querySelector("summary").focus();
    },
  };
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
      event.preventDefault();
      press("save");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = /^(TEXTAREA|SELECT)$/.test(event.target.tagName) || (event.target.tagName === "INPUT" && event.target.type !== "checkbox");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (on.checked && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  // Where a query was settled, the next one is at hand.
  if (location.hash === "#queries" && queries.length > 0) show(queries[0]);
}

const board = document.querySelector("[data-follow]");
if (board) follow(board);
const drop = document.querySelector("form.drop");
if (drop) takeDrops(drop);
const proof = document.getElementById("proof");
if (proof) proofKeys(proof);
