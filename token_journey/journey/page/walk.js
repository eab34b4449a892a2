// From step to step: the map, the arrow keys, and which step is looked at.

const steps = [...document.querySelectorAll(".step")];
const map = document.querySelector(".map");
const unfold = map.querySelector(".unfold");
const links = new Map([...map.querySelectorAll("li a")].map((link) => [link.hash.slice(1), link]));
let currentStep = -1;

function markStep(index) {
  if (index === currentStep) return;
  currentStep = index;
  for (const link of links.values()) link.removeAttribute("aria-current");
  const link = links.get(steps[index]?.id);
  link?.setAttribute("aria-current", "step");
  unfold.firstElementChild.textContent = link
    ? `${index + 1}/${steps.length} · ${link.textContent}`
    : "The map";
  if (link && map.scrollHeight > map.clientHeight && !map.classList.contains("unfolded")) {
    const top = link.offsetTop - map.clientHeight / 2;
    map.scrollTo({ top });
  }
}

function foldMap(open) {
  map.classList.toggle("unfolded", open);
  unfold.setAttribute("aria-expanded", String(open));
}

/** Scroll to a step and put the focus on its heading, so that a screen reader reads on there. */
function goTo(index) {
  if (index < 0 || index >= steps.length) return;
  foldMap(false);
  const step = steps[index];
  write(step.id);
  step.scrollIntoView();
  step.querySelector("h3").focus({ preventScroll: true });
  markStep(index);
}

// What stands in the upper fifth of the window is the step that is read.
const UPPER = 0.2;

function stepInView() {
  return steps.findLastIndex((step) => step.getBoundingClientRect().top <= UPPER * innerHeight);
}

const reading = new IntersectionObserver(() => markStep(stepInView()), {
  root: document, rootMargin: `0% 0% -${100 * (1 - UPPER)}% 0%`,
});
for (const step of steps) reading.observe(step);

for (const link of links.values()) link.addEventListener("click", () => foldMap(false));
map.querySelector(".previous").addEventListener("click", () => goTo(currentStep - 1));
map.querySelector(".next").addEventListener("click", () => goTo(currentStep + 1));
unfold.addEventListener("click", () => foldMap(!map.classList.contains("unfolded")));

/** Whether an arrow key has a meaning of its own where the focus is. */
function takesArrows(where) {
  if (where.closest("input, select, textarea, .plot, [contenteditable]")) return true;
  const box = where.closest(".scroll");
  return box !== null && box.scrollWidth > box.clientWidth;
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.key === "Escape" && map.classList.contains("unfolded")) {
    foldMap(false);
    unfold.focus();
    return;
  }
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!way || takesArrows(event.target)) return;
  event.preventDefault();
  goTo(Math.max(currentStep + way, 0));
});

function followHash() {
  const { station } = currentAddress();
  choose();
  if (station) goTo(steps.findIndex((step) => step.id === station));
}
addEventListener("hashchange", followHash);
document.addEventListener("click", (event) => {
  const link = framed && event.target.closest("a[href^='#']");
  if (!link) return;
  event.preventDefault(); // it would lead out of the frame
  const place = document.getElementById(link.hash.slice(1).split("?")[0]);
  if (steps.includes(place)) goTo(steps.indexOf(place));
  else place.scrollIntoView();
});
followHash();
