// The few behaviours of the admin that unfold's Alpine, HTMX and Chart.js do not bring.

document.addEventListener("alpine:init", () => {
  // Rows of matchers over a hidden text field. What cannot be read as JSON stays text for the server to judge.
  Alpine.data("matcherBuilder", () => ({
    rows: [],
    raw: false,
    text: "",
    next: 0,
    init() {
      const value = this.$refs.value.value.trim();
      this.$refs.value.classList.add("al-hidden");
      try {
        const read = JSON.parse(value || "[]");
        if (!Array.isArray(read)) throw new Error("no list");
        read.forEach((one) => this.push(one.name, one.op, one.value));
      } catch (error) {
        this.raw = true;
        this.text = value;
      }
    },
    push(name, op, value) {
      this.rows.push({ key: this.next++, name: String(name ?? ""), op: op ?? "=", value: String(value ?? "") });
    },
    add() {
      this.push("", "=", "");
      this.$nextTick(() => this.$root.querySelectorAll(".al-builder-row:last-of-type input")[0]?.focus());
    },
    remove(index) {
      this.rows.splice(index, 1);
      this.write();
    },
    write() {
      const filled = this.rows.filter((row) => row.name !== "" || row.value !== "");
      this.set(JSON.stringify(filled.map(({ name, op, value }) => ({ name, op, value }))));
    },
    writeText() {
      this.set(this.text);
    },
    set(value) {
      this.$refs.value.value = value;
      document.body.dispatchEvent(new CustomEvent("matchers-changed"));
    },
    // Whole expressions are understood by the server: keep them as text.
    paste(event, index) {
      const pasted = (event.clipboardData || window.clipboardData).getData("text");
      if (!/[=~]/.test(pasted)) return;
      event.preventDefault();
      this.rows.splice(index, 1);
      const kept = this.format();
      this.raw = true;
      this.text = kept ? pasted.trim().replace(/^\{/, "{" + kept + ", ") : pasted.trim();
      this.writeText();
    },
    format() {
      const quote = (text) => '"' + text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") + '"';
      const bare = /^[A-Za-z_:][\w:.\-/]*$/;
      return this.rows
        .filter((row) => row.name !== "")
        .map((row) => (bare.test(row.name) ? row.name : quote(row.name)) + row.op + quote(row.value))
        .join(", ");
    },
    asText() {
      this.text = "{" + this.format() + "}";
      this.raw = true;
      this.writeText();
    },
  }));

  // Help and an example for the chosen kind of enrichment step.
  Alpine.data("stepHelp", (selectId, dataId, targetId) => ({
    known: null,
    init() {
      const all = JSON.parse(document.getElementById(dataId).textContent);
      const select = document.getElementById(selectId);
      if (!select) return;
      const show = () => (this.known = all[select.value] || null);
      select.addEventListener("change", show);
      show();
    },
    use() {
      document.getElementById(targetId).value = this.known.example;
    },
  }));
});

// Charts: drawn at first and again whenever HTMX brings a fresh part of the page.
function drawCharts(root) {
  root.querySelectorAll("canvas.al-canvas").forEach((canvas) => {
    if (Chart.getChart(canvas)) return;
    const dark = document.documentElement.classList.contains("dark");
    const options = JSON.parse(canvas.dataset.options);
    const ink = dark ? "#9ca3af" : "#6b7280";
    const line = dark ? "rgba(255,255,255,.08)" : "rgba(0,0,0,.07)";
    Object.values(options.scales || {}).forEach((scale) => {
      scale.ticks = { ...scale.ticks, color: ink };
      scale.grid = { color: line, ...scale.grid };
      scale.border = { display: false };
    });
    options.plugins.legend.labels.color = ink;
    new Chart(canvas, { type: canvas.dataset.kind, data: JSON.parse(canvas.dataset.value), options });
  });
}
document.addEventListener("DOMContentLoaded", () => {
  drawCharts(document);
  document.querySelectorAll(".al-tabs a").forEach((link) => {
    if (link.search === window.location.search) link.setAttribute("aria-current", "page");
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.target.querySelectorAll?.("canvas.al-canvas").forEach((canvas) => Chart.getChart(canvas)?.destroy());
  });
  document.body.addEventListener("htmx:afterSwap", (event) => drawCharts(event.detail.target));
});

// Forms that cannot be undone ask first.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
