// SiLU as a curve, and on it the neurons of the last token: what goes in and what comes out.

const figureOfNeurons = document.querySelector('[data-chart="neurons"]');
if (figureOfNeurons) drawNeurons(figureOfNeurons);

function drawNeurons(figure) {
  const gate = tensor(journey.gate);
  const open = tensor(journey.open);
  const neurons = Array.from(gate, (x, neuron) => ({ neuron, x, y: open[neuron] })).sort((a, b) => a.x - b.x);
  neurons.forEach((each, i) => { each.i = i; });
  const [least, most] = [Math.min(neurons[0].x, -4), Math.max(neurons.at(-1).x, 4)];
  const curve = Array.from({ length: 121 }, (_, n) => {
    const x = least + ((most - least) * n) / 120;
    return { x, y: x / (1 + Math.exp(-x)) };
  });
  const listed = [...neurons.slice(0, 8), ...neurons.slice(-8)];

  new Chart(figure, {
    height: (width) => Math.min(360, 200 + 0.2 * width),
    columns: () => 50,
    points: () => neurons.map((d) => `neuron ${d.neuron} of token ${quoted(T - 1)}: gate ${number(d.x)} → SiLU ${number(d.y)}`),
    table: () => ({
      head: ["neuron", "gate", "SiLU(gate)"],
      rows: listed.map((d) => [`${d.neuron}`, number(d.x), number(d.y)]),
    }),
    spec: (width, colours) => ({
      encoding: {
        x: { field: "x", type: "quantitative", title: "gate", axis: { grid: false }, scale: { nice: false, domain: [least, most], padding: 6 } },
        y: { field: "y", type: "quantitative", title: "SiLU(gate)", axis: { domain: false, ticks: false, tickCount: 5 } },
      },
      layer: [
        { data: { values: curve }, mark: { type: "line", color: colours.soft, strokeWidth: 1.5 } },
        { data: { values: neurons }, mark: { type: "circle", color: colours.lines[(T - 1) % COLOURS] },
          encoding: { ...underCursor("size", 160, 22), ...underCursor("opacity", 1, 0.4), ...underCursor("stroke", colours.ink, null) } },
      ],
    }),
  });
}
