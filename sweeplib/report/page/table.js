// The table: sorted, searched, a page at a time.

const table = {
  columns: [],
  order: every, // the rows that are shown, in the order in which they are
  sorted: {column: null, down: false},
  group: null, // of failures
  ranges: [], // of the parallel coordinates: functions that tell whether a row is in one
  page: 0,
  open: new Set(),
};

function columnsOfTable() {
  const number = (name, text, value) => ({name, number: true, text, value});
  const words = (name, text) => ({name, number: false, text, value: text});
  const axis = each => ({name: each.name, number: Boolean(each.numbers), text: place => valueOf(each, place), value: place => each.codes[place]});
  const metric = each => number(each.name, place => each.texts[place], place => order(each.values[place]));
  const columns = [
    number("rank", place => place < data.ranked ? String(place + 1) : "", place => place),
    {...words("key", place => data.rows.key[place].slice(0, 8)), key: true},
    ...varied.map(axis),
    ...data.metrics.map(metric),
    number("duration", place => data.rows.duration[place], place => data.rows.seconds[place]),
    {...words("outcome", outcomeOf), outcome: true},
  ];
  if (data.rows.message.texts.some(text => text)) columns.push(words("message", messageOf));
  return columns;
}

// A metric's value for sorting: those that are not finite have their place, too, but for NaN.
const order = value => finite(value) ? value : {Infinity: Infinity, "-Infinity": -Infinity}[value] ?? null;

// What can be found of each row, made when somebody first searches.
let haystacks = null;
function haystack(place) {
  haystacks ??= every.map(each => [
    data.rows.key[each], data.rows.label[each], outcomeOf(each), messageOf(each), sweepOf(each),
    ...data.axes.map(axis => axis.codes[each] === null ? "" : axis.name + "=" + valueOf(axis, each)),
  ].join("\n").toLowerCase());
  return haystacks[place];
}

function arrange() {
  const words = find("search").value.toLowerCase().split(/\s+/).filter(word => word);
  const outcome = find("outcome").value;
  table.order = every.filter(place =>
    (!outcome || outcomeOf(place) === outcome)
    && (table.group === null || data.rows.group[place] === table.group)
    && table.ranges.every(within => within(place))
    && words.every(word => haystack(place).includes(word)));
  const {column, down} = table.sorted;
  if (column !== null) {
    const {value} = table.columns[column];
    const keys = new Map(table.order.map(place => [place, value(place)]));
    const absent = key => key === null || key === undefined || key === "";
    table.order.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      if (absent(a) || absent(b)) return absent(a) - absent(b); // last, whichever way it is sorted
      return a === b ? 0 : (a < b ? -1 : 1) * (down ? -1 : 1);
    });
  }
  table.page = 0;
  draw();
}

function draw() {
  const rows = Number(find("size").value);
  const pages = Math.max(1, Math.ceil(table.order.length / rows));
  table.page = Math.min(table.page, pages - 1);
  const start = table.page * rows;
  const visible = table.order.slice(start, start + rows);
  find("table").tBodies[0].replaceChildren(...visible.flatMap(rowsOf));
  for (const [index, head] of [...find("table").tHead.rows[0].cells].entries()) {
    const {column, down} = table.sorted;
    head.setAttribute("aria-sort", index !== column ? "none" : down ? "descending" : "ascending");
  }
  const [first, last, found, all] = [start + 1, start + visible.length, table.order.length, size].map(each => each.toLocaleString("en"));
  find("shown").textContent = (visible.length ? `${first} to ${last} of ${found}` : "None") + (found === all ? "" : `, ${all} in all`);
  find("previous").disabled = table.page === 0;
  find("next").disabled = table.page >= pages - 1;
  const reasons = [];
  if (table.group !== null) reasons.push("one group of failures");
  if (table.ranges.length) reasons.push("the ranges chosen in the parallel coordinates");
  find("narrowed").hidden = !reasons.length;
  find("narrowed").firstElementChild.textContent = `Only ${reasons.join(" and ")}.`;
  if (find("all-commands").open) writeCommands();
}

function rowsOf(place) {
  const bad = !["completed", "running"].includes(outcomeOf(place));
  const open = table.open.has(place);
  const row = make("tr", {class: place === 0 && data.ranked ? "first" : bad ? "bad" : false});
  for (const column of table.columns) {
    const text = column.text(place);
    const kind = column.outcome ? `outcome ${text.replaceAll(" ", "-")}` : column.number ? "number" : false;
    const cell = make("td", {class: kind, title: text.length > 30 ? shown(text) : false});
    if (column.key) {
      const toggle = () => {
        if (!table.open.delete(place)) table.open.add(place);
        draw();
        find("table").querySelector(`button[data-place="${place}"]`).focus();
      };
      const label = `Details of ${text}`;
      cell.append(make("button", {type: "button", class: "link", "data-place": place, "aria-expanded": String(open),
        "aria-label": label, click: toggle}, text));
    } else {
      cell.append(short(shown(text), 200));
    }
    row.append(cell);
  }
  return open ? [row, make("tr", {class: "more"}, make("td", {colspan: table.columns.length}, detailsOf(place)))] : [row];
}

