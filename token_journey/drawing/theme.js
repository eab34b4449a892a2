// Colours of charts, taken from theme.css, so that they follow light, dark and paper.

const COLOURS = 8;

function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const eight = (letter) => Array.from({ length: COLOURS }, (_, i) => colour(letter + i));
  return {
    ink: colour("ink"), soft: colour("soft"), rule: colour("rule"), accent: colour("accent"),
    paper: colour("paper"),
    fills: eight("t"), lines: eight("l"),
    sequential: [colour("low"), colour("high")],
    diverging: [colour("minus"), colour("zero"), colour("plus")],
  };
}

/** What all charts share. Their elements are hidden from screen readers: the cursor speaks. */
function config(colours) {
  const font = getComputedStyle(document.body).fontFamily;
  return {
    aria: false,
    background: null,
    font,
    view: { stroke: null },
    axis: {
      labelColor: colours.soft, titleColor: colours.soft, domainColor: colours.rule,
      tickColor: colours.rule, gridColor: colours.rule, gridOpacity: 0.7,
      labelFontSize: 11.5, titleFontSize: 11.5, titleFontWeight: "normal", labelLimit: 150,
    },
  };
}

const darkness = matchMedia("(prefers-color-scheme: dark)");
