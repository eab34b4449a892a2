// What every script of a page uses: texts in its blocks, numbers as numbers.py writes them, elements.

/** The text in a block of the page that is deflated; it takes a moment. */
async function inflated(id) {
  const packed = document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

/** As Python's `%.3g`: no zeros at the end, and two digits at least of an exponent. */
function general(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e").map(Number);
  if (exponent >= -4 && exponent < digits) return `${Number(value.toPrecision(digits))}`;
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${`${Math.abs(exponent)}`.padStart(2, "0")}`;
}

/** Four decimals where they show the number, three digits elsewhere; as the tables have it. */
function number(value) {
  if (value === null || Number.isNaN(value)) return "—";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  return size === 0 || (size >= 1e-4 && size < 1e4) ? value.toFixed(4) : general(value, 3);
}

function percent(share) {
  const value = 100 * share;
  return `${value === 0 || value >= 0.1 ? value.toFixed(1) : general(value, 2)} %`;
}

/** A new element with text or children. */
function element(tag, content = [], attributes = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}