function detailsOf(place) {
  const list = make("dl", {class: "details"});
  const add = (title, ...content) => list.append(make("dt", {}, title), make("dd", {}, ...content));
  const values = pairs => make("div", {class: "values"}, ...pairs.map(([name, value]) => make("code", {}, shown(`${name}=${value}`))));
  const command = data.rows.command[place];
  if (command) {
    const text = make("pre", {tabindex: 0}, command);
    const button = make("button", {type: "button"}, "Copy");
    button.addEventListener("click", () => copy(command, button, () => text));
    add("command", text, button);
  }
  const given = data.axes.filter(axis => axis.codes[place] !== null);
  if (given.length) add("parameters", values(given.map(axis => [axis.name, valueOf(axis, place)])));
  const had = data.metrics.filter(metric => metric.values[place] !== null);
  if (had.length) add("metrics", values(had.map(metric => [metric.name, String(metric.values[place])])));
  if (messageOf(place)) add("message", make("code", {}, shown(messageOf(place))));
  if (data.rows.exit[place] !== null) add("exit code", String(data.rows.exit[place]));
  if (data.rows.started[place] !== null) add("started", new Date(data.rows.started[place] * 1000).toLocaleString());
  if (data.rows.attempts[place] > 1) add("attempts", String(data.rows.attempts[place]));
  add("sweep", sweepOf(place));
  add("key", data.rows.key[place]);
  add("output", make("code", {}, `sweep logs ${data.rows.key[place].slice(0, 8)}`));
  return list;
}

// Shows one row, open, whatever is searched for.
function show(place) {
  showAll();
  find("search").value = data.rows.key[place];
  table.open = new Set([place]);
  arrange();
  find("results").scrollIntoView();
  find("table").querySelector(`button[data-place="${place}"]`).focus({preventScroll: true});
}

function showGroup(group) {
  showAll();
  table.group = group;
  arrange();
  find("results").scrollIntoView();
}

function showAll() {
  find("search").value = "";
  find("outcome").value = "";
  table.group = null;
  table.ranges = [];
  clearRanges();
}

function writeCommands() {
  find("all-commands").querySelector("pre").textContent = commandLines();
}

const commandLines = () => table.order.map(place => data.rows.command[place] + "\n").join("");

function csv() {
  const quoted = value => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = table.order.map(place => [
    place < data.ranked ? place + 1 : null,
    data.rows.key[place], outcomeOf(place), data.rows.exit[place], data.rows.seconds[place],
    ...data.axes.map(axis => valueOf(axis, place)),
    ...data.metrics.map(metric => metric.values[place]),
  ]);
  return [data.headings, ...lines].map(line => line.map(quoted).join(",") + "\n").join("");
}

function startTable() {
  table.columns = columnsOfTable();
  const sortBy = index => () => {
    const {column, down} = table.sorted;
    table.sorted = {column: index, down: column === index && !down};
    arrange();
  };
  find("table").tHead.append(make("tr", {}, ...table.columns.map((column, index) =>
    make("th", {scope: "col", class: column.number && "number"},
      make("button", {type: "button", click: sortBy(index), title: column.name.length > 30 && shown(column.name)}, short(shown(column.name), 30))))));
  for (const id of ["search", "outcome"]) find(id).addEventListener("input", arrange);
  find("size").addEventListener("input", draw);
  find("previous").addEventListener("click", () => { table.page -= 1; draw(); });
  find("next").addEventListener("click", () => { table.page += 1; draw(); });
  find("narrowed").lastElementChild.addEventListener("click", () => { showAll(); arrange(); });
  find("download").addEventListener("click", () => download(`${data.job}.csv`, "text/csv", csv()));
  find("download-commands").addEventListener("click", () => download(`${data.job}.txt`, "text/plain", commandLines()));
  find("all-commands").addEventListener("toggle", () => { if (find("all-commands").open) writeCommands(); });
  find("copy-commands").addEventListener("click", event => copy(commandLines(), event.target, () => {
    find("all-commands").open = true;
    writeCommands();
    return find("all-commands").querySelector("pre");
  }));
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => show(data.rows.key.indexOf(button.dataset.key)));
  }
  for (const button of document.querySelectorAll("[data-group]")) {
    button.addEventListener("click", () => showGroup(Number(button.dataset.group)));
  }
  for (const form of document.querySelectorAll("form")) form.addEventListener("submit", event => event.preventDefault());
  arrange();
}
