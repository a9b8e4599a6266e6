"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const charts = [];

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preferred.matches);
  const ink = () => (isDark() ? "#aeb3bb" : "#4a5058");
  const grid = () => (isDark() ? "#2b2f35" : "#e6e8ea");

  // On a dark ground every colour is mixed with white, dark ones and black most of all.
  const brightness = rgb => 0.21 * (rgb >> 16) + 0.72 * (rgb >> 8 & 255) + 0.07 * (rgb & 255);
  const hex = (rgb, white) => "#" + [16, 8, 0].map(shift => Math.round((rgb >> shift & 255) + (255 - (rgb >> shift & 255)) * white).toString(16).padStart(2, "0")).join("");
  const light = curve => hex(curve.rgb, 0);
  const dark = curve => hex(curve.rgb, curve.rgb === 0 ? 0.85 : brightness(curve.rgb) < 60 ? 0.55 : 0.35);
  const colour = curve => (isDark() ? dark(curve) : light(curve));

  const element = (parent, tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return parent.appendChild(made);
  };

  const number = value => (value === 0 ? "0" : Math.abs(value) >= 1e-3 && Math.abs(value) < 1e7 ? value.toLocaleString("en", { maximumSignificantDigits: 5 }) : value.toExponential(2));
  const power = value => "10" + String(Math.round(Math.log10(value))).replace(/./g, digit => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]);

  /** A curve's stretches: it breaks where a value is missing and where it goes back to the left. */
  function stretches(curve, axis) {
    const found = [];
    let open = null;
    curve.x.forEach((x, i) => {
      const y = curve.y[i];
      if (y === null || axis.logarithmic && y <= 0) {
        open = null;
        return;
      }
      if (open === null || x < open[0].at(-1)) {
        open = curve.low.length ? [[], [], [], []] : [[], []];
        found.push(open);
      }
      [x, y, curve.low[i], curve.high[i]].slice(0, open.length).forEach((value, column) => open[column].push(column > 1 && axis.logarithmic && value <= 0 ? y : value));
    });
    return found;
  }

  /** One panel's chart; hidden holds the names of the curves that are not to be seen. */
  function draw(place, panel, hidden) {
    const tables = [];
    const series = [{}];
    const bands = [];
    const owners = [null];
    for (const curve of panel.curves) {
      for (const table of stretches(curve, panel.y)) {
        tables.push(table);
        owners.push(curve);
        series.push({ label: curve.name, stroke: () => colour(curve), width: 1.8, dash: curve.dashed ? [7, 5] : undefined, points: { show: table[0].length === 1 }, spanGaps: true, show: !hidden.has(curve.name) });
        if (table.length === 4) {
          const first = series.length;
          for (let edge = 0; edge < 2; edge++) {
            owners.push(null);
            series.push({ label: curve.name, stroke: "transparent", width: 0, points: { show: false }, spanGaps: true, show: !hidden.has(curve.name) });
          }
          bands.push({ series: [first + 1, first], fill: () => colour(curve) + "30" });
        }
      }
    }
    const data = uPlot.join(tables);
    const xs = data[0];
    const ends = [panel.x.lowest ?? xs[0], panel.x.highest ?? xs.at(-1)];
    const axis = (name, logarithmic, more) => {
      const marks = logarithmic ? { filter: decades } : {};
      return { label: name, stroke: ink, font: "12px system-ui, sans-serif", labelFont: "13px system-ui, sans-serif", labelSize: 22, grid: { stroke: grid, width: 1, ...marks }, ticks: { stroke: grid, width: 1, size: 5, ...marks }, ...marks, ...more };
    };
    const margin = (low, high) => (high - low || Math.abs(high) || 1) * 0.05;
    const tip = element(place, "div", "tip");
    tip.hidden = true;
    const nearest = (u, s, index) => {
      const ys = u.data[s];
      for (let reach = 0; reach < ys.length; reach++) {
        if (ys[index - reach] != null) return index - reach;
        if (ys[index + reach] != null) return index + reach;
      }
      return index;
    };
    const chart = new uPlot({
      width: place.clientWidth,
      height: height(place),
      series,
      bands,
      legend: { show: false },
      cursor: { y: false, points: { size: 7, fill: (u, s) => owners[s] ? colour(owners[s]) : "transparent", stroke: () => "transparent" }, dataIdx: (u, s, index) => nearest(u, s, index) },
      scales: {
        x: { time: false, range: (u, low, high) => [low <= xs[0] ? ends[0] : low, high >= xs.at(-1) ? ends[1] : high] },
        y: panel.y.logarithmic
          ? { distr: 3 }
          : { range: (u, low, high) => [panel.y.lowest ?? (low ?? 0) - margin(low ?? 0, high ?? 1), panel.y.highest ?? (high ?? 1) + margin(low ?? 0, high ?? 1)] },
      },
      axes: [
        axis(panel.x.name, false, { size: 34, values: (u, splits) => splits.map(number) }),
        axis(panel.y.name, panel.y.logarithmic, { size: 52, values: (u, splits) => splits.map(value => value === null ? null : panel.y.logarithmic ? power(value) : number(value)) }),
      ],
      hooks: {
        setCursor: [u => {
          const { left, top, idx } = u.cursor;
          tip.hidden = idx == null || left < 0;
          if (tip.hidden) return;
          tip.replaceChildren();
          element(tip, "div", "", `${panel.x.name}: ${number(u.data[0][idx])}`);
          owners.forEach((curve, s) => {
            const value = curve && u.series[s].show ? u.data[s][nearest(u, s, idx)] : null;
            if (value == null) return;
            const row = element(tip, "div");
            element(row, "i").style.background = colour(curve);
            const spread = curve.low.length ? ` (${number(u.data[s + 1][nearest(u, s, idx)])} – ${number(u.data[s + 2][nearest(u, s, idx)])})` : "";
            row.append(`${curve.name}: ${number(value)}${spread}`);
          });
          const x = u.over.offsetLeft + left;
          const right = x + 14 + tip.offsetWidth > place.clientWidth;
          tip.style.left = Math.max(0, right ? x - 14 - tip.offsetWidth : x + 14) + "px";
          tip.style.top = Math.max(0, u.root.offsetTop + u.over.offsetTop + top - tip.offsetHeight - 8) + "px";
        }],
      },
    }, data, place);
    chart.over.addEventListener("mouseleave", () => { tip.hidden = true; });
    // In a frame of its own, since it changes the size that is observed.
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (place.clientWidth !== chart.width) chart.setSize({ width: place.clientWidth, height: height(place) });
    })).observe(place);
    charts.push(chart);
    return { chart, owners };
  }

  const height = place => Math.round(Math.min(420, Math.max(190, place.clientWidth * 0.62)));

  /** Of a logarithmic axis only whole powers of ten, and not too many of them. */
  function decades(u, splits) {
    const powers = splits.filter(value => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9);
    const every = Math.ceil(powers.length / (u.height / 32));
    return splits.map(value => powers.includes(value) && Math.round(Math.log10(value)) % every === 0 ? value : null);
  }

  for (const place of document.querySelectorAll("[data-figure]")) {
    const figure = figures[place.dataset.figure];
    const hidden = new Set();
    const drawn = [];
    const names = new Map(figure.panels.flatMap(panel => panel.curves).map(curve => [curve.name, curve]));
    const legend = element(place, "div", "legend");
    for (const [name, curve] of names) {
      const button = element(legend, "button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      const swatch = element(button, "i", curve.dashed ? "dashed" : "");
      swatch.style.setProperty("--light", light(curve));
      swatch.style.setProperty("--dark", dark(curve));
      button.append(name);
      button.addEventListener("click", () => {
        if (!hidden.delete(name)) hidden.add(name);
        button.setAttribute("aria-pressed", String(!hidden.has(name)));
        drawn.forEach(({ chart }) => chart.series.forEach((one, s) => {
          if (s > 0 && one.label === name) chart.setSeries(s, { show: !hidden.has(name) });
        }));
      });
    }
    const panels = element(place, "div", "panels");
    panels.style.setProperty("--columns", figure.columns);
    for (const panel of figure.panels) {
      const box = element(panels, "div", panel.curves.length ? "panel" : "panel empty");
      if (!panel.curves.length) continue;
      element(box, "h3", "", panel.title);
      drawn.push(draw(box, panel, hidden));
    }
  }

  const redraw = () => charts.forEach(chart => chart.redraw(true, true));
  preferred.addEventListener("change", redraw);
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    redraw();
  });
})();
