// Attention as heat maps, query × key: one large, and all heads of the layer to choose from.

const figureOfAttention = document.querySelector('[data-chart="attention"]');
if (figureOfAttention) drawAttention(figureOfAttention);

function drawAttention(figure) {
  const control = (name) => figure.querySelector(`[data-control="${name}"]`);
  const [what, layer, head] = ["what", "layer", "head"].map(control);
  const heads = figure.querySelector(".heads");
  const H = journey.heads;
  const patterns = Object.fromEntries(
    Object.entries(journey.patterns).map(([name, packed]) => [name, once(() => tensor(packed))]));
  const raw = once(() => tensor(journey.raw));
  const scores = once(() => tensor(journey.scores));
  const square = (values, h, q, k) => values[(h * T + q) * T + k];

  /** A pattern is packed without the future, unless somebody's mistake gives it a share. */
  function share(values, h, q, k) {
    if (values.length === H * T * T) return square(values, h, q, k);
    return k > q ? 0 : values[(h * T * (T + 1)) / 2 + (q * (q + 1)) / 2 + k];
  }

  /** What can be shown, by what `show` is set to: a number for a head, a query and a key. */
  const kinds = {
    pattern: { label: "the pattern: shares of attention", known: Object.keys(patterns).length > 0,
      of: (h, q, k) => share(patterns[layer.value](), h, q, k) },
    raw: { label: "Q Kᵀ", known: journey.raw, of: (h, q, k) => square(raw(), h, q, k) },
    scores: { label: "Q Kᵀ / √d, the future −∞", known: journey.scores, of: (h, q, k) => square(scores(), h, q, k) },
  };
  const possible = Object.keys(kinds).filter((name) => kinds[name].known);
  what.replaceChildren(...possible.map((name) => element("option", kinds[name].label, { value: name })));
  head.replaceChildren(...Array.from({ length: H }, (_, h) => element("option", `${h}`, { value: h })));

  const caption = figure.querySelector("figcaption");
  const stored = figure.querySelector("[data-stored]");
  const layers = [...new Set([...Object.keys(patterns).map(Number), journey.layer])].sort((a, b) => a - b);
  layer.replaceChildren(...layers.map((n) => element("option", `${n}`, { value: n })));
  let wanted = patterns[journey.layer] || !possible.includes("pattern") ? journey.layer : layers[0];

  /** Scores are known of the layer looked into, patterns of many: a layer that was chosen comes back. */
  function fitLayers() {
    const only = what.value !== "pattern";
    for (const option of layer.options) {
      option.disabled = only ? Number(option.value) !== journey.layer : !patterns[option.value];
    }
    layer.value = String(only ? journey.layer : wanted);
    stored.hidden = !only || layers.length === 1;
    stored.textContent = stored.hidden ? "" : say("stored", { layer: journey.layer });
    caption.textContent = say(what.value);
  }
  fitLayers();

  function matrix(h) {
    const of = kinds[what.value].of;
    const found = [];
    for (let q = 0; q < T; q++) for (let k = 0; k < T; k++) found.push(of(h, q, k));
    return found;
  }

  const domain = () => {
    if (what.value === "pattern") return [0, 1];
    const most = Math.max(...Array.from({ length: H }, (_, h) => matrix(h)).flat().filter(Number.isFinite).map(Math.abs));
    return [-most, 0, most];
  };

  function heat(values, colours, encoding, size, domainOf) {
    return {
      data: { values }, mark: { type: "rect" }, width: size, height: size,
      encoding: {
        ...encoding,
        color: { condition: { test: "datum.masked", value: colours.paper }, field: "value", type: "quantitative", legend: null,
          scale: { domain: domainOf, interpolate: "rgb",
            range: what.value === "pattern" ? colours.sequential : colours.diverging } },
      },
    };
  }

  const data = (h) => matrix(h).map((value, i) => ({
    i, query: names[Math.floor(i / T)], key: names[i % T],
    value: Number.isFinite(value) ? value : 0, masked: isMasked(value, i),
  }));
  /** A later token, which gets nothing: not the same as a token that gets little. */
  const isMasked = (value, i) => !Number.isFinite(value)
    || (what.value === "pattern" && value === 0 && i % T > Math.floor(i / T));

  function explain() {
    const ends = domain().map(number);
    if (what.value === "pattern") explainColours(figure, "sequential", "0", "1", say("shares"));
    else explainColours(figure, "diverging", ends[0].replace("-", "−"), ends[2], say("products"));
  }

  const chart = new Chart(figure, {
    height: (width) => Math.min(width, 600, 150 + 40 * T),
    columns: () => T,
    points: () => matrix(Number(head.value)).map((value, i) =>
      `query ${quoted(Math.floor(i / T))} → key ${quoted(i % T)}: ${number(value)}`),
    table: () => {
      const found = matrix(Number(head.value));
      return {
        head: ["query ↓ key →", ...names],
        rows: names.map((name, q) => [name, ...found.slice(q * T, (q + 1) * T).map(number)]),
      };
    },
    spec(width, colours) {
      const size = this.height(width);
      const axis = { domain: false, ticks: false, labelLimit: width < 480 ? 70 : 110,
        labelColor: tokenColours(names, colours) };
      const side = { type: "nominal", sort: null };
      return {
        ...heat(data(Number(head.value)), colours, {
          x: { ...side, field: "key", scale: { paddingInner: 0.04 }, axis: { ...axis, orient: "top", labelAngle: -50, title: "key: looked at" } },
          y: { ...side, field: "query", scale: { paddingInner: 0.04 }, axis: { ...axis, title: "query: looks" } },
          ...underCursor("stroke", colours.accent, null), ...underCursor("strokeWidth", 3, 0),
        }, size, domain()),
        autosize: { type: "fit", contains: "padding" },
      };
    },
  });

  const drawLarge = chart.draw.bind(chart);
  chart.draw = async function () { explain(); await Promise.all([drawLarge(), drawSmall()]); };

  const buttons = Array.from({ length: H }, (_, h) => {
    const place = element("span", [], { "aria-hidden": "true" });
    const button = element("button", [place, `head ${h}`], { type: "button" });
    button.addEventListener("click", () => { head.value = String(h); choose(); });
    return { button, place };
  });
  heads.replaceChildren(...buttons.map(({ button }) => button));

  function drawSmall() {
    const colours = theme();
    const shared = domain();
    const bare = { type: "ordinal", axis: null, sort: null };
    return Promise.all(buttons.map(({ place }, h) =>
      render(place, { ...heat(data(h), colours, { x: { ...bare, field: "key" }, y: { ...bare, field: "query" } }, 80, shared), padding: 0 }, colours)));
  }

  function mark() {
    buttons.forEach(({ button }, h) => button.setAttribute("aria-pressed", String(h === Number(head.value))));
  }

  function choose() {
    mark();
    chart.cursor = Math.min(chart.cursor, T * T - 1);
    chart.say();
    chart.tabulate();
    if (chart.drawn) drawLarge();
  }

  mark();
  head.addEventListener("change", choose);
  layer.addEventListener("change", () => { wanted = Number(layer.value); chart.update(); });
  what.addEventListener("change", () => { fitLayers(); chart.update(); });
}
