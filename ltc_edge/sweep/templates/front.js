"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plot = document.getElementById("plot");
  if (!plot) return;
  const details = document.getElementById("details");
  const body = document.querySelector("#table tbody");
  const rows = new Map([...body.rows].map((row) => [Number(row.dataset.trial), row]));
  const trials = new Map(data.trials.map((trial) => [trial.number, trial]));
  const MARGIN = { left: 64, right: 18, top: 30, bottom: 44 };
  let selected = data.pick ?? data.trials[0].number;
  let drawn = [];

  const make = (parent, tag, attributes = {}, text = null) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== null) element.textContent = text;
    return parent.appendChild(element);
  };
  const put = (parent, tag, text = null, kind = "") => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== null) element.textContent = text;
    return parent.appendChild(element);
  };
  const figureOf = (name) => data.figures.find((figure) => figure.name === name);
  const short = (value) => {
    const size = Math.abs(value);
    if (size >= 1e5 || (size > 0 && size < 1e-3)) return Number(value.toPrecision(3)).toExponential();
    return Number(value.toPrecision(4)).toLocaleString("en");
  };
  const kindOf = (trial) => {
    if (trial.rank === null) return "over";
    if (trial.rank > 0) return "beaten";
    return trial.rivals.length ? "doubted" : "front";
  };
  const PLACES = { over: "over budget", beaten: "beaten by another", front: "on the front",
    doubted: "on the front, perhaps by chance" };
  const placeOf = (trial) => (trial.number === data.pick ? "recommended, " : "") + PLACES[kindOf(trial)];

  // What is chosen ------------------------------------------------------------------------------------

  const chosen = () => {
    const settings = [...document.querySelectorAll("[data-setting]")].filter((select) => select.value);
    const all = document.getElementById("all").checked;
    return data.trials.filter((trial) => (all || trial.rank === 0) &&
      settings.every((select) => trial.settings[select.dataset.setting] === select.value));
  };

  // Axes: over the front, its intervals, and what is not much worse ------------------------------------

  const axisOf = (name, shown) => {
    const every = shown.map((trial) => trial.figures[name]);
    const front = shown.filter((trial) => trial.rank === 0).map((trial) => trial.figures[name]);
    const means = every.map((figure) => figure.mean);
    // Of what is maximised the large end matters, which a logarithm would press together.
    if (Math.min(...means) > 0 && !figureOf(name).maximised) {
      const axis = reaching(name, front, means, true);
      if (axis.high - axis.low > Math.log(data.wide)) return axis;
    }
    return reaching(name, front, means, false);
  };
  const reaching = (name, front, means, isLog) => {
    const there = (value) => (isLog ? Math.log(Math.max(value, 1e-300)) : value);
    const best = (front.length < data.few ? means : front.map((figure) => figure.mean)).map(there);
    const least = Math.min(...best), most = Math.max(...best);
    const span = most - least || 0.1 * Math.abs(most) || 1;
    const ends = front.flatMap(({ low, high }) => (low === null ? [] : [there(low), there(high)]));
    let low = Math.max(Math.min(least, ...ends), least - 0.4 * span);
    let high = Math.min(Math.max(most, ...ends), most + 0.4 * span);
    if (figureOf(name).maximised) low = Math.min(low, Math.max(least - 0.6 * span, there(Math.min(...means))));
    else high = Math.max(high, Math.min(most + 0.6 * span, there(Math.max(...means))));
    const margin = 0.06 * (high - low || span);
    return { name, isLog, low: low - margin, high: high + margin, there };
  };
  const share = (axis, value) => (axis.there(value) - axis.low) / (axis.high - axis.low);
  const isWithin = (axis, trial) => {
    const at = share(axis, trial.figures[axis.name].mean);
    return at >= 0 && at <= 1;
  };
  const ticks = (axis, most) => {
    const values = [];
    if (axis.isLog) {
      const first = Math.floor(axis.low / Math.LN10), last = Math.ceil(axis.high / Math.LN10);
      for (const digits of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
        values.length = 0;
        for (let power = first; power <= last; power += 1) {
          for (const digit of digits) values.push(Number(`${digit}e${power}`));
        }
        const inside = values.filter((value) => share(axis, value) >= 0 && share(axis, value) <= 1);
        if (inside.length <= most || digits.length === 1) {
          return inside.filter((_, index) => index % Math.ceil(inside.length / most) === 0);
        }
      }
    }
    const least = (axis.high - axis.low) / most;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((size) => size >= least);
    for (let n = Math.ceil(axis.low / step); n <= axis.high / step; n += 1) values.push(n * step);
    return values;
  };

  // The drawing ---------------------------------------------------------------------------------------

  const draw = () => {
    const [up, across] = ["up", "across"].map((id) => document.getElementById(id).value);
    const among = chosen();
    const shown = among.filter((trial) => trial.figures[up] && trial.figures[across]);
    plot.replaceChildren();
    drawn = [];
    filterRows(among);
    if (!shown.length) {
      put(plot, "p", "No trial with these settings has both figures.", "note");
      return;
    }
    const width = Math.max(plot.clientWidth, 260);
    const height = Math.round(Math.min(Math.max(0.62 * width, 300), 480));
    const box = { width, height, x: axisOf(across, shown), y: axisOf(up, shown) };
    box.left = (value) => MARGIN.left + share(box.x, value) * (width - MARGIN.left - MARGIN.right);
    box.top = (value) => height - MARGIN.bottom - share(box.y, value) * (height - MARGIN.top - MARGIN.bottom);
    const label = `${figureOf(up).title} against ${figureOf(across).title}, ${shown.length} trials`;
    const svg = make(plot, "svg", { viewBox: `0 0 ${width} ${height}`, role: "listbox", "aria-label": label });
    drawAxes(svg, box);
    const inside = shown.filter((trial) => isWithin(box.x, trial) && isWithin(box.y, trial));
    const beyond = shown.length - inside.length;
    document.getElementById("beyond").textContent = beyond
      ? `${beyond} trial${beyond > 1 ? "s" : ""} beyond the axes, much worse than the front.` : "";
    drawStairs(svg, box, inside);
    for (const trial of inside) if (trial.rank === 0) drawIntervals(svg, box, trial);
    const order = ["over", "beaten", "doubted", "front"];
    const layered = [...inside].sort((a, b) => order.indexOf(kindOf(a)) - order.indexOf(kindOf(b)));
    for (const trial of layered) drawPoint(svg, box, trial);
    drawn = inside.sort((a, b) => a.figures[across].mean - b.figures[across].mean
      || a.figures[up].mean - b.figures[up].mean).map((trial) => trial.number);
    rove();
  };

  const drawAxes = (svg, box) => {
    const { width, height } = box;
    const bottom = height - MARGIN.bottom, right = width - MARGIN.right;
    for (const value of ticks(box.x, Math.max(Math.floor(width / 90), 3))) {
      const x = box.left(value);
      make(svg, "path", { class: "grid", d: `M${x} ${MARGIN.top}V${bottom}` });
      make(svg, "text", { class: "tick", x, y: bottom + 17, "text-anchor": "middle" }, short(value));
    }
    for (const value of ticks(box.y, 6)) {
      const y = box.top(value);
      make(svg, "path", { class: "grid", d: `M${MARGIN.left} ${y}H${right}` });
      make(svg, "text", { class: "tick", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, short(value));
    }
    make(svg, "path", { class: "edge", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}` });
    const titles = [figureOf(box.x.name).title, figureOf(box.y.name).title];
    make(svg, "text", { class: "axis", x: right, y: height - 6, "text-anchor": "end" }, `${titles[0]} →`);
    make(svg, "text", { class: "axis", x: MARGIN.left - 8, y: 14 }, `↑ ${titles[1]}`);
    for (const limit of data.limits) {
      const at = { x: share(box.x, limit.value), y: share(box.y, limit.value) };
      const here = [];
      if (limit.name === box.x.name && at.x > 0 && at.x < 1) here.push(`M${box.left(limit.value)} ${MARGIN.top}V${bottom}`);
      if (limit.name === box.y.name && at.y > 0 && at.y < 1) here.push(`M${MARGIN.left} ${box.top(limit.value)}H${right}`);
      for (const d of here) make(make(svg, "path", { class: "limit", d }), "title", {}, limit.text);
    }
  };

  const drawStairs = (svg, box, inside) => {
    const turn = (axis, trial) => trial.figures[axis.name].mean * (figureOf(axis.name).maximised ? -1 : 1);
    const ordered = inside.filter((trial) => trial.rank !== null)
      .sort((a, b) => turn(box.x, a) - turn(box.x, b) || turn(box.y, a) - turn(box.y, b));
    let path = "", least = Infinity;
    for (const trial of ordered) {
      const value = turn(box.y, trial);
      if (value >= least) continue;
      least = value;
      const x = box.left(trial.figures[box.x.name].mean), y = box.top(trial.figures[box.y.name].mean);
      path += path ? `H${x}V${y}` : `M${x} ${y}`;
    }
    if (path.includes("H")) make(svg, "path", { class: "stairs", d: path });
  };

  const drawIntervals = (svg, box, trial) => {
    const x = trial.figures[box.x.name], y = trial.figures[box.y.name];
    const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
    const along = (value) => clamp(box.left(value), MARGIN.left, box.width - MARGIN.right);
    const above = (value) => clamp(box.top(value), MARGIN.top, box.height - MARGIN.bottom);
    let d = "";
    if (x.low !== null) d += `M${along(x.low)} ${box.top(y.mean)}H${along(x.high)}`;
    if (y.low !== null) d += `M${box.left(x.mean)} ${above(y.low)}V${above(y.high)}`;
    if (d) make(svg, "path", { class: "interval", d });
  };

  const drawPoint = (svg, box, trial) => {
    const kind = kindOf(trial);
    const x = trial.figures[box.x.name], y = trial.figures[box.y.name];
    const said = `trial ${trial.number}, ${placeOf(trial)}: ${figureOf(box.y.name).title} ${y.text}, ` +
      `${figureOf(box.x.name).title} ${x.text}; ${trial.words}`;
    const group = make(svg, "g", { class: "trial", id: `point-${trial.number}`, role: "option", tabindex: -1,
      transform: `translate(${box.left(x.mean)} ${box.top(y.mean)})`, "aria-label": said });
    make(group, "circle", { class: "target", r: 11 });
    make(group, "circle", { class: "halo", r: 10 });
    if (kind === "over") make(group, "path", { class: "point over", d: "M-3.5 -3.5L3.5 3.5M-3.5 3.5L3.5 -3.5" });
    else if (kind === "doubted") make(group, "path", { class: "point doubted", d: "M0 -6L6 0L0 6L-6 0Z" });
    else make(group, "circle", { class: `point ${kind}`, r: kind === "front" ? 5.5 : 4 });
    if (trial.number === data.pick) make(group, "circle", { class: "picked", r: 10.5 });
    group.addEventListener("click", () => select(trial.number));
    group.addEventListener("pointerenter", () => showTip(group, trial));
    group.addEventListener("pointerleave", hideTip);
    group.addEventListener("focus", () => showTip(group, trial));
    group.addEventListener("blur", hideTip);
    group.addEventListener("keydown", (event) => onKey(event, trial.number));
  };

  // One point is reached by Tab, the others from it by arrow keys ---------------------------------------

  const pointOf = (number) => document.getElementById(`point-${number}`);
  const rove = () => {
    const entry = drawn.includes(selected) ? selected : drawn[0];
    for (const number of drawn) {
      pointOf(number).setAttribute("tabindex", number === entry ? 0 : -1);
      pointOf(number).setAttribute("aria-selected", number === selected);
    }
  };
  const onKey = (event, number) => {
    const place = drawn.indexOf(number), last = drawn.length - 1;
    const moves = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1,
      Home: 0, End: last };
    if (event.key === "Enter" || event.key === " ") select(number);
    else if (event.key === "Escape") hideTip();
    else if (event.key in moves) {
      const next = drawn[Math.min(Math.max(moves[event.key], 0), last)];
      pointOf(number).setAttribute("tabindex", -1);
      pointOf(next).setAttribute("tabindex", 0);
      pointOf(next).focus();
    } else return;
    event.preventDefault();
  };

  // A tip beside the point, which screen readers have from its label ------------------------------------

  const hideTip = () => plot.querySelector(".tip")?.remove();
  const showTip = (group, trial) => {
    hideTip();
    const tip = put(plot, "div", null, "tip");
    tip.setAttribute("aria-hidden", "true");
    put(tip, "strong", `Trial ${trial.number}: ${placeOf(trial)}`);
    put(tip, "span", trial.words);
    for (const { name, title } of data.figures) {
      if (trial.figures[name]) put(tip, "div", `${title} ${trial.figures[name].text}`);
    }
    put(tip, "span", `${trial.seeds.length} seed${trial.seeds.length > 1 ? "s" : ""}`);
    const at = group.querySelector(".target").getBoundingClientRect(), frame = plot.getBoundingClientRect();
    const x = at.left + at.width / 2 - frame.left, y = at.top - frame.top;
    const left = Math.min(Math.max(x - tip.offsetWidth / 2, 0), frame.width - tip.offsetWidth);
    const top = y - tip.offsetHeight - 6;
    tip.style.left = `${left}px`;
    tip.style.top = `${top + frame.top < 4 ? y + at.height + 6 : top}px`;
  };

  // The selected trial ----------------------------------------------------------------------------------

  const select = (number) => {
    rows.get(selected)?.classList.remove("chosen");
    selected = number;
    rows.get(number).classList.add("chosen");
    history.replaceState(null, "", `#trial-${number}`);
    showDetails(trials.get(number));
    rove();
  };

  const showDetails = (trial) => {
    details.replaceChildren();
    put(details, "h3", `Trial ${trial.number}`);
    const over = trial.broken.length ? `: breaks ${trial.broken.join(", ")}` : "";
    put(details, "p", placeOf(trial) + over);
    if (trial.rivals.length) {
      const some = trial.rivals.slice(0, 6).join(", ") + (trial.rivals.length > 6 ? " and others" : "");
      put(details, "p", `May be beaten by trial ${some}: where it is ahead, it may be by chance.`, "note");
    }
    const list = put(details, "dl");
    const entry = (name, text) => { put(list, "dt", name); put(list, "dd", text); };
    for (const { name, title } of data.figures) if (trial.figures[name]) entry(title, trial.figures[name].text);
    for (const [name, value] of Object.entries(trial.settings)) entry(name.replaceAll("_", " "), value);
    entry("seeds", `${trial.seeds.join(", ")}; ship ${trial.best}`);
    entry("run", trial.run);
    for (const [name, line] of Object.entries(trial.commands)) showCommand(name, line);
  };

  const showCommand = (name, line) => {
    const head = put(details, "div", null, "named");
    put(head, "span", name);
    const button = put(head, "button", "Copy");
    button.type = "button";
    button.setAttribute("aria-label", `Copy the command to ${name}`);
    const code = put(details, "pre", line, "command");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(line);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected: press Ctrl+C";
      }
    });
  };

  // The table -------------------------------------------------------------------------------------------

  const filterRows = (among) => {
    const kept = new Set(among.map((trial) => trial.number));
    for (const [number, row] of rows) row.hidden = !kept.has(number);
  };
  const keyOf = (trial, by) => {
    if (by.startsWith("figure:")) return trial.figures[by.slice(7)]?.mean ?? Infinity;
    if (by === "seeds") return trial.seeds.length;
    return trial[by] ?? Infinity;
  };
  const sortRows = (button) => {
    const by = button.dataset.sort, heading = button.closest("th");
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.children) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const compare = (a, b) => {
      const [one, other] = [keyOf(a, by), keyOf(b, by)];
      const order = typeof one === "string" ? one.localeCompare(other, "en", { numeric: true })
        : one < other ? -1 : one > other ? 1 : 0;
      return (descending ? -order : order) || a.number - b.number;
    };
    body.append(...[...data.trials].sort(compare).map((trial) => rows.get(trial.number)));
  };

  document.getElementById("choices").addEventListener("change", draw);
  document.getElementById("choices").addEventListener("submit", (event) => event.preventDefault());
  document.querySelector("#table thead").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-sort]");
    if (button) sortRows(button);
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-select]");
    if (!button) return;
    select(Number(button.dataset.select));
    details.scrollIntoView({ block: "nearest" });
  });
  let width = plot.clientWidth;
  new ResizeObserver(() => {
    if (plot.clientWidth !== width) { width = plot.clientWidth; draw(); }
  }).observe(plot);
  const asked = Number(/^#trial-(\d+)$/.exec(location.hash)?.[1] ?? NaN);
  draw();
  select(trials.has(asked) ? asked : selected);
})();
