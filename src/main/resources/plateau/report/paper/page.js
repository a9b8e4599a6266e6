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

  // Surfaces: coloured by rank among the heights, from dark to light, as in the files.
  const scale = [0x440154, 0x3b528b, 0x21918c, 0x5ec962, 0xfde725];
  const mixed = part => {
    const at = Math.min(1, Math.max(0, part)) * (scale.length - 1);
    const first = Math.min(scale.length - 2, Math.floor(at));
    return "rgb(" + [16, 8, 0].map(shift => Math.round((scale[first] >> shift & 255) + (at - first) * ((scale[first + 1] >> shift & 255) - (scale[first] >> shift & 255)))).join(",") + ")";
  };

  function drawSurface(place, panel) {
    const { columns, heights, name } = panel.surface;
    const rows = heights.length / columns;
    const sorted = Float64Array.from(heights).sort();
    const low = sorted[0];
    const range = sorted.at(-1) - low || 1;
    const rank = value => {
      let from = 0;
      let to = sorted.length - 1;
      while (from < to) {
        const middle = from + to >> 1;
        if (sorted[middle] < value) from = middle + 1; else to = middle;
      }
      return from / (sorted.length - 1);
    };
    const at = (row, column) => heights[row * columns + column];
    const span = (axis, part) => axis.lowest + part * (axis.highest - axis.lowest);
    const both = element(place, "div", "surface");
    const space = element(element(both, "div"), "canvas", "turn");
    const map = element(element(both, "div"), "canvas");
    space.setAttribute("role", "img");
    space.setAttribute("aria-label", `${panel.title}: ${name} from ${number(low)} to ${number(sorted.at(-1))} over ${panel.x.name} and ${panel.y.name}`);
    space.tabIndex = 0;
    const tip = element(map.parentNode, "div", "tip");
    tip.hidden = true;
    let azimuth = -55 * Math.PI / 180;
    let elevation = 35 * Math.PI / 180;

    const context = (canvas, wide, high) => {
      const ratio = devicePixelRatio || 1;
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
      canvas.style.height = high + "px";
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      return pen;
    };

    function paintSpace() {
      const wide = space.parentNode.clientWidth;
      const high = Math.round(wide * 0.8);
      const pen = context(space, wide, high);
      const size = wide / 1.45;
      const step = Math.max(1, Math.floor((columns - 1) / 40));
      const seen = (row, column) => {
        const x = column / (columns - 1) - 0.5;
        const y = row / (rows - 1) - 0.5;
        const z = 0.55 * ((at(row, column) - low) / range - 0.5);
        const away = x * Math.sin(azimuth) + y * Math.cos(azimuth);
        return [wide / 2 + size * (x * Math.cos(azimuth) - y * Math.sin(azimuth)), high / 2 - size * (z * Math.cos(elevation) + away * Math.sin(elevation)), away * Math.cos(elevation) - z * Math.sin(elevation)];
      };
      const patches = [];
      for (let row = 0; row < rows - 1; row += step) {
        for (let column = 0; column < columns - 1; column += step) {
          const down = Math.min(rows - 1, row + step);
          const right = Math.min(columns - 1, column + step);
          const corners = [seen(row, column), seen(row, right), seen(down, right), seen(down, column)];
          const value = (at(row, column) + at(row, right) + at(down, right) + at(down, column)) / 4;
          patches.push({ corners, value, depth: corners.reduce((sum, corner) => sum + corner[2], 0) });
        }
      }
      patches.sort((a, b) => b.depth - a.depth);
      pen.lineWidth = 0.5;
      for (const { corners, value } of patches) {
        pen.beginPath();
        corners.forEach((corner, i) => (i ? pen.lineTo(corner[0], corner[1]) : pen.moveTo(corner[0], corner[1])));
        pen.closePath();
        pen.fillStyle = pen.strokeStyle = mixed(rank(value));
        pen.fill();
        pen.stroke();
        pen.strokeStyle = "#0003";
        pen.stroke();
      }
      pen.fillStyle = ink();
      pen.font = "12px system-ui, sans-serif";
      pen.fillText(`${name}: ${number(low)} … ${number(sorted.at(-1))}`, 4, high - 6);
    }

    const margin = 26;
    function paintMap() {
      const wide = map.parentNode.clientWidth;
      const pen = context(map, wide, wide);
      const size = wide - 2 * margin;
      const place2 = (row, column) => [margin + size * column / (columns - 1), margin + size * (1 - row / (rows - 1))];
      pen.lineWidth = 1.4;
      for (let level = 1; level <= 9; level++) {
        const value = sorted[Math.floor(level * (sorted.length - 1) / 10)];
        pen.strokeStyle = mixed(rank(value));
        pen.beginPath();
        for (let row = 0; row < rows - 1; row++) {
          for (let column = 0; column < columns - 1; column++) {
            const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
            let open = null;
            corners.forEach(([r, c], side) => {
              const [nextRow, nextColumn] = corners[(side + 1) % 4];
              const a = at(r, c) - value;
              const b = at(nextRow, nextColumn) - value;
              if (a < 0 === b < 0) return;
              const part = a / (a - b);
              const here = place2(r + part * (nextRow - r), c + part * (nextColumn - c));
              if (open) {
                pen.moveTo(...open);
                pen.lineTo(...here);
                open = null;
              } else {
                open = here;
              }
            });
          }
        }
        pen.stroke();
      }
      pen.strokeStyle = grid();
      pen.lineWidth = 1;
      pen.strokeRect(margin, margin, size, size);
      pen.fillStyle = ink();
      pen.font = "12px system-ui, sans-serif";
      pen.fillText(number(panel.x.lowest), margin, wide - 8);
      pen.fillText(panel.x.name, margin + size / 2, wide - 8);
      pen.textAlign = "right";
      pen.fillText(number(panel.x.highest), margin + size, wide - 8);
      pen.fillText(number(panel.y.highest), margin - 4, margin + 10);
      pen.fillText(panel.y.name, margin - 4, margin + size / 2);
      pen.fillText(number(panel.y.lowest), margin - 4, margin + size);
    }

    map.addEventListener("pointermove", event => {
      const size = map.clientWidth - 2 * margin;
      const across = (event.offsetX - margin) / size;
      const up = 1 - (event.offsetY - margin) / size;
      tip.hidden = across < 0 || across > 1 || up < 0 || up > 1;
      if (tip.hidden) return;
      const value = at(Math.round(up * (rows - 1)), Math.round(across * (columns - 1)));
      tip.textContent = `${panel.x.name} ${number(span(panel.x, across))}, ${panel.y.name} ${number(span(panel.y, up))}: ${name} = ${number(value)}`;
      tip.style.left = Math.max(0, Math.min(event.offsetX + 12, map.clientWidth - tip.offsetWidth)) + "px";
      tip.style.top = Math.max(0, event.offsetY - 34) + "px";
    });
    map.addEventListener("pointerleave", () => { tip.hidden = true; });
    const turn = (by, tilt) => {
      azimuth += by;
      elevation = Math.min(Math.PI / 2, Math.max(0.05, elevation + tilt));
      requestAnimationFrame(paintSpace);
    };
    space.addEventListener("pointerdown", event => space.setPointerCapture(event.pointerId));
    space.addEventListener("pointermove", event => {
      if (event.buttons & 1) turn(event.movementX / 120, event.movementY / 120);
    });
    space.addEventListener("keydown", event => {
      const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
      if (!by) return;
      event.preventDefault();
      turn(...by);
    });
    const paint = () => {
      paintSpace();
      paintMap();
    };
    new ResizeObserver(() => requestAnimationFrame(paint)).observe(both);
    charts.push({ redraw: paint });
    paint();
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
      const box = element(panels, "div", panel.curves.length || panel.surface ? "panel" : "panel empty");
      if (!panel.curves.length && !panel.surface) continue;
      element(box, "h3", "", panel.title);
      if (panel.surface) drawSurface(box, panel);
      else drawn.push(draw(box, panel, hidden));
    }
  }

  const redraw = () => charts.forEach(chart => chart.redraw(true, true));
  preferred.addEventListener("change", redraw);
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    redraw();
  });
})();
