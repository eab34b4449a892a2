// What is wider or longer than its box says so at its edges.

const boxes = [...document.querySelectorAll(".scroll")];

function showEdges(box) {
  const { scrollLeft, scrollTop, clientWidth, clientHeight, scrollWidth, scrollHeight } = box;
  box.classList.toggle("more-left", scrollLeft > 2);
  box.classList.toggle("more-right", scrollLeft + clientWidth < scrollWidth - 2);
  box.classList.toggle("more-above", scrollTop > 2);
  box.classList.toggle("more-below", scrollTop + clientHeight < scrollHeight - 2);
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) showEdges(target.closest(".scroll"));
});
for (const box of boxes) {
  box.addEventListener("scroll", () => showEdges(box), { passive: true });
  sizes.observe(box);
}

// A long lens opens where the answer stands.
for (const box of document.querySelectorAll(".lens")) box.scrollTo(box.scrollWidth, box.scrollHeight);
