// Somebody's own stages: which of their walks is looked at, and how it does at each station.

const runs = document.querySelector("[data-control='run']");
const listeners = [];
const currentRun = () => (journey.runs[runs?.value] ? Number(runs.value) : 0);
const onRun = (listener) => listeners.push(listener);

function showRun() {
  const run = journey.runs[currentRun()];
  document.querySelector(".verdict").textContent = run.verdict;
  for (const place of document.querySelectorAll("[data-station]")) {
    const [kind, text] = run.states[place.dataset.station];
    place.className = `${place.className.replace(/ ?state-\w+/g, "")} state-${kind}`;
    place.title = text;
    if (place.classList.contains("badge")) place.textContent = text;
    else place.querySelector(".mark").textContent = text.slice(0, 1);
  }
  for (const place of document.querySelectorAll("[data-said]")) place.textContent = run.said[place.dataset.said];
  for (const place of document.querySelectorAll("[data-held]")) {
    const [by, holds, text] = run.tensors[place.dataset.held] ?? ["", true, ""];
    place.textContent = text && `${holds ? "✓" : "✗"} ${journey.words[by]} ${text}`;
    place.className = `difference ${holds ? "holds" : "differs"}`;
  }
  for (const button of document.querySelectorAll("[data-run]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.run) === currentRun()));
  }
}

if (runs) {
  for (const button of document.querySelectorAll("[data-run]")) {
    button.addEventListener("click", () => {
      runs.value = button.dataset.run;
      runs.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  runs.addEventListener("change", () => { showRun(); for (const listener of listeners) listener(); });
  remember("", { run: runs });
}
