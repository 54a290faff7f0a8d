// The plots: each is drawn when it first comes into view, or else when the browser has nothing to do, and again when the
// colours of the page change.

const MOST_DIMENSIONS = 10; // of the parallel coordinates
const MOST_PANELS = 24;
const MOST_TICKS = 16; // texts on an axis
const MOST_DRAWN = 5000; // lines or points of a plot; of more, every second, third, … in the order of the ranking
const FEW = 200; // combinations, up to which all points are shown where values come again and again
const FEW_VALUES = 16; // of a number, up to which more combinations than that are shown as boxes
const CELLS = 144; // of a heat map, up to which their numbers are written

const metric = data.metrics[0];
const drawable = value => finite(value) && Math.abs(value) <= data.highest;
const ranked = every.slice(0, data.ranked).filter(place => drawable(metric.values[place]));
const stride = Math.max(1, Math.ceil(ranked.length / MOST_DRAWN));
const some = list => stride === 1 ? list : list.filter((_, index) => index % stride === 0); // of one entry a ranked row

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
// From the worst to the best, which stands out most from the ground, whether that is light or dark.
function shades(reversed) {
  const scale = ["worst", "worse", "mean", "better", "best"].map((name, index) => [index / 4, colour(`shade-${name}`)]);
  return reversed ? scale.map(([at, each]) => [1 - at, each]).reverse() : scale;
}
const OUTCOMES = {completed: "good", failed: "bad", "timed out": "warn", lost: "faint", cancelled: "line"};

function layoutOf(more) {
  const axis = {gridcolor: colour("grid"), linecolor: colour("line"), zerolinecolor: colour("grid"), automargin: true, exponentformat: "e"};
  const {xaxis = {}, yaxis = {}, ...rest} = more;
  return {
    paper_bgcolor: colour("ground"), plot_bgcolor: "rgba(0,0,0,0)",
    font: {family: "system-ui, sans-serif", size: 12, color: colour("text")},
    margin: {l: 56, r: 16, t: 12, b: 48}, hovermode: "closest", showlegend: false,
    hoverlabel: {align: "left"},
    xaxis: {...axis, ...xaxis}, yaxis: {...axis, ...yaxis}, ...rest,
  };
}

