// Makes the heads of sortable tables into buttons. Without it the tables stand in report order.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, k) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[k].dataset.key ?? row.cells[k].textContent;
      const numeric = head.classList.contains("num");
      const order = (a, b) => {
        if (!numeric) return key(a).localeCompare(key(b));
        if (key(a) === "" || key(b) === "") return 0;
        return Number(key(a)) - Number(key(b));
      };
      const rows = [...table.tBodies[0].rows];
      const missing = numeric ? rows.filter((r) => key(r) === "") : [];
      const present = rows.filter((r) => !missing.includes(r)).sort((a, b) => (up ? 1 : -1) * order(a, b));
      table.tBodies[0].append(...present, ...missing);
    });
  });
}
