// Lines and areas over time. One cursor goes through all charts; arrow keys move it, too.

import {clock, count, duration, el, percent, rate, say, svg} from './format.js';

const WIDTH = 600; // of the drawing, which is stretched to its place
const HEIGHT = 100;
const GAP = 3500; // milliseconds without a sample: the line breaks

const tokens = value => `${rate(value)} tok/s`;
const plain = value => String(Number(value.toPrecision(3)));
const perSecond = value => `${rate(value)} /s`;

const CHARTS = [
  {title: 'Output', format: tokens, mark: plain, least: 10, series: [{key: 'tokens', label: 'tokens', tone: 'a', area: true}]},
  {title: 'Time to first token', format: duration, series: [
    {key: 'ttftP50', label: 'p50', tone: 'a'}, {key: 'ttftP99', label: 'p99', tone: 'b'}]},
  {title: 'Inter-token latency', format: duration, series: [
    {key: 'itlP50', label: 'p50', tone: 'a'}, {key: 'itlP99', label: 'p99', tone: 'b'}]},
  {title: 'Requests at work', format: count, mark: plain, least: 2, series: [
    {key: 'running', label: 'running', tone: 'a', area: true},
    {key: 'waiting', label: 'waiting', tone: 'c'},
    {key: 'queued', label: 'held back', tone: 'b'}]},
  {title: 'KV cache', format: percent, most: 1, series: [
    {key: 'kvOwned', label: 'in use', tone: 'a', area: true},
    {key: 'kvCached', label: 'reusable', tone: 'c', above: 'kvOwned', area: true},
    {key: 'prefixHits', label: 'prefix hits', tone: 'b'}]},
  {title: 'Requests ended', format: perSecond, mark: plain, least: 1, series: [
    {key: 'requests', label: 'all', tone: 'a', area: true},
    {key: 'failures', label: 'failed', tone: 'bad'}]},
];

/** The next larger of 1, 2, 5, 10, 20, 50 … */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value * 0.999);
}

class Chart {
  constructor(spec, move) {
    this.spec = spec;
    this.now = el('strong');
    this.values = new Map();
    const legend = el('ul');
    spec.series.forEach((series, i) => {
      const value = el('b');
      this.values.set(series.key, value);
      if (i > 0 || spec.series.length > 1) {
        legend.append(el('li', {}, el('i', {class: `stroke ${series.tone}`}), `${series.label} `, value));
      }
    });
    this.paths = spec.series.map(series => ({
      series,
      fill: svg('path', {class: `fill ${series.tone}`}),
      line: svg('path', {class: `line ${series.tone}`}),
    }));
    this.drawing = svg('svg', {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true',
    }, svg('path', {class: 'grid', d: `M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`}),
    ...this.paths.map(p => p.fill), ...this.paths.toReversed().map(p => p.line));
    this.top = el('span');
    this.middle = el('span');
    this.bottom = el('span');
    this.cursor = el('i', {class: 'cursor', hidden: true});
    this.plot = el('div', {class: 'plot', tabindex: '0', role: 'img'},
        this.drawing, this.cursor);
    this.from = el('span');
    this.to = el('span');
    this.element = el('article', {class: 'card chart'},
        el('h3', {text: spec.title}), this.now, legend,
        el('div', {class: 'y', 'aria-hidden': 'true'}, this.top, this.middle, this.bottom), this.plot,
        el('div', {class: 'x', 'aria-hidden': 'true'}, this.from, this.to));
    this.plot.addEventListener('pointermove', event => {
      const box = this.plot.getBoundingClientRect();
      move.to((event.clientX - box.left) / box.width);
    });
    this.plot.addEventListener('pointerleave', () => move.away());
    this.plot.addEventListener('blur', () => move.away());
    this.plot.addEventListener('keydown', event => {
      if (event.key === 'ArrowLeft') move.by(-1);
      else if (event.key === 'ArrowRight') move.by(1);
      else if (event.key === 'Escape') move.away();
      else return;
      event.preventDefault();
    });
  }