const CONFIG = {responsive: true, displaylogo: false, showSendToCloud: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"]};

// With its width, which plotly measures of a new plot alone: before the page is printed it is another one.
function plot(element, traces, layout) {
  return Plotly.react(element, traces, layoutOf({...layout, width: element.clientWidth}), CONFIG);
}

// A click on a point of a plot whose customdata are rows shows the row in the table.
function leadsToRows(element) {
  if (element.dataset.leads) return;
  element.dataset.leads = "yes";
  element.on("plotly_click", event => {
    const place = event.points[0]?.customdata;
    if (Number.isInteger(place)) show(place);
  });
}

const hover = place => plain(data.rows.label[place], 80) + `<br>${plain(metric.name)} ${metric.texts[place]}`
  + (place < data.ranked ? `<br>rank ${place + 1}` : "");

// Some of many texts, evenly, so that those on an axis do not cover each other.
function ticks(texts, at = index => index, write = plain) {
  const step = Math.ceil(texts.length / MOST_TICKS);
  const chosen = texts.map((text, index) => [at(index), write(text, 16)]).filter((_, index) => index % step === 0);
  return {tickvals: chosen.map(each => each[0]), ticktext: chosen.map(each => each[1])};
}

// Parallel coordinates

// Its ticks are texts without markup, unlike those of other plots.
const bare = (text, most) => short(shown(text), most);

function dimension(axis) {
  const label = plain(axis.name, 20);
  const gaps = ranked.some(place => axis.codes[place] === null);
  const absent = "(none)";
  if (axis.scale === "category" || gaps) {
    const values = ranked.map(place => axis.codes[place] ?? -1);
    const texts = gaps ? [absent, ...axis.texts] : axis.texts;
    return {label, values, ...ticks(texts, index => index - (gaps ? 1 : 0), bare)};
  }
  const numbers = ranked.map(place => axis.numbers[axis.codes[place]]);
  if (axis.scale === "linear") {
    return axis.texts.length > MOST_TICKS ? {label, values: numbers}
      : {label, values: numbers, ...ticks(axis.texts, index => axis.numbers[index], bare)};
  }
  const values = numbers.map(Math.log10);
  if (axis.texts.length <= MOST_TICKS) return {label, values, ...ticks(axis.texts, index => Math.log10(axis.numbers[index]), bare)};
  const [low, high] = [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
  const powers = Array.from({length: high - low + 1}, (_, index) => low + index);
  return {label, values, ...ticks(powers.map(power => `1e${power}`), index => low + index)};
}

let dimensions = [];

function drawParallel(element) {
  if (!document.createElement("canvas").getContext("webgl")) {
    element.classList.remove("plot");
    element.removeAttribute("role");
    element.textContent = "Not shown: it needs WebGL, which this browser has not, or which is switched off in it.";
    return;
  }
  const chosen = varied.slice(0, MOST_DIMENSIONS);
  const values = ranked.map(place => metric.values[place]);
  dimensions = [...chosen.map(dimension), {label: plain(metric.name, 20), values}];
  // By the place, so that one value far away does not take all the colours; the best are drawn above the others.
  const places = values.map((_, index) => 1 - index / Math.max(1, values.length - 1));
  // Those of a plot that is there are as the reader has left them: plotly sorts them when an axis is moved.
  const present = element.data?.[0].dimensions ?? dimensions.map((each, index) => ({...each, name: String(index), values: some(each.values)}));
  const trace = {
    type: "parcoords", dimensions: present,
    line: {color: some(places), colorscale: shades(false), showscale: true, cmin: 0, cmax: 1,
      colorbar: {thickness: 12, outlinewidth: 0, tickvals: [0, 1], ticktext: ["worst", "best"]}},
    labelfont: {size: 13}, unselected: {line: {color: colour("line"), opacity: 0.15}},
  };
  element.style.minWidth = `${140 + 90 * (dimensions.length - 1)}px`;
  plot(element, [trace], {margin: {l: 110, r: 30, t: 48, b: 24}});
  if (!element.dataset.ranges) {
    element.dataset.ranges = "yes";
    element.on("plotly_restyle", () => readRanges(element));
  }
}

// What the reader has chosen on the axes narrows the table, too.
function readRanges(element) {
  const index = new Map(ranked.map((place, at) => [place, at]));
  table.ranges = element.data[0].dimensions.flatMap(each => {
    const range = each.constraintrange;
    if (!range || !range.length) return [];
    const ranges = Array.isArray(range[0]) ? range : [range];
    const {values} = dimensions[each.name];
    return [place => index.has(place) && ranges.some(([low, high]) => values[index.get(place)] >= low && values[index.get(place)] <= high)];
  });
  arrange();
}

function clearRanges() {
  const element = find("parallel");
  if (!element || !element.data) return;
  const chosen = element.data[0].dimensions.map((each, index) => [`dimensions[${index}].constraintrange`, each.constraintrange]);
  const changes = Object.fromEntries(chosen.filter(([, range]) => range).map(([name]) => [name, null]));
  if (Object.keys(changes).length) Plotly.restyle(element, changes);
}

// The metric against each parameter

function drawPanel(element, axis) {
  const places = ranked.filter(place => axis.codes[place] !== null);
  const best = places[0];
  const title = {title: {text: plain(metric.name, 30), standoff: 10}};
  const star = x => ({type: "scatter", mode: "markers", x: [x], y: [metric.values[best]], customdata: [best], text: [hover(best)],
    hovertemplate: "%{text}<extra>the best</extra>", marker: {symbol: "star", size: 14, color: colour("bad"), line: {width: 1, color: colour("ground")}}});
  if (axis.scale === "category" || (axis.texts.length <= FEW_VALUES && places.length > FEW)) {
    const traces = axis.texts.map((_, code) => {
      const here = places.filter(place => axis.codes[place] === code);
      return {type: "box", x0: code, y: here.map(place => metric.values[place]), customdata: here, text: here.map(hover),
        hovertemplate: "%{text}<extra></extra>", hoveron: "points", boxpoints: places.length <= FEW ? "all" : "outliers", jitter: 0.5, pointpos: 0,
        marker: {color: colour("accent"), size: 5, opacity: 0.7}, line: {width: 1.2}, fillcolor: "rgba(127,127,127,0.12)"};
    });
    plot(element, [...traces, star(axis.codes[best])], {
      xaxis: {title: {text: plain(axis.name, 40)}, ...ticks(axis.texts), range: [-0.6, axis.texts.length - 0.4]},
      yaxis: title});
  } else {
    const points = some(places);
    const x = points.map(place => axis.numbers[axis.codes[place]]);
    const y = points.map(place => metric.values[place]);
    const traces = [{type: "scatter", mode: "markers", x, y, customdata: points, text: points.map(hover), hovertemplate: "%{text}<extra></extra>",
      marker: {color: colour("accent"), size: places.length > 1000 ? 4 : 6, opacity: places.length > 1000 ? 0.35 : 0.7}}];
    const medians = mediansOf(axis, places);
    if (medians.length > 1) {
      traces.push({type: "scatter", mode: "lines", x: medians.map(each => each[0]), y: medians.map(each => each[1]),
        hovertemplate: "median %{y:.4g}<extra></extra>", line: {color: colour("text"), width: 1.5, dash: "dot"}});
    }
    const few = axis.texts.length <= 8 ? ticks(axis.texts, code => axis.numbers[code]) : {};
    plot(element, [...traces, star(axis.numbers[axis.codes[best]])], {
      xaxis: {title: {text: plain(axis.name, 40)}, type: axis.scale, ...few}, yaxis: title});
  }
  leadsToRows(element);
}

// The median at each value, where values come again; nothing where hardly any does.
function mediansOf(axis, places) {
  const found = new Map();
  for (const place of places) {
    const at = axis.numbers[axis.codes[place]];
    if (!found.has(at)) found.set(at, []);
    found.get(at).push(metric.values[place]);
  }
  if (found.size * 2 > places.length) return [];
  const middle = values => {
    values.sort((one, other) => one - other);
    const half = values.length >> 1;
    return values.length % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
  };
  return [...found].sort((one, other) => one[0] - other[0]).map(([at, values]) => [at, middle(values)]);
}

// The heat map

function drawHeat(element) {
  const across = varied[Number(find("across").value)];
  const down = varied[Number(find("down").value)];
  const kind = find("cell").value;
  const cells = down.labels.map(() => across.labels.map(() => null));
  for (const place of ranked) {
    const [code, other] = [across.codes[place], down.codes[place]];
    if (code === null || other === null) continue;
    const [column, row] = [across.places[code], down.places[other]];
    const cell = cells[row][column] ??= {count: 0, sum: 0, best: place, worst: place};
    cell.count += 1;
    cell.sum += metric.values[place];
    cell.worst = place; // the rows come from the best to the worst
  }
  const value = cell => cell && (kind === "mean" ? cell.sum / cell.count : metric.values[cell[kind]]);
  const z = cells.map(row => row.map(value));
  const text = z.map(row => row.map(each => each === null ? "" : String(Number(each.toPrecision(3)))));
  const few = across.labels.length * down.labels.length <= CELLS && across.labels.length <= 14;
  const told = cells.map((row, y) => row.map((cell, x) => cell && [
    `${plain(across.name)} = ${plain(across.labels[x], 60)}`, `${plain(down.name)} = ${plain(down.labels[y], 60)}`,
    `${kind} ${plain(metric.name)} ${text[y][x]}`, `${cell.count} combination${cell.count === 1 ? "" : "s"}`].join("<br>")));
  const ink = {tickmode: "array", showgrid: false};
  element.style.height = `${Math.max(320, 110 + 26 * down.labels.length)}px`;
  plot(element, [{type: "heatmap", z, text, hovertext: told, hovertemplate: "%{hovertext}<extra></extra>", hoverongaps: false,
    customdata: cells.map(row => row.map(cell => cell && kind !== "mean" ? cell[kind] : null)),
    texttemplate: few ? "%{text}" : "", colorscale: shades(data.ascending), xgap: 1, ygap: 1,
    colorbar: {thickness: 12, outlinewidth: 0}}], {
    xaxis: {title: {text: plain(across.name, 40)}, ...ink, ...heatTicks(across), constrain: "domain"},
    yaxis: {title: {text: plain(down.name, 40), standoff: 12}, ...ink, ...heatTicks(down)}});
  leadsToRows(element);
  const grouped = [across, down].filter(axis => axis.labels.length < axis.texts.length).map(axis => axis.name);
  const empty = cells.flat().every(cell => cell === null);
  find("heat-note").textContent = empty ? "No combination with the metric has both of these parameters." : {best: "The best", mean: "The mean", worst: "The worst"}[kind]
    + ` ${shown(metric.name)} of all combinations with these two values, whatever else they have; the stronger the colour, the better.`
    + (grouped.length ? ` Neighbouring values of ${grouped.map(shown).join(" and ")} share a place.` : "");
}

const heatTicks = axis => ({tickvals: axis.labels.map((_, index) => index), ticktext: axis.labels.map(label => plain(label, 60))});

// The two parameters that matter most, of those that vary in combinations that have both.
function pairOfMost() {
  const names = data.importance.map(each => each[0]);
  const order = [...varied].sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name));
  for (const [index, second] of order.entries()) {
    for (const first of order.slice(0, index)) {
      const both = ranked.filter(place => first.codes[place] !== null && second.codes[place] !== null);
      if ([first, second].every(axis => new Set(both.map(place => axis.codes[place])).size > 1)) {
        return [first, second].sort((one, other) => varied.indexOf(one) - varied.indexOf(other));
      }
    }
  }
  return varied.slice(0, 2);
}

