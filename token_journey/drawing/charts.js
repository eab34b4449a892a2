// A chart: drawn by Vega-Lite when it comes near, with a cursor that says its numbers.

const charts = [];

/** A condition for the mark under the cursor; every datum has its index `i`. */
const underCursor = (field, yes, no) => ({
  [field]: { condition: { test: "datum.i === cursor", value: yes }, value: no },
});

class Chart {
  /**
   * figure: holds .plot, .reading and, if `table` is given, an empty .scroll
   * spec(width, colours): a Vega-Lite spec without width; its data have the index `i`
   * height(width): of the drawing, known before it is drawn
   * points(): texts of the numbers, in rows of `columns()`
   * table(): {head, rows}, the first cell of each row its header
   */
  constructor(figure, { spec, height, points, columns, table }) {
    Object.assign(this, { figure, spec, height, points, table });
    this.columns = columns ?? (() => this.points().length);
    this.plot = figure.querySelector(".plot");
    this.canvas = element("div"); // what draws may change its attributes
    this.plot.append(this.canvas);
    this.reading = figure.querySelector(".reading");
    this.numbers = figure.querySelector("details.numbers");
    this.cursor = -1;
    this.drawing = 0;
    this.reserve();
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.plot.addEventListener("focus", () => {
      if (this.cursor < 0 && this.plot.matches(":focus-visible")) this.point(0);
    });
    this.plot.addEventListener("blur", () => this.point(-1));
    this.plot.addEventListener("pointerleave", () => {
      if (document.activeElement !== this.plot) this.point(-1);
    });
    charts.push(this);
    nearby.observe(figure);
  }

  /** The place that the drawing will take, so that nothing jumps when it comes. */
  reserve() {
    this.width = Math.floor(this.plot.clientWidth);
    this.plot.style.minHeight = `${this.height(this.width)}px`;
  }

  async draw() {
    const turn = ++this.drawing;
    this.drawn = true;
    this.reserve();
    const colours = theme();
    const spec = this.spec(this.width, colours);
    spec.params = [...(spec.params ?? []), { name: "cursor", value: this.cursor }];
    const view = await render(this.canvas, sized(spec, this.width, this.height(this.width)), colours);
    if (turn !== this.drawing) return view.finalize();
    this.view?.finalize();
    this.view = view;
    view.addEventListener("pointermove", (_, item) => this.hover(item));
    view.addEventListener("click", (_, item) => this.hover(item));
  }

  /** After a choice: new numbers, and a new drawing if there was one. */
  update() {
    this.cursor = Math.min(this.cursor, this.points().length - 1);
    this.say();
    this.tabulate();
    if (this.drawn) this.draw();
  }

  hover(item) {
    const index = item?.datum?.i ?? item?.datum?.datum?.i;
    if (index !== undefined && index !== this.cursor) this.point(index);
  }

  point(index) {
    this.cursor = index;
    this.view?.signal("cursor", index).runAsync();
    this.say();
    this.onPoint?.(index);
  }

  say() {
    const text = this.cursor < 0 ? "" : (this.points()[this.cursor] ?? "");
    if (this.reading.textContent !== text) this.reading.textContent = text;
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") {
      this.plot.blur();
      event.preventDefault();
      return;
    }
    const columns = this.columns();
    const last = this.points().length - 1;
    const at = Math.max(this.cursor, 0);
    const goal = {
      ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns,
      Home: at - (at % columns), End: at - (at % columns) + columns - 1,
    }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    if (goal >= 0 && goal <= last) this.point(goal);
  }

  /** The numbers as a table, made when they are looked at. */
  tabulate() {
    if (!this.table || !this.numbers.open) return;
    const { head, rows } = this.table();
    const header = element("tr", head.map((text) => element("th", text, { scope: "col" })));
    const body = rows.map(([first, ...rest]) =>
      element("tr", [element("th", first, { scope: "row" }), ...rest.map((v) => element("td", v))]));
    this.numbers.querySelector(".scroll").replaceChildren(
      element("table", [element("thead", header), element("tbody", body)],
        head.length > 16 ? { class: "wide" } : {}));
  }
}

function sized(spec, width, height) {
  return { autosize: { type: "fit", contains: "padding" }, padding: 4, width, height, ...spec };
}

/** What the colours of a chart mean, above its drawing: `kind` is "sequential" or "diverging". */
function explainColours(figure, kind, low, high, note) {
  const old = figure.querySelector("p.colours");
  const bar = element("span", [], { class: `gradient ${kind}`, "aria-hidden": "true" });
  const made = element("p", [element("span", low), bar, element("span", `${high} ${note}`)], { class: "colours" });
  if (old) old.replaceWith(made);
  else figure.querySelector(".plot").before(made);
}

/** The drawing library, inflated and run once. */
const drawn = inflated("vega").then((script) => { (0, eval)(script); });

async function render(place, spec, colours) {
  await drawn;
  const { view } = await vegaEmbed(place, { config: config(colours), ...spec }, {
    mode: "vega-lite", renderer: "svg", actions: false, tooltip: false, hover: false,
  });
  place.querySelector("svg")?.setAttribute("aria-hidden", "true");
  return view;
}

// -- when to draw ------------------------------------------------------------------------------

const nearby = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    nearby.unobserve(target);
    charts.find((chart) => chart.figure === target && !chart.drawn)?.draw();
  }
}, { root: document, rootMargin: "60% 0%" });

function redraw(every) {
  return Promise.all(charts.filter((chart) => every || chart.drawn).map((chart) => chart.draw()));
}

darkness.addEventListener("change", () => redraw(false));

let resting = 0;
new ResizeObserver(() => {
  clearTimeout(resting);
  resting = setTimeout(() => {
    for (const chart of charts) {
      if (Math.floor(chart.plot.clientWidth) === chart.width) continue;
      chart.reserve();
      if (chart.drawn && !printing) chart.draw();
    }
  }, 150);
}).observe(document.body);

// -- on paper: all charts, in light colours; numbers stay folded --------------------------------

let printing = false;
let unfolded = [];

function toPaper() {
  if (printing) return;
  printing = true;
  document.documentElement.classList.add("printing");
  unfolded = [...document.querySelectorAll("details:not([open], .numbers)")];
  for (const each of unfolded) each.open = true;
  redraw(true);
}

function fromPaper() {
  if (!printing) return;
  printing = false;
  document.documentElement.classList.remove("printing");
  for (const each of unfolded) each.open = false;
  redraw(false);
}

addEventListener("beforeprint", toPaper);
addEventListener("afterprint", fromPaper);
matchMedia("print").addEventListener("change", (paper) => (paper.matches ? toPaper() : fromPaper()));

document.addEventListener("toggle", (event) => {
  charts.find((chart) => chart.numbers === event.target)?.tabulate();
}, true);
