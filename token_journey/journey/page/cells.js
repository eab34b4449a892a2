// Cells of colour: rows × columns of numbers. Drawn here, so that a cursor moves one rectangle and no more.

/** How strong the colour of a number is: by its root, so that 0.05 of 1 is seen. */
const strength = (value, most) => Math.sqrt(Math.min(Math.abs(value) / (most || 1), 1));

/** It follows light, dark and paper by itself. */
function cellColour(value, most, diverging) {
  const [from, to] = diverging ? ["zero", value < 0 ? "minus" : "plus"] : ["low", "high"];
  return `color-mix(in oklab, var(--${to}) ${(100 * strength(value, most)).toFixed(0)}%, var(--${from}))`;
}

/** An SVG element; `svg` of "g" can hold others. */
function shape(tag, attributes, content = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}

/** Where each of `count` columns or rows of one size begins; `breaks` are those before which a gap lies. */
function edges(count, size, breaks) {
  const found = [0];
  for (let n = 0; n < count; n++) found.push(found[n] + size + (breaks.has(n + 1) ? 0.5 * size : 0));
  return found;
}

/**
 * The cells of a grid, and where they lie.
 *
 * grid: { rows, columns (names, or null), shape: [how many rows, columns], value(r, c): null for none,
 *   most, diverging, breakRows, breakColumns: sets, largest: [width, height], numbers: whether to
 *   write them into cells, rowColour(r), columnColour(c) }
 */
function layOut(grid, width) {
  const [R, C] = grid.shape;
  const limit = width < 480 ? 76 : 120;
  const wide = (texts) => Math.min(limit, 7 * Math.max(...texts.map((text) => text.length)) + 10);
  const left = grid.rows ? wide(grid.rows) : 0;
  const top = grid.columns ? Math.min(84, 0.72 * wide(grid.columns) + 12) : 0;
  const [most, high] = grid.largest;
  const size = Math.min(most, (width - left - 12) / (C + 0.5 * (grid.breakColumns?.size ?? 0)));
  const x = edges(C, size, grid.breakColumns ?? new Set());
  const y = edges(R, high === most ? size : high, grid.breakRows ?? new Set());
  return { left, top, size, tall: high === most ? size : high, x, y, width: left + x[C], height: top + y[R] };
}

function drawCells(grid, width) {
  const at = layOut(grid, width);
  const [R, C] = grid.shape;
  const [wide, high] = [Math.ceil(at.width) + (grid.rows ? 12 : 0), Math.ceil(at.height) + 2];
  const svg = shape("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, class: "cells", "aria-hidden": "true" });
  const cut = (text) => (text.length > 15 ? `${text.slice(0, 14)}…` : text);
  grid.rows?.forEach((name, r) => svg.append(shape("text", {
    x: at.left - 6, y: at.top + at.y[r] + at.tall / 2 + 4, "text-anchor": "end", style: `fill: ${grid.rowColour?.(r) ?? "var(--soft)"}` }, cut(name))));
  grid.columns?.forEach((name, c) => {
    const [x, y] = [at.left + at.x[c] + at.size / 2, at.top - 6];
    const short = name.length * 7 < at.size;
    svg.append(shape("text", { x, y, ...(short ? { "text-anchor": "middle" } : { transform: `rotate(-48 ${x} ${y})` }),
      style: `fill: ${grid.columnColour?.(c) ?? "var(--soft)"}` }, cut(name)));
  });
  for (let r = 0; r < R; r++) for (let c = 0; c < C; c++) {
    const value = grid.value(r, c);
    if (value === null) continue;
    const [x, y] = [at.left + at.x[c], at.top + at.y[r]];
    svg.append(shape("rect", { x, y, width: at.size - 1, height: at.tall - 1, "data-i": r * C + c,
      style: `fill: ${cellColour(value, grid.most, grid.diverging)}` }));
    if (grid.numbers && at.size >= 34) {
      svg.append(shape("text", { x: x + at.size / 2, y: y + at.tall / 2 + 4, "text-anchor": "middle", class: "in",
        style: `fill: var(--${strength(value, grid.most) > 0.6 ? "paper" : "ink"})` }, grid.numbers(value)));
    }
  }
  for (const [breaks, across] of [[grid.breakRows, false], [grid.breakColumns, true]]) {
    for (const n of grid.leftOut ? breaks ?? [] : []) {
      const place = across
        ? { x: at.left + at.x[n] - 0.25 * at.size, y: at.top + 12 } : { x: at.left + 10, y: at.top + at.y[n] - 0.1 * at.tall };
      svg.append(shape("text", { ...place, "text-anchor": "middle", class: "out" }, across ? "⋮" : "⋯"));
    }
  }
  return svg;
}

/** A chart of cells; `grid()` as above, `points` and `table` as a chart has them. */
class Cells extends Chart {
  constructor(figure, grid, options) {
    super(figure, { height: (width) => layOut(grid(), width).height + 4, columns: () => grid().shape[1], ...options });
    this.grid = grid;
    this.plot.addEventListener("pointermove", (event) => this.over(event));
    this.plot.addEventListener("click", (event) => { this.over(event); this.onChoose?.(this.cursor); });
    this.plot.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.onChoose?.(this.cursor);
    });
  }

  over(event) {
    const index = Number(event.target.dataset?.i ?? -1);
    if (index >= 0 && index !== this.cursor) this.point(index);
  }

  draw() {
    this.drawn = true;
    this.reserve();
    const svg = drawCells(this.grid(), this.width);
    this.frame = shape("rect", { class: "cursor" });
    svg.append(this.frame);
    this.canvas.replaceChildren(svg);
    this.follow();
  }

  point(index) {
    super.point(index);
    this.follow();
  }

  follow() {
    const cell = this.cursor >= 0 && this.canvas.querySelector(`[data-i="${this.cursor}"]`);
    if (!this.frame) return;
    this.frame.setAttribute("visibility", cell ? "visible" : "hidden");
    if (cell) for (const name of ["x", "y", "width", "height"]) this.frame.setAttribute(name, cell.getAttribute(name));
  }
}