function startHeat() {
  const option = (axis, index) => make("option", {value: index}, short(shown(axis.name), 40));
  find("across").append(...varied.map(option));
  find("down").append(...varied.map(option));
  const [across, down] = pairOfMost();
  find("across").value = varied.indexOf(across);
  find("down").value = varied.indexOf(down);
  for (const id of ["across", "down", "cell"]) find(id).addEventListener("input", () => drawHeat(find("heat")));
}

// Importance and run times

function drawBars(element) {
  const shares = data.importance.slice(0, 30).reverse();
  element.style.height = `${90 + 28 * shares.length}px`;
  element.style.minHeight = "0";
  plot(element, [{type: "bar", orientation: "h", x: shares.map(each => each[1]), y: shares.map((_, index) => index),
    error_x: {type: "data", array: shares.map(each => each[2]), color: colour("faint"), thickness: 1, width: 3},
    text: shares.map(each => plain(each[0], 60)), hovertemplate: "%{text}: %{x:.1%}<extra></extra>", textposition: "none",
    marker: {color: colour("accent")}}], {
    xaxis: {tickformat: ".1~%", rangemode: "nonnegative", title: {text: "share of the variance"}},
    yaxis: {...allTicks(shares.map(each => each[0])), showgrid: false}});
}

const allTicks = texts => ({tickvals: texts.map((_, index) => index), ticktext: texts.map(text => plain(text, 24))});

