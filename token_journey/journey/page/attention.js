// Attention, query × key: one head large, with its numbers, and all heads of the layer to choose from.

const figureOfAttention = document.querySelector('[data-chart="attention"]');
if (figureOfAttention) drawAttention(figureOfAttention);

function drawAttention(figure) {
  const control = (name) => figure.querySelector(`[data-control="${name}"]`);
  const [what, layer, head] = ["what", "layer", "head"].map(control);
  const H = journey.heads;
  const patterns = Object.fromEntries(
    Object.entries(journey.patterns).map(([name, packed]) => [name, once(() => tensor(packed))]));
  const [raw, scores] = [once(() => tensor(journey.raw)), once(() => tensor(journey.scores))];
  const yours = journey.runs.map((run) => once(() => tensor(run.pattern)));
  const square = (values, h, q, k) => values[(h * T + q) * T + k];

  /** A pattern is packed without the future, unless somebody's mistake gives it a share. */
  function share(values, h, q, k) {
    if (values.length === H * T * T) return square(values, h, q, k);
    return k > q ? null : values[(h * T * (T + 1)) / 2 + (q * (q + 1)) / 2 + k];
  }
  const models = (h, q, k) => (patterns[layer.value] ? share(patterns[layer.value](), h, q, k) : null);
  const mine = (h, q, k) => square(yours[currentRun()](), h, q, k);

  /** What can be shown: a number for a head, a query and a key; null for a later token, which is masked. */
  const kinds = {
    pattern: { known: () => Object.keys(patterns).length > 0, of: models },
    yours: { known: () => journey.runs[currentRun()]?.pattern, of: mine, alone: true },
    apart: { known: () => journey.runs[currentRun()]?.pattern && patterns[journey.layer], alone: true, diverging: true,
      of: (h, q, k) => mine(h, q, k) - (models(h, q, k) ?? 0) },
    raw: { known: () => journey.raw, of: (h, q, k) => square(raw(), h, q, k), alone: true, diverging: true },
    scores: { known: () => journey.scores, of: (h, q, k) => square(scores(), h, q, k), alone: true, diverging: true },
  };
  const kind = () => kinds[what.value];
  const value = (h, q, k) => {
    const found = kind().of(h, q, k);
    return Number.isFinite(found) ? found : null;
  };

  head.replaceChildren(...Array.from({ length: H }, (_, h) => element("option", `${h}`, { value: h })));
  const layers = [...new Set([...Object.keys(patterns).map(Number), journey.layer])].sort((a, b) => a - b);
  layer.replaceChildren(...layers.map((n) => element("option", `${n}`, { value: n })));
  let wanted = patterns[journey.layer] ? journey.layer : layers[0];
  const stored = figure.querySelector("[data-stored]");

  function offer() {
    const kept = what.value;
    const possible = Object.keys(kinds).filter((name) => kinds[name].known());
    what.replaceChildren(...possible.map((name) => element("option", journey.words[`show ${name}`], { value: name })));
    what.value = possible.includes(kept) ? kept : possible[0];
    fitLayers();
  }

  /** Some are known of the layer looked into only: a layer that was chosen comes back. */
  function fitLayers() {
    for (const option of layer.options) {
      option.disabled = kind().alone ? Number(option.value) !== journey.layer : !patterns[option.value];
    }
    layer.value = String(kind().alone ? journey.layer : wanted);
    stored.hidden = !kind().alone || layers.length === 1;
    stored.textContent = stored.hidden ? "" : say("stored", { layer: journey.layer });
    const whose = journey.runs.length && !/yours|apart/.test(what.value) ? `${journey.words["the model's"]} ` : "";
    figure.querySelector("figcaption").textContent = whose + journey.words[`about ${what.value}`];
  }
  offer();

  /** The largest number of all heads, so that they can be compared. */
  function most() {
    if (!kind().diverging) return 1;
    let found = 0;
    for (let h = 0; h < H; h++) for (let i = 0; i < T * T; i++) {
      found = Math.max(found, Math.abs(value(h, Math.floor(i / T), i % T) ?? 0));
    }
    return found;
  }
  const breaks = () => new Set(journey.gap ? [journey.gap[0]] : []);
  const grid = (h, largest, named) => ({
    shape: [T, T], value: (q, k) => value(h, q, k), most: most(), diverging: kind().diverging, largest: [largest, largest],
    breakRows: breaks(), breakColumns: breaks(), leftOut: named,
    ...(named ? { rows: names, columns: names, rowColour: tokenColour, columnColour: tokenColour,
      numbers: (n) => (Math.abs(n) >= 10 ? n.toFixed(0) : n.toFixed(2)) } : {}),
  });
  const told = (q, k) => {
    const found = value(Number(head.value), q, k);
    return found === null ? journey.words.masked : number(found);
  };

  const chart = new Cells(figure, () => grid(Number(head.value), 54, true), {
    points: () => Array.from({ length: T * T }, (_, i) =>
      `query ${quoted(Math.floor(i / T))} → key ${quoted(i % T)}: ${told(Math.floor(i / T), i % T)}`),
    table: () => ({
      head: ["query ↓ key →", ...names],
      rows: names.map((name, q) => [name, ...names.map((_, k) => told(q, k))]),
    }),
  });

  const buttons = Array.from({ length: H }, (_, h) => {
    const place = element("span", [], { "aria-hidden": "true" });
    const button = element("button", [place, `head ${h}`], { type: "button" });
    button.addEventListener("click", () => { head.value = String(h); head.dispatchEvent(new Event("change", { bubbles: true })); });
    return { button, place };
  });
  figure.querySelector(".heads").replaceChildren(...buttons.map(({ button }) => button));

  const drawLarge = chart.draw.bind(chart);
  chart.draw = () => {
    const end = kind().diverging ? number(most()) : "1";
    explainColours(figure, kind().diverging ? "diverging" : "sequential", kind().diverging ? `−${end}` : "0", end, say(kind().diverging ? "products" : "shares"));
    drawLarge();
    const size = 76 / (T + (journey.gap ? 0.5 : 0));
    buttons.forEach(({ place }, h) => place.replaceChildren(drawCells(grid(h, size, false), 90)));
  };

  function mark() {
    buttons.forEach(({ button }, h) => button.setAttribute("aria-pressed", String(h === Number(head.value))));
  }
  mark();
  head.addEventListener("change", () => {
    mark();
    chart.cursor = Math.min(chart.cursor, T * T - 1);
    chart.say();
    chart.tabulate();
    if (chart.drawn) drawLarge();
  });
  layer.addEventListener("change", () => { wanted = Number(layer.value); chart.update(); });
  what.addEventListener("change", () => { fitLayers(); chart.update(); });
  onRun(() => { offer(); chart.update(); });
  remember("scores", { what, layer, head });
}
