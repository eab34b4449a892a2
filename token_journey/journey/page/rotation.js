// RoPE as what it is: points in a plane that turn, each by its position times an angle.

const STEPS = 60; // points of a full circle

const figureOfRotation = document.querySelector('[data-chart="rotation"]');
if (figureOfRotation) drawRotation(figureOfRotation);

function drawRotation(figure) {
  const control = (name) => figure.querySelector(`[data-control="${name}"]`);
  const [what, head, pair] = ["what", "head", "pair"].map(control);
  const angle = figure.querySelector("[data-angle]");
  const d = journey.headDim;
  const sides = {
    q: once(() => [tensor(journey.q), tensor(journey.rotQ)]),
    k: once(() => [tensor(journey.k), tensor(journey.rotK)]),
  };
  const theta = (i) => journey.rates[i];
  const headsOf = () => sides[what.value]()[0].length / (T * d);
  const point = (values, token) => {
    const row = (Number(head.value) * T + token) * d + Number(pair.value);
    return [values[row], values[row + d / 2]];
  };
  const turns = () => {
    const [before, after] = sides[what.value]();
    return journey.tokens.map(({ place }, token) => ({
      token, place, from: point(before, token), to: point(after, token),
      angle: place * theta(Number(pair.value)),
    }));
  };

  function fillHeads() {
    const kept = Math.min(Number(head.value) || 0, headsOf() - 1);
    head.replaceChildren(...Array.from({ length: headsOf() }, (_, h) => element("option", `${h}`, { value: h })));
    head.value = String(kept);
  }
  fillHeads();
  pair.replaceChildren(...Array.from({ length: d / 2 }, (_, i) => element("option", `${i} and ${i + d / 2}`, { value: i })));

  const degrees = (radians) => {
    const found = (radians * 180) / Math.PI;
    return `${found >= 10 ? found.toFixed(1) : found.toPrecision(2)}°`;
  };
  const both = ([x, y]) => `(${number(x)}, ${number(y)})`;

  function explain() {
    const i = Number(pair.value);
    const last = journey.tokens[T - 1].place * theta(i);
    angle.textContent = say("turn", { i, j: i + d / 2, rate: number(theta(i)), degrees: degrees(theta(i)) })
      + (last > 0 && last < 0.03 ? ` ${say("still")}` : last === 0 ? ` ${say("at 0")}` : "")
      + (journey.gap ? ` ${say("left out", { count: journey.gap[1] })}.` : "");
  }

  const chart = new Chart(figure, {
    height: (width) => Math.min(width, 460),
    points: () => turns().map((t) =>
      `token ${quoted(t.token)} at position ${t.place}: turned by ${number(t.angle)} rad (${degrees(t.angle)}), from ${both(t.from)} to ${both(t.to)}`),
    columns: () => 1,
    table: () => ({
      head: ["token", "position", "angle, rad", "x before", "y before", "x after", "y after"],
      rows: turns().map((t) => [visible(journey.tokens[t.token].piece), t.place, number(t.angle), ...[...t.from, ...t.to].map(number)]
        .map(String)),
    }),
    spec(width, colours) {
      const size = this.height(width);
      const found = turns();
      const outer = Math.max(...found.map((t) => Math.hypot(...t.to)), 1e-9);
      const reach = 1.25 * outer;
      const arms = found.map((t) => ({ i: t.token, x: 0, y: 0, x1: t.from[0], y1: t.from[1], x2: t.to[0], y2: t.to[1] }));
      const ends = [`number ${pair.value}`, `number ${Number(pair.value) + d / 2}`];
      const labels = apart(found, ends, (size - 8) / 2, reach);
      const along = (t, from, turn) => Array.from({ length: STEPS + 1 }, (_, n) => {
        const at = from + (turn * n) / STEPS;
        const r = Math.hypot(...t.to);
        return { i: t.token, n, x: r * Math.cos(at), y: r * Math.sin(at) };
      });
      const circles = found.flatMap((t) => along(t, 0, 2 * Math.PI));
      const arcs = found.flatMap((t) => along(t, Math.atan2(t.from[1], t.from[0]), Math.min(t.angle, 2 * Math.PI)));
      const at = (field) => ({ field, type: "quantitative", title: null, axis: null, scale: { domain: [-reach, reach], nice: false } });
      const [x, y] = [at("x"), at("y")];
      const color = { field: "i", type: "ordinal", legend: null, scale: { domain: found.map((t) => t.token), range: found.map((t) => colours.lines[t.token % COLOURS]) } };
      // Of many tokens the ways would hide each other: they show faintly until one is looked at.
      const way = { opacity: { condition: [{ test: "datum.i === cursor", value: 1 }, { test: "cursor >= 0", value: 0.1 }], value: T > 8 ? 0.25 : 1 } };
      const bright = { opacity: { condition: { test: "cursor < 0 || datum.i === cursor", value: 1 }, value: 0.15 } };
      const arm = (to, dash, width) => ({
        data: { values: arms }, mark: { type: "rule", strokeDash: dash, strokeWidth: width },
        encoding: { x, y, x2: { field: `x${to}` }, y2: { field: `y${to}` }, color, ...bright },
      });
      const end = (to, filled) => ({
        data: { values: arms }, mark: { type: "point", filled, size: 70, strokeWidth: 2, fill: filled ? undefined : colours.paper },
        encoding: { x: { ...x, field: `x${to}` }, y: { ...y, field: `y${to}` }, color, ...bright },
      });
      return {
        width: size, height: size, autosize: { type: "fit", contains: "padding" },
        layer: [
          { data: { values: [{ z: 0 }] }, mark: { type: "rule", color: colours.rule }, encoding: { x: { datum: 0, axis: null } } },
          { data: { values: [{ z: 0 }] }, mark: { type: "rule", color: colours.rule }, encoding: { y: { datum: 0, axis: null } } },
          { data: { values: circles }, mark: { type: "line", strokeWidth: 0.7, strokeOpacity: 0.45 }, encoding: { x, y, color, order: { field: "n" }, ...bright } },
          { data: { values: arcs }, mark: { type: "line", strokeWidth: 3 }, encoding: { x, y, color, order: { field: "n" }, ...way } },
          arm(1, [3, 3], 1.5), arm(2, [], 2.5), end(1, false), end(2, true),
          ...["halo", "name"].flatMap((part) => [
            { data: { values: labels.slice(2) }, mark: { type: "text", fontSize: 11.5, align: "left", ...halo(part, colours) },
              encoding: { x, y, text: { field: "name" }, ...(part === "name" ? { color } : {}), ...bright } },
            { data: { values: labels.slice(0, 2) }, mark: { type: "text", fontSize: 11.5, align: "left", color: colours.soft, ...halo(part, colours) },
              encoding: { x, y, text: { field: "name" } } },
          ]),
        ],
      };
    },
  });
  explain();
  remember("rope", { of: what, head, pair });
  what.addEventListener("change", fillHeads);
  for (const each of [what, head, pair]) {
    each.addEventListener("change", () => { explain(); chart.update(); });
  }
}

