"use strict";
(() => {
  const valueOf = (cell) => {
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent;
    return text === "-" ? null : text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.classList.contains("film-row"));
  const closeFilms = (table) => table.querySelectorAll(".film-row").forEach((row) => row.remove());

  // Missing values come last, whatever the direction; numbers before texts.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };

  const sort = (table, column, heading) => {
    const rising = heading.getAttribute("aria-sort") === "descending"
      || (heading.getAttribute("aria-sort") === null && !heading.classList.contains("n"));
    closeFilms(table);
    const rows = rowsOf(table).map((row) => [valueOf(row.cells[column]), row]);
    rows.sort((a, b) => compare(a[0], b[0], rising ? 1 : -1));
    table.tHead.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };

  const makeSortable = (table) => {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sort(table, column, heading));
      heading.replaceChildren(button);
    });
  };

  const makeFilters = (table) => {
    const columns = JSON.parse(table.dataset.filters), chosen = JSON.parse(table.dataset.chosen);
    const choices = document.createElement("div"), count = document.createElement("output");
    choices.className = "choices";
    const selects = columns.map((column, number) => {
      const title = table.tHead.rows[0].cells[column].textContent;
      const texts = [...new Set(rowsOf(table).map((row) => row.cells[column].textContent))];
      const label = document.createElement("label"), select = document.createElement("select");
      ["all", ...texts].forEach((text, index) => select.add(new Option(text, index ? text : "")));
      select.value = texts.includes(chosen[number]) ? chosen[number] : "";
      label.append(title, select);
      choices.append(label);
      select.addEventListener("change", show);
      return select;
    });
    function show() {
      closeFilms(table);
      const rows = rowsOf(table);
      for (const row of rows) {
        row.hidden = columns.some((column, number) => selects[number].value !== ""
          && selects[number].value !== row.cells[column].textContent);
      }
      // A column with one value says nothing more than its choice above, and takes width on a phone.
      columns.forEach((column, number) => {
        for (const row of [...table.tHead.rows, ...rows]) row.cells[column].hidden = selects[number].value !== "";
      });
      const which = columns.map((column, number) => selects[number].value).filter(Boolean).join(", ");
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows${which ? `: ${which}` : ""}`;
    }
    choices.append(count);
    table.closest(".scroll").before(choices);
    show();
  };

  const openFilm = (event) => {
    const link = event.currentTarget, row = link.closest("tr"), next = row.nextElementSibling;
    event.preventDefault();
    if (next && next.classList.contains("film-row")) {
      next.remove();
      return;
    }
    const film = document.createElement("video"), cell = document.createElement("td"), opened = document.createElement("tr");
    film.src = link.getAttribute("href");
    film.controls = true;
    film.preload = "metadata";
    film.setAttribute("aria-label", `Video of ${link.textContent}`);
    cell.colSpan = row.cells.length;
    cell.append(film);
    opened.className = "film-row";
    opened.append(cell);
    row.after(opened);
  };

  const makePairs = (box) => {
    const { methods, measures } = JSON.parse(box.querySelector("script").textContent);
    const [to, from] = box.querySelectorAll("select"), table = box.querySelector("table");
    const count = methods.length, signed = (value) => value === null ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(4)}`;
    const minus = (value) => value === null ? null : -value;
    const show = () => {
      const a = Number(from.value), b = Number(to.value), i = Math.min(a, b), j = Math.max(a, b);
      box.querySelector(".caption").textContent = `${methods[b]} minus ${methods[a]}`;
      table.tBodies[0].replaceChildren(...Object.entries(measures).flatMap(([measure, rows]) => {
        if (a === b) return [];
        let [mean, low, high, wins, losses, ties] = rows[i * (2 * count - i - 1) / 2 + j - i - 1];
        if (a > b) [mean, low, high, wins, losses] = [minus(mean), minus(high), minus(low), losses, wins];
        const row = document.createElement("tr");
        [measure, signed(mean), signed(low), signed(high), wins, losses, ties].forEach((text, column) => {
          const cell = row.insertCell();
          cell.textContent = text;
          if (column) cell.className = "n";
        });
        return [row];
      }));
    };
    [to, from].forEach((select) => select.addEventListener("change", show));
  };

  document.querySelectorAll(".table table").forEach((table) => {
    makeSortable(table);
    if (table.dataset.filters) makeFilters(table);
  });
  document.querySelectorAll("a.film").forEach((link) => link.addEventListener("click", openFilm));
  document.querySelectorAll(".pairs").forEach(makePairs);
})();
