// The editor of a schedule's layers: cards over one text field, which carries them as JSON or, as text, as lines.

document.addEventListener("alpine:init", () => {
  const LETTERS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  const UNITS = { hourly: "hours", daily: "days", weekly: "weeks" };
  const clock = (time) => (time ? time.slice(0, 5) : "");

  Alpine.data("layerEditor", () => ({
    layers: [],
    people: [],
    gone: {},
    days: [],
    raw: false,
    text: "",
    next: 0,
    init() {
      const known = JSON.parse(document.getElementById("layer-editor").textContent);
      this.people = known.people;
      this.gone = known.gone;
      this.days = this.$root.dataset.days.split(",");
      this.$refs.value.classList.add("al-hidden");
      if (known.rows === null) {
        this.raw = true;
        this.text = this.$refs.value.value;
        return;
      }
      known.rows.forEach((row) => this.layers.push(this.card(row)));
      this.set(JSON.stringify(this.rows()));
    },
    card(row) {
      const [date, time] = String(row.starts_at ?? "").split("T");
      return {
        key: this.next++,
        name: row.name ?? "",
        people: row.people.map((id) => ({ key: this.next++, id })),
        unit: row.unit ?? "weekly",
        every: row.every ?? 1,
        date: date ?? "",
        time: clock(time),
        until: row.ends_at ? String(row.ends_at).slice(0, 16) : "",
        spans: (row.restrictions ?? []).map((one) => ({
          key: this.next++,
          start: clock(one.start),
          end: clock(one.end),
          weekdays: [...(one.weekdays ?? [])],
        })),
      };
    },
    add() {
      const today = new Date();
      today.setDate(today.getDate() - ((today.getDay() + 6) % 7));
      const pad = (number) => String(number).padStart(2, "0");
      const monday = [today.getFullYear(), pad(today.getMonth() + 1), pad(today.getDate())].join("-");
      this.layers.push(this.card({ people: [], starts_at: monday + "T09:00" }));
      this.write();
      this.$nextTick(() => [...this.$root.querySelectorAll(".al-layer-head input")].pop()?.focus());
    },
    join(layer, select) {
      if (select.value) layer.people.push({ key: this.next++, id: select.value });
      select.value = "";
      this.write();
    },
    narrow(layer) {
      const weekdays = layer.spans.length ? [] : [0, 1, 2, 3, 4];
      layer.spans.push({ key: this.next++, start: "09:00", end: "17:00", weekdays });
      this.write();
    },
    move(list, index, step) {
      const [one] = list.splice(index, 1);
      list.splice(index + step, 0, one);
      this.write();
    },
    drop(list, index) {
      list.splice(index, 1);
      this.write();
    },
    isMember(id) {
      return this.people.some((person) => person.id === id);
    },
    nameOf(id) {
      return this.people.find((person) => person.id === id)?.name ?? this.gone[id] ?? id;
    },
    weekday(layer) {
      const day = new Date(layer.date + "T12:00");
      if (Number.isNaN(day.getTime())) return "";
      return new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "long" }).format(day);
    },
    rows() {
      const seconds = (time) => (time ? time + ":00" : "");
      return this.layers.map((layer) => ({
        name: layer.name,
        people: layer.people.map((person) => person.id),
        unit: layer.unit,
        every: layer.every,
        starts_at: layer.date + "T" + seconds(layer.time),
        ends_at: layer.until ? seconds(layer.until) : null,
        restrictions: layer.spans.map(({ start, end, weekdays }) => ({
          start: seconds(start),
          end: seconds(end),
          weekdays: [...weekdays].sort(),
        })),
      }));
    },
    write() {
      this.set(JSON.stringify(this.rows()));
      document.body.dispatchEvent(new CustomEvent("layers-changed"));
    },
    writeText() {
      this.set(this.text);
      document.body.dispatchEvent(new CustomEvent("layers-changed"));
    },
    set(value) {
      this.$refs.value.value = value;
    },
    asText() {
      this.text = this.layers.map((layer) => this.line(layer)).join("\n");
      this.raw = true;
      this.writeText();
    },
    line(layer) {
      const turn = layer.every === 1 ? layer.unit : "every " + layer.every + " " + UNITS[layer.unit];
      const parts = [
        layer.name,
        turn + " from " + layer.date + " " + layer.time,
        layer.people.map((person) => this.nameOf(person.id)).join(", "),
      ];
      const spans = layer.spans.flatMap(({ start, end, weekdays }) => {
        const hours = start + "-" + end;
        return weekdays.length ? [...weekdays].sort().map((day) => LETTERS[day] + " " + hours) : [hours];
      });
      if (spans.length) parts.push("only " + spans.join(", "));
      if (layer.until) parts.push("until " + layer.until.replace("T", " "));
      return parts.join("; ");
    },
  }));
});