  /** `view`: columns, first index, milliseconds at the left, their number, index of the cursor. */
  draw(view) {
    const {columns, first, start, range, at} = view;
    const {spec} = this;
    const x = i => ((columns.at[i] - start) / range) * WIDTH;
    const base = (series, i) => series.above ? columns[series.above][i] : 0;
    const value = (series, i) => {
      const v = columns[series.key][i];
      return v === null ? null : v + base(series, i);
    };
    let highest = 0;
    for (const series of spec.series) {
      for (let i = first; i < columns.at.length; i++) highest = Math.max(highest, value(series, i) ?? 0);
    }
    const top = spec.most ?? roundUp(Math.max(highest * 1.05, spec.least ?? 1e-9));
    for (const {series, line, fill} of this.paths) {
      const point = (i, v) => `${x(i).toFixed(1)} ${(HEIGHT * (1 - Math.min(v, top) / top)).toFixed(2)}`;
      let d = '', areas = '', last = -1, from = 0;
      const close = () => { // back along what it stands on
        if (last >= 0 && series.area) {
          for (let i = last; i >= from; i--) areas += `L${point(i, base(series, i))}`;
          areas += 'Z';
        }
        last = -1;
      };
      for (let i = first; i < columns.at.length; i++) {
        const v = value(series, i);
        if (v === null || (last >= 0 && columns.at[i] - columns.at[last] > GAP)) close();
        if (v === null) continue;
        if (last < 0) from = i;
        // A point that stands alone is a short line.
        d += last < 0 ? `M${point(i, v)}h0.01` : `L${point(i, v)}`;
        if (series.area) areas += `${last < 0 ? 'M' : 'L'}${point(i, v)}`;
        last = i;
      }
      close();
      line.setAttribute('d', d);
      fill.setAttribute('d', areas);
    }
    const shown = at ?? columns.at.length - 1;
    for (const series of spec.series) {
      say(this.values.get(series.key), spec.format(columns[series.key][shown]));
    }
    say(this.now, spec.format(columns[spec.series[0].key][shown]));
    const any = highest > 0 || spec.most !== undefined || spec.least !== undefined;
    const mark = spec.mark ?? spec.format;
    say(this.top, any ? mark(top) : '');
    say(this.middle, any ? mark(top / 2) : '');
    say(this.bottom, any ? '0' : '');
    say(this.from, `−${range / 60000} min`);
    say(this.to, at === null ? 'now' : clock(columns.at[at]));
    this.cursor.hidden = at === null;
    if (at !== null) this.cursor.style.left = `${(x(at) / WIDTH) * 100}%`;
    this.plot.setAttribute('aria-label', `${spec.title}: ${spec.series
        .map(s => `${s.label} ${spec.format(columns[s.key][shown])}`).join(', ')}${
      at === null ? '' : ` at ${clock(columns.at[at])}`}`);
  }
}

/** All charts over one history. */
export class Charts {
  constructor(place, ranges) {
    this.columns = null;
    this.range = 120000;
    this.at = null; // index of the cursor
    const move = {
      to: share => this.moveTo(share),
      by: step => this.moveBy(step),
      away: () => this.show(null),
    };
    this.charts = CHARTS.map(spec => new Chart(spec, move));
    place.append(...this.charts.map(chart => chart.element));
    this.ranges = ranges;
  }

  /** Columns of equal length, by name. */
  reset(columns, capacity) {
    this.columns = columns;
    this.capacity = capacity;
    this.at = null;
    this.draw();
  }

  add(sample) {
    const {columns} = this;
    const full = columns.at.length >= this.capacity; // the oldest goes
    for (const [name, column] of Object.entries(columns)) {
      column.push(sample[name]);
      if (full) column.shift();
    }
    if (full && this.at !== null) this.at = Math.max(0, this.at - 1);
    this.draw();
  }

  /** Buttons for how far back the charts go. */
  offer(minutes) {
    if (!minutes.includes(this.range / 60000)) this.range = minutes[0] * 60000;
    this.ranges.replaceChildren(...minutes.map(n => {
      const button = el('button', {type: 'button', text: `${n} min`, 'aria-pressed': String(n * 60000 === this.range)});
      button.addEventListener('click', () => {
        this.range = n * 60000;
        for (const other of this.ranges.children) other.setAttribute('aria-pressed', String(other === button));
        this.show(null);
      });
      return button;
    }));
  }

  view() {
    const at = this.columns.at;
    const start = at[at.length - 1] - this.range;
    let first = at.length - 1;
    while (first > 0 && at[first - 1] >= start) first--;
    return {columns: this.columns, first, start, range: this.range, at: this.at};
  }

  moveTo(share) {
    if (!this.columns) return;
    const {columns, first, start, range} = this.view();
    const time = start + share * range;
    let nearest = columns.at.length - 1;
    while (nearest > first && columns.at[nearest - 1] >= time) nearest--;
    this.show(nearest);
  }

  moveBy(step) {
    if (!this.columns) return;
    const last = this.columns.at.length - 1;
    this.show(Math.min(last, Math.max(this.view().first, (this.at ?? last) + step)));
  }

  show(at) {
    if (this.at === at && at !== null) return;
    this.at = at;
    this.draw();
  }

  draw() {
    if (!this.columns || this.columns.at.length === 0) return;
    const view = this.view();
    for (const chart of this.charts) chart.draw(view);
  }
}
