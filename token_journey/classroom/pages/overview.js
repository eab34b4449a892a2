// The overview: sorting and filtering the heat map, and two charts.

const given = JSON.parse(document.getElementById("data").textContent);
const map = document.getElementById("map");
const body = map.tBodies[0];
const rows = [...body.rows];

// -- the heat map ------------------------------------------------------------------------------

const valueOf = (row, column, kind) =>
  kind === "number" ? Number(row.cells[column].dataset.value) : row.cells[column].textContent;

function sortBy(header) {
  const column = header.cellIndex;
  const { kind } = header.querySelector("button").dataset;
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const each of map.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const order = kind === "number" ? (a, b) => a - b : (a, b) => a.localeCompare(b);
  const sorted = rows.toSorted((a, b) => order(valueOf(a, column, kind), valueOf(b, column, kind)));
  body.append(...(down ? sorted.reverse() : sorted));
}

for (const header of map.tHead.rows[0].cells) {
  header.querySelector("button").addEventListener("click", () => sortBy(header));
}

const find = document.getElementById("find");
const only = document.getElementById("only");
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const searched = rows.map((row) => folded(`${row.cells[0].textContent} ${row.lastElementChild.textContent}`));

function isWanted(row) {
  if (!only.value) return true;
  const said = [...row.querySelectorAll("td[data-said]")].map((cell) => cell.dataset.said);
  return only.value === "right" ? said.every((each) => each === "right") : said.includes(only.value);
}

function filter() {
  const text = folded(find.value.trim());
  rows.forEach((row, i) => { row.hidden = !(searched[i].includes(text) && isWanted(row)); });
  document.getElementById("shown").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
}

find.addEventListener("input", filter);
only.addEventListener("change", filter);
filter();

// -- charts ------------------------------------------------------------------------------------

const figure = (name) => document.querySelector(`[data-chart=${name}]`);

/** Bars from left to right, one a name. */
function bars(name, values, unit) {
  return new Chart(figure(name), {
    height: () => 260,
    points: () => values.map((each) => `${each.name}: ${each.count} ${unit}`),
    spec: (_, colours) => ({
      data: { values: values.map((each, i) => ({ ...each, i })) },
      mark: { type: "bar" },
      encoding: {
        x: { field: "name", type: "nominal", sort: null, axis: { title: null, labelAngle: -35, labelOverlap: false } },
        y: { field: "count", type: "quantitative", axis: { title: unit, tickMinStep: 1 } },
        color: underCursor("color", colours.lines[1], colours.accent).color,
      },
    }),
  });
}

/** How many values lie in each of a few equal steps. */
function steps(values, most = 12) {
  const top = Math.max(...values, 1);
  const size = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((each) => top / each <= most) ?? top / most;
  const found = Array.from({ length: Math.floor(top / size) + 1 }, (_, i) => ({ name: `${i * size}–${(i + 1) * size}`, count: 0 }));
  for (const value of values) found[Math.floor(value / size)].count += 1;
  return found;
}

bars("stops", given.stops, "students");
if (given.seconds.length) bars("seconds", steps(given.seconds), "hand-ins");
