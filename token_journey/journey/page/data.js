// What was computed: the JSON block of the page, and the tensors in it.

const journey = JSON.parse(document.getElementById("journey").textContent);
const T = journey.tokens.length;

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

/** A piece in which line ends and tabs are seen. */
const signs = (piece) => piece.replaceAll("\n", "⏎").replaceAll("\r", "␍").replaceAll("\t", "⇥");

/** The same without blanks around it, so that it can stand on an axis. */
const visible = (piece) => signs(piece).trim() || "␣";

/** Unique names of the tokens: their position and their piece. */
const names = journey.tokens.map((token) => `${token.place} ${visible(token.piece)}`);

/** With its sign, as what is added. */
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

/** The colour of a token's name. */
const tokenColour = (token) => `var(--l${token % COLOURS})`;

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
