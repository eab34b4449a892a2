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
  const theta = (i) => journey.theta ** ((-2 * i) / d);
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

  const degrees = (radians) => `${((radians * 180) / Math.PI).toFixed(radians < 1 ? 2 : 1)}°`;
  const both = ([x, y]) => `(${number(x)}, ${number(y)})`;

  function explain() {
    const i = Number(pair.value);
    angle.textContent = `Numbers ${i} and ${i + d / 2} turn by position × θ^(−2·${i}/${d}) = position × ${number(theta(i))} = position × ${degrees(theta(i))}.`;
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
      const outside = ([x, y]) => {
        const stretched = 1 + (0.1 * outer) / (Math.hypot(x, y) || 1);
        return { x3: x * stretched, y3: y * stretched };
      };
      const arms = found.map((t) => ({ i: t.token, x: 0, y: 0, x1: t.from[0], y1: t.from[1], x2: t.to[0], y2: t.to[1], ...outside(t.to), name: names[t.token] }));
      const reach = 1.25 * outer;
      const along = (t, from, turn) => Array.from({ length: STEPS + 1 }, (_, n) => {
        const at = from + (turn * n) / STEPS;
        const r = Math.hypot(...t.to);
        return { i: t.token, n, x: r * Math.cos(at), y: r * Math.sin(at) };
      });
      const circles = found.flatMap((t) => along(t, 0, 2 * Math.PI));
      const arcs = found.flatMap((t) => along(t, Math.atan2(t.from[1], t.from[0]), Math.min(t.angle, 2 * Math.PI)));
      const axis = { grid: false, ticks: false, labels: false, domain: false };
      const at = (name, field) => ({ field, type: "quantitative", title: null, axis: { ...axis, title: name }, scale: { domain: [-reach, reach], nice: false } });
      const x = at(`number ${pair.value}`, "x");
      const y = at(`number ${Number(pair.value) + d / 2}`, "y");
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
          { data: { values: [{ z: 0 }] }, mark: { type: "rule", color: colours.rule }, encoding: { x: { datum: 0 } } },
          { data: { values: [{ z: 0 }] }, mark: { type: "rule", color: colours.rule }, encoding: { y: { datum: 0 } } },
          { data: { values: circles }, mark: { type: "line", strokeWidth: 0.7, strokeOpacity: 0.45 }, encoding: { x, y, color, order: { field: "n" }, ...bright } },
          { data: { values: arcs }, mark: { type: "line", strokeWidth: 3 }, encoding: { x, y, color, order: { field: "n" }, ...way } },
          arm(1, [3, 3], 1.5), arm(2, [], 2.5), end(1, false), end(2, true),
          { data: { values: arms }, mark: { type: "text", fontSize: 11.5 },
            encoding: { x: { ...x, field: "x3" }, y: { ...y, field: "y3" }, text: { field: "name" }, color, ...bright } },
        ],
      };
    },
  });
  explain();
  what.addEventListener("change", fillHeads);
  for (const each of [what, head, pair]) {
    each.addEventListener("change", () => { explain(); chart.update(); });
  }
}
