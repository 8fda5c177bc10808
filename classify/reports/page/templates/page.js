"use strict";
// The confusion matrix: point at a cell for its videos, click for their pictures. Names are set as text, never as HTML.
(() => {
  const holder = document.getElementById("data");
  const status = document.getElementById("cell");
  const gallery = document.getElementById("gallery");
  const cells = [...document.querySelectorAll("button[data-cell]")];
  if (!holder || !status || !cells.length) return;
  const data = JSON.parse(holder.textContent);
  const SHOWN = 12;

  const videosOf = (cell) => data.cells[cell.dataset.cell] || [];
  const describe = (cell) => {
    const [row, column] = cell.dataset.cell.split(" ").map(Number);
    const names = videosOf(cell).map((video) => video.name);
    const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : "";
    const listed = names.length ? `: ${names.slice(0, SHOWN).join(", ")}${more}` : "";
    return `${data.classes[row]} taken for ${data.classes[column]}, ${cell.textContent}${listed}`;
  };
  const element = (name, text, parent) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    parent.append(made);
    return made;
  };
  const picturesOf = (video) => {
    if (video.pictures) return video.pictures;
    const item = "wrong" in video ? document.getElementById(`wrong${video.wrong}`) : null;
    return item ? [...item.querySelectorAll("img")].map((image) => [image.alt, image.src]) : [];
  };

  let chosen = null;
  const say = (cell) => { status.textContent = cell ? describe(cell) : " "; };
  const show = (cell) => {
    cells.forEach((other) => other.setAttribute("aria-pressed", String(other === cell)));
    chosen = cell;
    say(cell);
    gallery.replaceChildren();
    gallery.hidden = false;
    for (const video of videosOf(cell)) {
      const card = element("div", "", gallery);
      element("p", video.name, card).className = "name";
      const pictures = picturesOf(video);
      if (pictures.length > 1) card.className = "pair";
      if (!pictures.length) element("p", "no picture in this page", card);
      for (const [caption, source] of pictures) {
        const figure = element("figure", "", card);
        const image = element("img", "", figure);
        image.alt = `${video.name}: ${caption}`;
        image.src = source;
        element("figcaption", caption, figure);
      }
    }
    gallery.scrollIntoView({ block: "nearest" });
  };

  // The tab key stops once at the matrix. An arrow goes to the next cell with videos: left and right in the same row, up
  // and down in the nearest row, and there to the nearest column.
  const place = (cell) => cell.dataset.cell.split(" ").map(Number);
  const next = (cell, key) => {
    const [row, column] = place(cell);
    const along = {
      ArrowRight: ([r, c]) => (r === row && c > column ? c - column : 0),
      ArrowLeft: ([r, c]) => (r === row && c < column ? column - c : 0),
      ArrowDown: ([r, c]) => (r > row ? (r - row) * 1000 + Math.abs(c - column) : 0),
      ArrowUp: ([r, c]) => (r < row ? (row - r) * 1000 + Math.abs(c - column) : 0),
    }[key];
    if (!along) return null;
    const found = cells.map((other) => [along(place(other)), other]).filter(([distance]) => distance > 0);
    return found.length ? found.reduce((one, other) => (other[0] < one[0] ? other : one))[1] : null;
  };
  cells.forEach((cell, index) => {
    cell.tabIndex = index ? -1 : 0;
    cell.setAttribute("aria-pressed", "false");
    cell.addEventListener("mouseenter", () => say(cell));
    cell.addEventListener("mouseleave", () => say(chosen));
    cell.addEventListener("focus", () => say(cell));
    cell.addEventListener("click", () => show(cell));
    cell.addEventListener("keydown", (event) => {
      const target = next(cell, event.key);
      if (!target) return;
      event.preventDefault();
      cell.tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    });
  });
})();
