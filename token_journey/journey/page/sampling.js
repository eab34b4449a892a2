// Stage 9 in the browser: temperature, then top-k, then top-p, then a draw.

const figureOfSampling = document.querySelector('[data-chart="sampling"]');
if (figureOfSampling) play(figureOfSampling);

/**
 * The distribution that is drawn from: ids from the best on, and their probabilities.
 *
 * order: all ids, by falling logits. topK 0 keeps all. Temperature 0 leaves the best alone.
 * What ties with the k-th best stays. Top-p cuts a token if it and all worse ones together
 * have at most 1 − p; the best always stays.
 */
function distribution(logits, order, temperature, topK, topP) {
  if (temperature === 0) return { ids: order.slice(0, 1), probabilities: [1] };
  const scaled = (id) => Math.fround(logits[id] / temperature);
  let kept = order.length;
  if (topK > 0 && topK < kept) {
    const least = scaled(order[topK - 1]);
    kept = topK;
    while (kept < order.length && scaled(order[kept]) >= least) kept++;
  }
  let probabilities = softmaxOf(order, kept, scaled);
  if (topP < 1) {
    let worse = 0;
    let last = kept - 1;
    for (; last > 0; last--) {
      worse += probabilities[last];
      if (worse > 1 - topP) break;
    }
    kept = last + 1;
    probabilities = softmaxOf(order, kept, scaled);
  }
  return { ids: order.slice(0, kept), probabilities };
}

/** Softmax over the first `kept` ids, which begin with the best. */
function softmaxOf(order, kept, scaled) {
  const best = scaled(order[0]);
  const weights = new Float64Array(kept);
  let sum = 0;
  for (let n = 0; n < kept; n++) sum += weights[n] = Math.exp(scaled(order[n]) - best);
  return weights.map((weight) => weight / sum);
}

/** Numbers from 0 to below 1 that look like chance, the same for the same seed (mulberry32). */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function play(figure) {
  const SHOWN = 12;
  const LISTED = 50;
  const box = figure.closest(".play");
  const control = (name) => box.querySelector(`[data-control="${name}"]`);
  const shows = (name) => box.querySelector(`[data-shows="${name}"]`);
  const logits = once(() => tensor(journey.logits));
  const order = once(() => {
    const ids = Uint32Array.from(logits(), (_, id) => id);
    return ids.sort((a, b) => logits()[b] - logits()[a] || a - b);
  });
  let now;

  function compute() {
    const [temperature, topK, topP] = ["temperature", "top-k", "top-p"].map((name) => Number(control(name).value));
    now = distribution(logits(), order(), temperature, topK, topP);
    shows("temperature").textContent = temperature === 0 ? "0 (greedy)" : temperature.toFixed(2);
    shows("top-k").textContent = topK === 0 ? "off" : topK;
    shows("top-p").textContent = topP === 1 ? "off" : topP.toFixed(2);
    const bits = now.probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
    const count = now.ids.length;
    box.querySelector("[data-state]").textContent = say("entropy", {
      count: `${count.toLocaleString("en")} ${count === 1 ? "token is" : "tokens are"}`,
      likely: now.probabilities.filter((p) => p > 1e-6).length.toLocaleString("en"), bits: bits.toFixed(3),
      equal: (2 ** bits).toLocaleString("en", { maximumFractionDigits: 1 }),
    });
  }
  const current = () => { if (!now) compute(); return now; };
  const named = (id) => `“${pieceOf(id)}”`;
  const top = (count) => Array.from(current().ids.slice(0, count), (id, n) => ({ id, p: current().probabilities[n] }));

  const chart = new Chart(figure, {
    height: () => 26 * Math.min(SHOWN, now?.ids.length ?? SHOWN) + 40,
    columns: () => 1,
    points: () => top(SHOWN).map(({ id, p }) => `${named(id)} (id ${id}): probability ${percent(p)}`),
    table: () => ({
      head: ["token", "id", "probability"],
      rows: top(LISTED).map(({ id, p }) => [named(id), `${id}`, p.toFixed(6)]),
    }),
    spec(width, colours) {
      const found = top(SHOWN);
      const labels = unique(found.map(({ id }) => named(id)));
      const spec = barSpec(
        found.map(({ p }, i) => ({ i, label: labels[i], value: p, text: percent(p), colour: colours.accent })), width, colours);
      return { ...spec, height: 26 * found.length + 40 };
    },
  });
  const begin = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) { begin.disconnect(); current(); }
  }, { root: document, rootMargin: "60% 0%" });
  begin.observe(box);

  for (const name of ["temperature", "top-k", "top-p"]) {
    control(name).addEventListener("input", () => { forget(); compute(); chart.update(); });
  }
  spelled.then(() => { if (now) chart.update(); });
  remember("generate", Object.fromEntries(["temperature", "top-k", "top-p", "seed"].map((name) => [name, control(name)])));

  let next = null;
  let count = 0;
  let drawn = [];
  /** Draws of other settings are no draws of these. */
  function forget() {
    [next, count, drawn] = [null, 0, []];
    box.querySelector(".drawn").replaceChildren();
    box.querySelector(".draws").hidden = true;
  }
  control("seed").addEventListener("input", forget);
  box.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    next ??= chance(Number(control("seed").value));
    let left = next();
    const { ids, probabilities } = current();
    let n = 0;
    while (n < ids.length - 1 && left >= probabilities[n]) left -= probabilities[n++];
    show(ids[n], probabilities[n]);
  });

  function show(id, probability) {
    const branch = journey.branches[id];
    const chip = element("span", pieceOf(id), { class: `token t${T % COLOURS}`, "data-id": id });
    box.querySelector(".drawn").replaceChildren(
      element("span", journey.text, { class: "before" }), chip,
      ...(branch ? [element("span", `${signs(branch.join(""))} …`, { class: "after" })] : []));
    count += 1;
    drawn = [...drawn, id].slice(-20);
    const list = box.querySelector(".draws");
    list.hidden = false;
    list.replaceChildren(
      `${say("drawn", { draw: count, seed: control("seed").value, probability: percent(probability) })} ${branch ? `${say("branch")} ` : ""}`,
      element("br"), `${say("draws")} `,
      ...drawn.flatMap((each, n) => [n ? " · " : "", element("span", pieceOf(each), { class: `token t${T % COLOURS}` })]));
  }
}
