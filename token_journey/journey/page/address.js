// What one chose is in the address, so that it can be sent: #scores?layer=17&head=3

// In a frame that was made of text, as in a notebook, the page has no address of its own.
const framed = location.protocol === "about:";
const remembered = []; // { name, station, control, first }

/** Controls by their names, which are kept in the address; a station's own, or the page's ("") . */
function remember(station, controls) {
  for (const [name, control] of Object.entries(controls)) {
    remembered.push({ station, name, control, first: control.value });
    control.addEventListener("change", () => write(station || currentAddress().station));
  }
}

function currentAddress() {
  const [station, query = ""] = location.hash.slice(1).split("?");
  return { station, choices: new URLSearchParams(query) };
}

/** Of the station alone its own choices are written without its name. */
function write(station) {
  if (framed) return;
  const query = new URLSearchParams();
  for (const { station: of, name, control, first } of remembered) {
    if (control.value !== first) query.set(!of || of === station ? name : `${of}.${name}`, control.value);
  }
  const said = query.toString();
  history.replaceState(null, "", `#${station}${said && `?${said}`}`);
}

/** Set what the address says; a link can say it, too. */
function choose() {
  const { station, choices } = currentAddress();
  const changed = [];
  for (const { station: of, name, control } of remembered) {
    const wanted = choices.get(`${of}.${name}`) ?? (!of || of === station ? choices.get(name) : null);
    if (wanted === null || wanted === control.value) continue;
    const before = control.value;
    control.value = wanted;
    if (control.value === wanted) changed.push(control);
    else control.value = before; // there is no such choice
  }
  for (const control of changed) {
    for (const event of ["input", "change"]) control.dispatchEvent(new Event(event, { bubbles: true }));
  }
}
