// Each tensor as cells: the first and last numbers of each token. Of heads one at a time; with somebody's
// own stages three pictures: the model's, theirs, and the difference.

for (const box of document.querySelectorAll(".tensor[data-tensor]")) {
  const picture = journey.pictures[box.dataset.tensor];
  if (picture) drawTensor(box, picture);
}

function drawTensor(box, { heads, places, rows, values, taken }) {
  const C = places.length;
  const labels = rows ? rows.map((row) => `row ${row}`) : names;
  const R = labels.length;
  const models = once(() => tensor(values));
  const theirs = Object.fromEntries(Object.entries(taken).map(([run, packed]) => [run, once(() => tensor(packed))]));
  const breaks = new Set(places.flatMap((place, c) => (c && place !== places[c - 1] + 1 ? [c] : [])));
  const gaps = rows ? new Set(rows.flatMap((row, r) => (r && row !== rows[r - 1] + 1 ? [r] : []))) : new Set(journey.gap ? [journey.gap[0]] : []);
  const room = box.querySelector(".pictures");
  let head = 0;

  if (heads > 1) {
    const select = element("select", Array.from({ length: heads }, (_, h) => element("option", `${h}`, { value: h })), { "aria-label": `head of ${box.dataset.tensor}` });
    box.querySelector(".about").append(element("label", ["head ", select], { class: "of-head needs-script" }));
    select.addEventListener("change", () => { head = Number(select.value); draw(); });
    remember(box.closest(".step").id, { [box.dataset.tensor.split(".").at(-1)]: select });
  }

  function one(title, number, most) {
    const width = room.clientWidth || 600;
    const side = theirs[currentRun()] ? Math.max(width / 3 - 20, 240) : width;
    const svg = drawCells({
      shape: [R, C], rows: labels, value: (r, c) => number((head * R + r) * C + c), most, diverging: true,
      breakColumns: breaks, breakRows: gaps, leftOut: true, largest: [24, 15], rowColour: rows ? undefined : tokenColour,
    }, Math.min(side, 680));
    return element("div", [...(title ? [element("p", title, { class: "whose" })] : []), svg]);
  }

  function draw() {
    const mine = theirs[currentRun()]?.();
    const sorted = Array.from(models(), Math.abs).filter(Number.isFinite).sort((a, b) => a - b);
    const most = sorted[Math.floor(0.98 * (sorted.length - 1))] || 1;
    const finite = (n) => (Number.isFinite(n) ? n : null);
    const model = (i) => finite(models()[i]);
    room.replaceChildren(...(mine
      ? [one("the model's", model, most), one(journey.words[journey.runs[currentRun()].tensors[box.dataset.tensor][0]], (i) => finite(mine[i]), most), one("the difference", (i) => finite(mine[i] - models()[i]), most)]
      : [one("", model, most)]));
  }
  const nearby = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    nearby.disconnect();
    draw();
  }, { root: document, rootMargin: "60% 0%" });
  nearby.observe(box);
  addEventListener("beforeprint", draw);
  matchMedia("print").addEventListener("change", draw);
  onRun(draw);
}