/** Text is read on lines if paper is left around it. */
function halo(part, colours) {
  return part === "halo" ? { stroke: colours.paper, strokeWidth: 4, strokeOpacity: 0.9, color: colours.paper } : {};
}

/**
 * Where names stand so that they don't cover each other: those of the axes, then the tokens'.
 *
 * half: of the drawing's side, in pixels, which is `reach` in numbers
 */
function apart(found, ends, half, reach) {
  const [LINE, LETTER, GAP] = [14, 6.4, 9];
  const wide = (name) => LETTER * name.length;
  const place = (name, x, y, fixed, i) => ({ name, x, y, fixed, i, wide: wide(name) });
  const axes = [
    place(ends[0], half - wide(ends[0]) - 2, -LINE / 2 - 2, true),
    place(ends[1], 6, half - LINE / 2, true),
  ];
  const tokens = found.map((t) => {
    const name = names[t.token];
    const [x, y] = t.to.map((value) => (value / reach) * half);
    const length = Math.hypot(x, y) || 1;
    const left = x + (GAP * x) / length - (x < 0 ? wide(name) : 0);
    const inside = Math.min(Math.max(left, -half), half - wide(name));
    return place(name, inside, y + (GAP * y) / length, false, t.token);
  });
  const all = [...axes, ...tokens];
  for (let round = 0; round < 60; round++) {
    for (const a of tokens) {
      for (const b of all) {
        if (a === b || a.x + a.wide < b.x || b.x + b.wide < a.x) continue;
        const overlap = LINE - Math.abs(a.y - b.y);
        if (overlap <= 0) continue;
        const way = a.y > b.y || (a.y === b.y && a.i > (b.i ?? -1)) ? 1 : -1;
        a.y += (way * overlap) / (b.fixed ? 1 : 2);
        if (!b.fixed) b.y -= (way * overlap) / 2;
      }
      a.y = Math.min(Math.max(a.y, LINE / 2 - half), half - LINE / 2);
    }
  }
  return all.map((each) => ({ ...each, x: (each.x / half) * reach, y: (each.y / half) * reach }));
}
