// The first picture: a band for each token through all layers, as wide as what each half adds, with the word
// that the model would say there. One button carries the last token through.

const river = document.querySelector("#river");
if (river && journey.flow) drawRiver(river, journey.flow);

function drawRiver(figure, flow) {
  const added = tensor(flow.added);
  const S = added.length / T; // halves of layers, or layers
  const perLayer = flow.halves ? 2 : 1;
  const place = figure.querySelector(".water");
  const slider = figure.querySelector("[data-control='at']");
  const button = figure.querySelector(".go");
  const reading = figure.querySelector("output");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const share = (step, token) => added[step * T + token];
  const word = (layer, token) => journey.lens.find(([l]) => l === layer)?.[1][token];
  const tokenFill = (token) => `fill: var(--t${token % COLOURS})`;
  const bare = (text) => visible(text);
  let geometry;
  slider.max = String(S);

  /** Where all is, for a width. */
  function measure() {
    const width = Math.max(place.clientWidth, 260);
    const narrow = width < 620;
    const rows = T + (journey.gap ? 0.6 : 0);
    const high = Math.max(24, Math.min(narrow ? 62 : 74, 440 / rows));
    const answer = journey.answer ? `${bare(journey.answer[0])}` : "";
    const right = journey.answer ? Math.min(0.3 * width, Math.max(80, 17 * answer.length + 20)) : 30;
    const above = narrow && high >= 44; // names stand above their bands
    const left = above ? 8 : (narrow ? 4 : 16) + Math.min(150, 9.4 * Math.max(...journey.tokens.map((t) => bare(t.piece).length)) + 14);
    const y = (token) => (token + 0.5 + (journey.gap && token >= journey.gap[0] ? 0.6 : 0)) * high + (above ? 12 : 6);
    const x = (step) => left + (step / S) * (width - left - right);
    return { width, narrow, above, high, left, right, x, y, height: y(T - 1) + high * 0.5 + 34, answer };
  }

  /** One edge of a band, from left to right or back; smooth between the middles of its points. */
  function edge(points) {
    let path = `L${points[0]}`;
    for (let n = 1; n < points.length - 1; n++) {
      const middle = [0, 1].map((i) => (points[n][i] + points[n + 1][i]) / 2);
      path += `Q${points[n].map((v) => v.toFixed(1))} ${middle.map((v) => v.toFixed(1))}`;
    }
    return `${path}L${points.at(-1).map((v) => v.toFixed(1))}`;
  }

  /** Above the line what attention adds, below it what the MLP adds; or both on both sides. */
  function band(token, side) {
    const { x, y, high } = geometry;
    const reach = 0.47 * high;
    const points = [[x(0), y(token) + side]];
    for (let step = 0; step < S; step++) {
      if (flow.halves && step % 2 !== (side < 0 ? 0 : 1)) continue;
      const wide = Number.isFinite(share(step, token)) ? share(step, token) : 0;
      points.push([x(step + (flow.halves ? 1 : 0.5) - (flow.halves && side > 0 ? 1 : 0)), y(token) + side * (1.3 + reach * wide)]);
    }
    points.push([x(S), y(token) + side]);
    const [first, ...rest] = points;
    return `M${x(0)},${y(token)}${edge([first, ...rest])}L${x(S)},${y(token)}Z`;
  }

  function bands() {
    return journey.tokens.map((token, t) => shape("g", { class: "band", style: tokenFill(t) }, [
      shape("path", { d: band(t, -1), class: "above" }), shape("path", { d: band(t, 1), class: "below" }),
    ]));
  }

  function chips() {
    const { left, above, high, y } = geometry;
    return journey.tokens.map((token, t) => {
      const text = bare(token.piece);
      const short = text.length > 15 ? `${text.slice(0, 14)}…` : text;
      const wide = Math.min(150, 9 * short.length + 12);
      const [cx, cy] = above ? [wide / 2 + 2, y(t) - high / 2 + 4] : [left - wide / 2 - 6, y(t)];
      return shape("a", { href: "#tokens", "aria-label": `token ${text}`, tabindex: -1 }, [
        shape("rect", { x: cx - wide / 2, y: cy - 10, width: wide, height: 20, rx: 4, style: tokenFill(t) }),
        shape("text", { x: cx, y: cy + 5, "text-anchor": "middle", class: "chip-text" }, short)]);
    });
  }

  /** Along a band the word it would say, where that changes and where there is room. */
  function words() {
    const { x, y, high, narrow } = geometry;
    const found = [];
    for (let t = 0; t < T; t++) {
      const last = t === T - 1;
      if (!last && (high < 30 || narrow)) continue;
      let [end, before] = [x(0) + 4, null];
      for (const [layer, all] of journey.lens) {
        const [piece] = all[t];
        const text = bare(piece).slice(0, 14);
        const at = x((layer + 1) * perLayer);
        const size = last ? 13 : 11;
        const wide = (last ? 7.6 : 6.2) * text.length + 12;
        if (!/[\p{L}\p{N}]/u.test(text) || text === before || at < end || at + wide > x(S) - 2 || layer < 0) continue;
        [end, before] = [at + wide, text];
        found.push(shape("text", { x: at, y: y(t) + 4, class: `word${last ? " last" : ""}${last && text === geometry.answer ? " right" : ""}`,
          style: `font-size: ${size}px` }, text));
      }
    }
    return found;
  }

  /** The heads that said the answer, from where they look most to the last token. */
  function arcs() {
    if (!journey.who || !journey.answer) return [];
    const { x, y } = geometry;
    const heads = journey.who.parts.filter(([, head]) => head !== null);
    const best = [...heads].sort((a, b) => b[2] - b[3] - (a[2] - a[3])).slice(0, 4);
    const loud = best.filter((part) => part[2] - part[3] > 0.3 * (best[0][2] - best[0][3]));
    const taken = []; // by names, which stand below where there is room
    return loud.flatMap(([layer, head, to, against]) => {
      const row = lastRow(layer, head);
      if (!row) return [];
      const source = row.indexOf(Math.max(...row));
      if (source === T - 1) return [];
      const [from, end] = [x(layer * perLayer), x(layer * perLayer + 1)];
      const name = `layer ${layer}, head ${head} looks at “${bare(journey.tokens[source].piece)}” and adds ${(to - against).toFixed(1)} to the lead of “${geometry.answer}”`;
      const label = `from ${bare(journey.tokens[source].piece)} ${signed(to - against)}`;
      const span = [end - 7 * label.length, end + 8];
      const named = taken.every(([left, right]) => span[1] < left || span[0] > right);
      if (named) taken.push(span);
      return [shape("a", { href: `#who?part=${layer}.${head}`, "aria-label": `${label}: ${name}`, class: "arc", tabindex: -1 }, [
        shape("title", {}, name),
        shape("path", { d: `M${from},${y(source)}C${end + 12},${y(source)} ${from - 12},${y(T - 1)} ${end},${y(T - 1)}` }),
        shape("circle", { cx: end, cy: y(T - 1), r: 4 }),
        ...(named ? [shape("text", { x: end, y: y(T - 1) + 0.5 * geometry.high + 6, "text-anchor": "end", class: "tick" }, label)] : [])])];
    });
  }

  function ending() {
    const { x, y, width, right } = geometry;
    if (!journey.answer) return [];
    const size = Math.min(30, Math.max(15, right / (0.62 * geometry.answer.length + 0.5)));
    return [shape("a", { href: "#probs", class: "answer", tabindex: -1 }, [
      shape("text", { x: x(S) + 10, y: y(T - 1) - 1, "font-size": size }, geometry.answer),
      shape("text", { x: x(S) + 10, y: y(T - 1) + 19, "font-size": 15, class: "sure" }, percent(journey.answer[1]))])];
  }

  function scale() {
    const { x, height, width, left } = geometry;
    const layers = S / perLayer;
    const every = [1, 2, 5, 10].find((n) => (n * (x(S) - left)) / layers > 34) ?? 10;
    const found = [shape("text", { x: x(0), y: height - 6, class: "tick", "text-anchor": "start" }, "layer 0")];
    for (let l = every; l < layers; l += every) {
      if (x(l * perLayer) - x(0) > 62) found.push(shape("text", { x: x(l * perLayer), y: height - 6, class: "tick", "text-anchor": "middle" }, `${l}`));
    }
    return found;
  }

  function gap() {
    if (!journey.gap) return [];
    const { y, high, left } = geometry;
    return [shape("text", { x: left, y: y(journey.gap[0]) - 0.72 * high, class: "tick" }, `⋯ ${say("left out", { count: journey.gap[1] })} ⋯`)];
  }

  function draw() {
    geometry = measure();
    const { width, height, x, y, high } = geometry;
    const line = shape("line", { class: "now", y1: 4, y2: height - 22 });
    const dot = shape("circle", { class: "dot", style: tokenFill(T - 1), r: 8 });
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": figure.dataset.label },
      [...bands(), ...arcs(), line, ...words(), ...gap(), ...scale(), ...chips(), ...ending(), dot]);
    svg.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && !running) move(stepAt(event)); });
    svg.addEventListener("click", (event) => { if (!event.target.closest("a")) open(event); });
    place.replaceChildren(svg);
    move(Number(slider.value));
  }

  const local = (event) => {
    const box = place.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const stepAt = (event) => {
    const { x } = geometry;
    return Math.max(0, Math.min(S, Math.round(((local(event)[0] - x(0)) / (x(S) - x(0))) * S)));
  };

  /** Above a line is attention, below it the MLP of that layer. */
  function open(event) {
    const [, top] = local(event);
    const token = journey.tokens.findIndex((_, t) => Math.abs(top - geometry.y(t)) <= geometry.high / 2);
    if (token < 0) return;
    const layer = Math.max(0, Math.ceil(stepAt(event) / perLayer) - 1);
    location.hash = top < geometry.y(token) && journey.patterns[layer] ? `#scores?layer=${layer}` : "#mlp";
  }

  /** The cursor at a step, and in words what happened there to the last token. */
  function move(step) {
    const { x, y } = geometry;
    slider.value = String(Math.round(step));
    const [line, dot] = ["line.now", ".dot"].map((name) => place.querySelector(name));
    for (const name of ["x1", "x2"]) line.setAttribute(name, x(step));
    dot.setAttribute("cx", x(step));
    dot.setAttribute("cy", y(T - 1));
    const at = Math.round(step);
    const layer = Math.ceil(at / perLayer) - 1;
    const half = flow.halves ? (at % 2 ? "attention" : "the MLP") : "the layer";
    const new_ = at ? share(at - 1, T - 1) : null;
    const would = word(layer, T - 1);
    const text = [
      at === 0 ? say("at the start", { token: quoted(T - 1) })
        : say("at a step", { layer, half, token: quoted(T - 1), share: Number.isFinite(new_) ? percent(new_) : "—" }),
      would && (at % perLayer === 0) ? say("would say", { word: bare(would[0]), share: percent(would[1]) }) : "",
    ].join(" ");
    if (reading.textContent !== text) reading.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  }

  let running = 0;
  function stop() { cancelAnimationFrame(running); running = 0; button.textContent = "▶ play"; }

  /** Without motion one layer at a time. */
  function play() {
    if (running) { stop(); return; }
    const from = Number(slider.value) >= S ? 0 : Number(slider.value);
    if (still.matches) { move(Math.min(S, from + perLayer)); return; }
    let begun;
    const frame = (now) => {
      begun ??= now;
      const step = from + ((now - begun) / 7000) * S;
      move(Math.min(step, S));
      if (step >= S) { stop(); return; }
      running = requestAnimationFrame(frame);
    };
    running = requestAnimationFrame(frame);
    button.textContent = "❚❚ stop";
  }
  button.addEventListener("click", play);
  slider.addEventListener("input", () => { stop(); move(Number(slider.value)); });
  slider.value = String(S);
  draw();
  remember("", { at: slider });
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    draw();
  }).observe(place);
}

/** How the last token divides its attention in a head; null where that is not known. */
function lastRow(layer, head) {
  const values = tensor(journey.patterns[layer]);
  if (!values) return null;
  if (values.length === journey.heads * T * T) return Array.from(values.slice((head * T + T - 1) * T, (head * T + T) * T));
  const begin = (head * T * (T + 1)) / 2 + ((T - 1) * T) / 2;
  return Array.from(values.slice(begin, begin + T));
}
