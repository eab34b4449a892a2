// Who said it: what each head and each MLP adds to the answer's logit, against the runner-up's.

const figureOfWho = document.querySelector('[data-chart="who"]');
if (figureOfWho) drawWho(figureOfWho, journey.who);

function drawWho(figure, who) {
  const parts = who.parts.filter(([layer]) => layer >= 0);
  const L = Math.max(...parts.map(([layer]) => layer)) + 1;
  const R = journey.heads + 1; // the heads, and the MLP under them
  const at = new Map(parts.map((part) => [part[0] * R + (part[1] ?? R - 1), part]));
  const lead = (part) => part[2] - part[3];
  const most = Math.max(...parts.map((part) => Math.abs(lead(part))));
  const told = figure.parentElement.querySelector(".told");
  const chosen = figure.querySelector("[data-control='part']");
  const nameOf = ([layer, head]) => `layer ${layer}, ${head === null ? "MLP" : `head ${head}`}`;
  const rowNames = [...Array.from({ length: R - 1 }, (_, h) => `head ${h}`), "MLP"];
  const layerNames = Array.from({ length: L }, (_, l) => `${l}`);
  const wide = () => chart.plot.clientWidth > 560;
  /** On a phone layers go down, elsewhere to the right. */
  const partAt = (i) => {
    const [r, c] = [Math.floor(i / chart.columns()), i % chart.columns()];
    return wide() ? at.get(c * R + r) : at.get(r * R + c);
  };
  const grid = () => {
    const across = figure.querySelector(".plot").clientWidth > 560;
    const of = (layer, row) => { const part = at.get(layer * R + row); return part ? lead(part) : null; };
    return {
      shape: across ? [R, L] : [L, R], most, diverging: true, largest: across ? [34, 24] : [32, 16],
      rows: across ? rowNames : layerNames, columns: across ? layerNames : rowNames,
      value: (r, c) => (across ? of(c, r) : of(r, c)),
      breakRows: new Set(across ? [R - 1] : []), breakColumns: new Set(across ? [] : [R - 1]),
    };
  };
  const chart = new Cells(figure, grid, {
    points: () => Array.from({ length: R * L }, (_, i) => {
      const part = partAt(i);
      return `${nameOf(part)}: ${signed(part[2])} to “${who.answer.trim()}”, ${signed(part[3])} to “${who.runnerUp.trim()}”: ${signed(lead(part))}`;
    }),
    table: () => ({
      head: ["part", who.answer.trim(), who.runnerUp.trim(), "lead"],
      rows: who.parts.map((part) => [part[0] < 0 ? "embedding" : nameOf(part), ...[part[2], part[3], lead(part)].map(number)]),
    }),
  });
  const drawPlain = chart.draw.bind(chart);
  chart.draw = () => {
    explainColours(figure, "diverging", `−${most.toFixed(2)}`, `+${most.toFixed(2)}`, say("lead", { answer: who.answer.trim(), other: who.runnerUp.trim() }));
    drawPlain();
  };
  chart.onChoose = (i) => {
    const part = partAt(i);
    chosen.value = `${part[0]}.${part[1] ?? "mlp"}`;
    chosen.dispatchEvent(new Event("change", { bubbles: true }));
  };

  /** Where a head looks from the last token, and what a part would say alone. */
  function tell() {
    const [layer, head] = chosen.value.split(".");
    const part = at.get(Number(layer) * R + (head === "mlp" ? R - 1 : Number(head)));
    if (!part) return;
    const says = part[4].flatMap(([piece, value]) => [element("b", `“${signs(piece)}”`), ` ${signed(value)}  `]);
    const lines = [
      element("p", [element("b", nameOf(part)), `: ${signed(part[2])} to “${who.answer.trim()}”, ${signed(part[3])} to “${who.runnerUp.trim()}”`]),
      element("p", [`${journey.words.raises} `, ...says]),
    ];
    if (part[1] !== null && journey.patterns[part[0]]) lines.push(looks(part));
    told.replaceChildren(...lines);
  }

  function looks([layer, head]) {
    const row = lastRow(layer, head);
    const chips = journey.tokens.map((token, k) => element("span", [
      element("span", signs(token.piece), { class: `token t${k % COLOURS}` }),
      element("span", [], { class: "share-bar", style: `--share: ${row[k]}` }),
      element("small", percent(row[k]))], { class: "look" }));
    return element("div", [
      element("p", [`${journey.words.looks} `, element("a", journey.words["whole pattern"], { href: `#scores?layer=${layer}&head=${head}` })]),
      element("div", chips, { class: "looks" })]);
  }
  chosen.addEventListener("change", tell);
  tell();
  remember("who", { part: chosen });
}
