// What is wider or longer than its box says so at its edges.

const boxes = [...document.querySelectorAll(".scroll")];

function showEdges(box) {
  const { scrollLeft, scrollTop, clientWidth, clientHeight, scrollWidth, scrollHeight } = box;
  box.classList.toggle("more-left", scrollLeft > 2);
  box.classList.toggle("more-right", scrollLeft + clientWidth < scrollWidth - 2);
  box.classList.toggle("more-above", scrollTop > 2);
  box.classList.toggle("more-below", scrollTop + clientHeight < scrollHeight - 2);
  // What does not scroll is no stop for the keyboard.
  if (scrollWidth > clientWidth + 2 || scrollHeight > clientHeight + 2) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) showEdges(target.closest(".scroll"));
});
for (const box of boxes) {
  box.addEventListener("scroll", () => showEdges(box), { passive: true });
  sizes.observe(box);
}

// A long lens opens where the answer stands, and shows it until somebody scrolls.
for (const box of document.querySelectorAll(".lens")) {
  let mine = true;
  const toTheAnswer = () => { if (mine) box.scrollTo(box.scrollWidth, box.scrollHeight); };
  new ResizeObserver(toTheAnswer).observe(box);
  for (const way of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    box.addEventListener(way, () => { mine = false; }, { passive: true });
  }
  toTheAnswer();
}
