// A click on a heading sorts its table by that column: numbers by value, names by text, what has no time last.
document.querySelectorAll("table").forEach((table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.addEventListener("click", () => {
      const down = head.classList.contains("up");
      heads.forEach((other) => other.classList.remove("up", "down"));
      head.classList.add(down ? "down" : "up");
      const value = (row) => row.cells[column].dataset.v;
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const order = column === 0 ? value(a).localeCompare(value(b), undefined, { numeric: true })
          : (value(a) === "inf") - (value(b) === "inf") || (down ? -1 : 1) * (Number(value(a)) - Number(value(b)));
        return column === 0 && down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    });
  });
});
