// The editor of a policy's levels: adds, moves and removes the cards of plain controls the server has drawn.

document.addEventListener("DOMContentLoaded", () => {
  const SECONDS = { d: 86400, h: 3600, m: 60, s: 1 };
  const seconds = (text) => {
    const left = text.toLowerCase().replace(/(\d{1,6})\s*([dhms])/g, "").trim();
    if (!text.trim() || left) return null;
    return [...text.toLowerCase().matchAll(/(\d{1,6})\s*([dhms])/g)].reduce((sum, [, n, u]) => sum + n * SECONDS[u], 0);
  };
  const written = (left) => {
    const parts = Object.entries(SECONDS).map(([unit, size]) => {
      const count = Math.floor(left / size);
      left %= size;
      return count ? count + unit : "";
    });
    return parts.filter(Boolean).join(" ") || "0s";
  };

  document.querySelectorAll(".al-levels").forEach((root) => {
    const list = root.querySelector("[data-part=levels]");
    const template = root.querySelector("template");
    const part = (card, name) => card.querySelector(`[data-part=${name}]`);
    const cards = () => [...list.children];
    const targetsOf = (card) => [...card.querySelectorAll(".al-level-target")];

    const renumber = () => {
      let sum = 0;
      cards().forEach((card, index, all) => {
        part(card, "order").value = index + 1;
        part(card, "title").textContent = `${root.dataset.title} ${index + 1}`;
        card.querySelector("[data-act=up]").hidden = index === 0;
        card.querySelector("[data-act=down]").hidden = index === all.length - 1;
        card.querySelector("[data-act=drop]").hidden = all.length === 1;
        const wait = seconds(part(card, "wait").value);
        sum = wait === null || sum === null ? null : sum + wait;
        part(card, "total").textContent = index && sum !== null ? `${root.dataset.total} ${written(sum)}` : "";
        const targets = targetsOf(card);
        targets.forEach((one) => (one.querySelector("[data-act=drop-target]").hidden = targets.length === 1));
        targets.forEach((one) => {
          const via = part(one, "via");
          via.hidden = part(one, "target").value.startsWith("channel:");
          if (via.hidden) via.value = "";
        });
      });
    };
    // With a script nobody needs spare rows: one target a level at least, the others on request.
    const ready = (card) => {
      card.classList.remove("al-level-spare");
      card.querySelectorAll(".al-level-plain").forEach((one) => (one.hidden = true));
      targetsOf(card).forEach((one, index) => {
        if (index && one.classList.contains("al-level-spare")) one.remove();
        else one.classList.remove("al-level-spare");
      });
      part(card, "more").hidden = false;
    };
    const rename = (card, from, to) => {
      card.dataset.prefix = to;
      card.querySelectorAll("[name]").forEach((one) => (one.name = one.name.replace(from, to)));
    };
    const add = () => {
      const card = template.content.firstElementChild.cloneNode(true);
      const old = card.dataset.prefix;
      const taken = cards().map((one) => Number(one.dataset.prefix.split("-").pop()));
      rename(card, old, old.replace(/\d+$/, String(Math.max(-1, ...taken) + 1)));
      list.append(card);
      ready(card);
      renumber();
      part(card, "wait").focus();
    };
    const addTarget = (card) => {
      const all = targetsOf(card);
      const copy = all[0].cloneNode(true);
      const taken = all.map((one) => Number(part(one, "target").name.split("-").pop()));
      const number = Math.max(...taken) + 1;
      copy.querySelectorAll(".al-fault").forEach((one) => one.remove());
      ["target", "via"].forEach((name) => {
        const control = part(copy, name);
        control.name = `${card.dataset.prefix}-${name}-${number}`;
        control.value = "";
        control.removeAttribute("aria-invalid");
        control.removeAttribute("aria-describedby");
      });
      all[all.length - 1].after(copy);
      renumber();
      part(copy, "target").focus();
    };
    const move = (card, step) => {
      const other = step < 0 ? card.previousElementSibling : card.nextElementSibling;
      if (step < 0) other.before(card);
      else other.after(card);
      renumber();
      const again = card.querySelector(step < 0 ? "[data-act=up]" : "[data-act=down]");
      (again.hidden ? card.querySelector(step < 0 ? "[data-act=down]" : "[data-act=up]") : again).focus();
    };
    const drop = (card) => {
      const neighbour = card.nextElementSibling || card.previousElementSibling;
      card.remove();
      renumber();
      part(neighbour, "wait").focus();
    };
    const dropTarget = (target) => {
      const neighbour = target.nextElementSibling.matches(".al-level-target")
        ? target.nextElementSibling
        : target.previousElementSibling;
      target.remove();
      renumber();
      part(neighbour, "target").focus();
    };

    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (!button) return;
      const card = button.closest(".al-level");
      const acts = {
        add,
        up: () => move(card, -1),
        down: () => move(card, 1),
        drop: () => drop(card),
        "add-target": () => addTarget(card),
        "drop-target": () => dropTarget(button.closest(".al-level-target")),
      };
      acts[button.dataset.act]();
    });
    root.addEventListener("input", renumber);
    root.addEventListener("change", renumber);

    const spare = cards().filter((card) => card.classList.contains("al-level-spare"));
    (spare.length === cards().length ? spare.slice(1) : spare).forEach((card) => card.remove());
    cards().forEach(ready);
    root.querySelectorAll("[data-act=add]").forEach((one) => (one.hidden = false));
    renumber();
  });
});
