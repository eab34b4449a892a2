// Bars and lines: tables of the page that are drawn.

/** The texts of a chart's own table, so that chart and table say the same. */
function cells(figure) {
  const rows = [...figure.querySelectorAll("tbody tr")].map((row) => [...row.cells]);
  return {
    columns: [...figure.querySelectorAll("thead th")].slice(1).map((th) => th.textContent),
    labels: rows.map((row) => row[0].textContent),
    texts: rows.map((row) => row.slice(1).map((cell) => cell.textContent)),
  };
}

/** Names that are unique, for an axis; marks without width tell equal ones apart. */
function unique(labels) {
  const seen = new Map();
  return labels.map((label) => {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count === 1 ? label : label + "\u200b".repeat(count - 1);
  });
}

/** The colour of each token's name on an axis. */
function tokenColours(labels, colours) {
  const condition = labels.map((label, token) => ({
    test: `datum.value === ${JSON.stringify(label)}`, value: colours.lines[token % COLOURS],
  }));
  return { condition, value: colours.ink };
}

const kinds = { bars, lines };

function bars(figure, table) {
  const { labels, texts, columns } = cells(figure);
  const ticks = unique(labels);
  return {
    height: () => 26 * labels.length + 40,
    points: () => labels.map((label, row) => `${label}: ${columns[0]} ${texts[row][0]}`),
    columns: () => 1,
    spec: (width, colours) => barSpec(
      ticks.map((label, i) => ({
        i, label, value: table.rows[i][0], text: texts[i][0],
        colour: table.tokens[i] === null ? colours.accent : colours.lines[table.tokens[i] % COLOURS],
      })), width, colours),
  };
}

/** Horizontal bars with their numbers at the end; data have label, value, text and colour. */
function barSpec(values, width, colours) {
  const reach = Math.max(...values.map((d) => d.value), 0);
  const least = Math.min(...values.map((d) => d.value), 0);
  const room = 0.3 * (reach - least) * (width < 480 ? 1.5 : 1);
  const domain = [least < 0 ? least - room : 0, reach > 0 ? reach + room : 0];
  const y = { field: "label", type: "nominal", sort: null, title: null,
    axis: { domain: false, ticks: false, labelPadding: 8, labelLimit: width < 480 ? 110 : 230, labelColor: colours.ink } };
  const x = { field: "value", type: "quantitative", axis: null, scale: { domain, nice: false } };
  const side = (test, align, dx) => ({
    transform: [{ filter: test }],
    mark: { type: "text", align, dx, fontSize: 11.5 },
    encoding: { text: { field: "text" }, color: { value: colours.soft } },
  });
  return {
    data: { values },
    encoding: { y, x },
    layer: [
      { mark: { type: "bar", cornerRadiusEnd: 3, height: { band: 0.68 } },
        encoding: {
          color: { field: "colour", type: "nominal", scale: null },
          ...underCursor("stroke", colours.ink, null), ...underCursor("strokeWidth", 2, 0),
        } },
      side("datum.value >= 0", "left", 6),
      side("datum.value < 0", "right", -6),
    ],
  };
}

function lines(figure, table) {
  const { labels, texts, columns } = cells(figure);
  const count = labels.length;
  const who = (column) => (table.overTokens ? `token “${columns[column]}”, ` : "");
  const values = [];
  columns.forEach((_, column) => labels.forEach((label, row) => {
    values.push({ i: column * count + row, row: row - 1, column, value: table.rows[row][column] });
  }));
  return {
    height: (width) => Math.min(360, 200 + 0.2 * width),
    points: () => values.map((d) =>
      `${who(d.column)}after ${d.row < 0 ? "the embedding" : labels[d.row + 1]}: ${texts[d.row + 1][d.column]}`),
    columns: () => count,
    spec: (width, colours) => ({
      data: { values: values.filter((d) => d.value !== null && !(table.growing && d.value <= 0)) },
      encoding: {
        x: { field: "row", type: "quantitative", title: "after layer (−1: the embedding)",
          axis: { tickMinStep: 1, grid: false }, scale: { nice: false, padding: 8 } },
        y: { field: "value", type: "quantitative", title: table.growing ? "length (logarithmic)" : null,
          axis: { ...(table.unit === "%" ? { labelExpr: "format(100 * datum.value, '~g') + ' %'" } : { format: "~g" }), tickCount: 6, domain: false, ticks: false,
            ...(table.growing ? { values: powersOfTen(values) } : {}) },
          scale: table.unit === "%" ? { domain: [0, 1] } : table.growing ? { type: "log", nice: false } : {} },
        color: { field: "column", type: "ordinal", legend: null, scale: {
          domain: columns.map((_, column) => column),
          range: table.overTokens ? columns.map((_, c) => colours.lines[c % COLOURS]) : [colours.accent] } },
      },
      layer: [
        { mark: { type: "line", strokeWidth: 2 }, encoding: {
          opacity: { condition: { test: `cursor < 0 || floor(cursor / ${count}) === datum.column`, value: 1 }, value: 0.25 } } },
        { mark: { type: "circle", opacity: 1 }, encoding: {
          ...underCursor("size", 110, 14), ...underCursor("stroke", colours.ink, null) } },
      ],
    }),
  };
}

/** Where a logarithmic axis has its ticks. */
function powersOfTen(values) {
  const known = values.map((d) => d.value).filter((value) => value > 0).map(Math.log10);
  const [least, most] = [Math.floor(Math.min(...known)), Math.ceil(Math.max(...known))];
  return Array.from({ length: most - least + 1 }, (_, n) => Number(`1e${least + n}`));
}

for (const figure of document.querySelectorAll("figure[data-simple]")) {
  const table = journey.charts[figure.dataset.chart];
  new Chart(figure, kinds[table.kind](figure, table));
}