function drawHistogram(element) {
  const {edges, texts, log, spreads} = data.durations;
  const at = log ? edges.map(Math.log10) : edges;
  const width = at.slice(1).map((edge, index) => edge - at[index]);
  const traces = spreads.map(([outcome, bins]) => ({
    type: "bar", name: outcome, x: width.map((each, index) => at[index] + each / 2), y: bins, width,
    text: bins.map((_, index) => `${texts[index]} to ${texts[index + 1]}`), textposition: "none",
    hovertemplate: "%{y:,} of %{text}<extra>" + outcome + "</extra>",
    marker: {color: colour(OUTCOMES[outcome]), opacity: 0.85, line: {width: 1, color: colour("ground")}}}));
  const highest = Math.max(...width.map((_, index) => spreads.reduce((sum, [, bins]) => sum + bins[index], 0)));
  const step = Math.max(1, Math.ceil(edges.length / (element.clientWidth < 600 ? 5 : 10)));
  const marked = edges.map((_, index) => index).filter(index => index % step === 0);
  plot(element, traces, {barmode: "stack", showlegend: spreads.length > 1, legend: {orientation: "h", y: 1.12},
    xaxis: {title: {text: "run time" + (log ? ", logarithmic" : "")}, tickvals: marked.map(index => at[index]), ticktext: marked.map(index => texts[index])},
    yaxis: {title: {text: "combinations"}, rangemode: "tozero", ...(highest < 10 ? {tick0: 0, dtick: 1} : {})}}); // none at halves
}

