// What was computed: the JSON block of the page, and the tensors in it.

const journey = JSON.parse(document.getElementById("journey").textContent);
const T = journey.tokens.length;

/** The text in a block of the page that is deflated; it takes a moment. */
async function inflated(id) {
  const packed = document.getElementById(id).textContent;
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

/** Float32Array of a base64 text; null stays null. */
function tensor(base64) {
  if (base64 === null || base64 === undefined) return null;
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** A function that is called once, at its first use. */
function once(make) {
  let made;
  return () => (made ??= { value: make() }).value;
}

/** Four decimals where they show the number, three digits elsewhere; as the tables have it. */
function number(value) {
  if (value === null || Number.isNaN(value)) return "—";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  return size === 0 || (size >= 1e-4 && size < 1e4) ? value.toFixed(4) : value.toExponential(2);
}

function percent(value) {
  const hundredths = 100 * value;
  return hundredths === 0 || hundredths >= 0.1
    ? `${hundredths.toFixed(1)} %`
    : `${Number(hundredths.toPrecision(2))} %`;
}

/** A piece in which line ends and tabs are seen. */
const signs = (piece) => piece.replaceAll("\n", "⏎").replaceAll("\r", "␍").replaceAll("\t", "⇥");

/** The same without blanks around it, so that it can stand on an axis. */
const visible = (piece) => signs(piece).trim() || "␣";

/** Unique names of the tokens: their position and their piece. */
const names = journey.tokens.map((token) => `${token.place} ${visible(token.piece)}`);

/** A token in quotes, for sentences. */
const quoted = (token) => `“${visible(journey.tokens[token].piece)}”`;

/** The text of any id; of most ids of a large vocabulary nothing but the number is known. */
const pieceOf = (id) => signs(journey.pieces[id] ?? `id ${id}`);

/** When the texts of all tokens are there, if they are in the page at all. */
const spelled = document.getElementById("vocabulary")
  ? inflated("vocabulary").then((texts) => { journey.pieces = JSON.parse(texts); })
  : Promise.resolve();

/** A sentence of the page with its gaps filled. */
const say = (key, gaps = {}) =>
  journey.words[key].replace(/\{(\w+)\}/g, (gap, name) => gaps[name] ?? gap);

/** A new element with text or children. */
function element(tag, content = [], attributes = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}