// All of them

// What is left out of the plots of the metric, though it has one; what failed or was cut short is not ranked.
function leftOut() {
  const out = every.filter(place => metric && metric.values[place] !== null && !drawable(metric.values[place])
    && ["completed", "running"].includes(outcomeOf(place)));
  if (!out.length) return "";
  const texts = [...new Set(out.map(place => metric.texts[place]))];
  const count = out.length.toLocaleString("en");
  return `Not drawn ${out.length === 1 ? `is 1 combination whose` : `are ${count} combinations whose`} ${shown(metric.name)} is ${texts.slice(0, 4).join(", ")}${texts.length > 4 ? ", …" : ""}.`;
}

const plots = []; // [element, how it is drawn, whether it has been]

function drawn(element, how) {
  if (element) plots.push({element, how, done: false});
}

function startPlots() {
  const out = find("left-out");
  if (out) {
    out.textContent = leftOut();
    out.hidden = !out.textContent;
  }
  if (find("drawings")) find("drawings").hidden = !ranked.length;
  if (ranked.length && varied.length) {
    drawn(find("parallel"), drawParallel);
    const sparse = stride === 1 ? "" : ` Of so many, one in ${stride} is drawn, evenly from the best to the worst.`;
    find("parallel-note").textContent = "A line a combination, the stronger the colour, the better. Drag along an axis to choose a range: the table shows the same. A click beside it takes it back."
      + (varied.length > MOST_DIMENSIONS ? ` The first ${MOST_DIMENSIONS} of ${varied.length} parameters.` : "") + sparse;
    find("panels-note").textContent = "A point a combination, the star the best; where there are many, boxes from quarter to quarter with the median, and the points outside. "
      + "A dotted line goes through the medians. A click on a point shows it in the table."
      + (varied.length > MOST_PANELS ? ` The first ${MOST_PANELS} of ${varied.length} parameters.` : "") + sparse;
    for (const axis of varied.slice(0, MOST_PANELS)) {
      if (!ranked.some(place => axis.codes[place] !== null)) continue;
      const label = `${metric.name} against ${axis.name}`;
      const element = make("div", {class: "plot", role: "figure", "aria-label": label});
      find("panels").append(element);
      drawn(element, () => drawPanel(element, axis));
    }
    if (find("heat")) {
      startHeat();
      drawn(find("heat"), drawHeat);
    }
  }
  if (data.importance.length) drawn(find("bars"), drawBars);
  if (data.durations) drawn(find("histogram"), drawHistogram);
  const drawOne = each => {
    each.done = true;
    each.how(each.element);
  };
  const seen = new IntersectionObserver(entries => {
    for (const {target, isIntersecting} of entries) {
      const found = plots.find(({element}) => element === target);
      if (isIntersecting && !found.done) drawOne(found);
    }
  }, {rootMargin: "400px"});
  for (const {element} of plots) seen.observe(element);
  const again = all => {
    for (const each of plots) if (each.done || all) drawOne(each);
  };
  // Those that nobody has scrolled to, one after the other, for a picture of the whole page; from the last to the first,
  // the parallel coordinates, which take seconds where WebGL has no graphics card.
  const idle = then => window.requestIdleCallback ? requestIdleCallback(then, {timeout: 2000}) : setTimeout(then, 200);
  const rest = () => {
    const next = plots.findLast(({done}) => !done);
    if (!next) return;
    idle(rest);
    drawOne(next);
  };
  addEventListener("load", () => requestAnimationFrame(() => idle(rest))); // after the first paint
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => again(false));
  const print = on => () => {
    document.documentElement.classList.toggle("printing", on); // on paper the colours are those of a light page
    again(on);
  };
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
}
