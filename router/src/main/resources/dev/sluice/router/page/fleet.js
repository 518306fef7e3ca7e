// The table of workers. Rows stay the same elements, so that nothing jumps.

import {count, duration, el, percent, rate, say} from './format.js';

const ORDER = ['suspect', 'joining', 'draining', 'ready', 'gone'];

class Row {
  constructor() {
    this.name = el('b');
    this.model = el('span', {class: 'soft'});
    this.state = el('span', {class: 'state'});
    this.reason = el('span', {class: 'soft reason'});
    this.cells = {};
    const number = (key, label) =>
      this.cells[key] = el('td', {class: 'n', 'data-label': label});
    this.owned = el('i', {class: 'owned'});
    this.cached = el('i', {class: 'cached'});
    this.bar = el('span', {class: 'meter', 'aria-hidden': 'true'}, this.owned, this.cached);
    this.kv = el('span', {class: 'n'});
    this.element = el('tr', {},
        el('th', {scope: 'row'}, this.name, this.model),
        el('td', {class: 'states'}, this.state, this.reason),
        number('running', 'Running'), number('waiting', 'Waiting'),
        el('td', {class: 'kv', 'data-label': 'KV cache'}, this.bar, this.kv),
        number('hits', 'Prefix hits'), number('tokens', 'Output'), number('step', 'Step'));
  }

  show(worker) {
    const {load} = worker;
    this.element.dataset.state = worker.state;
    say(this.name, worker.name);
    say(this.model, worker.model ? `${worker.model} · ${worker.address}` : worker.address);
    say(this.state, worker.state);
    this.state.dataset.state = worker.state;
    say(this.reason, worker.reason || (worker.breakerOpen ? 'breaker open' : ''));
    say(this.cells.running, load ? count(load.running) : '–');
    say(this.cells.waiting, load ? count(load.waiting) : '–');
    const total = load?.kvTotal || 0;
    const owned = total ? load.kvOwned / total : 0;
    const cached = total ? load.kvCached / total : 0;
    this.owned.style.width = `${owned * 100}%`;
    this.cached.style.width = `${cached * 100}%`;
    say(this.kv, total ? percent(owned) : '–');
    this.bar.title = total
      ? `${count(load.kvOwned)} of ${count(total)} blocks in use, ${count(load.kvCached)} more reusable`
      : '';
    say(this.cells.hits, percent(worker.prefixHits));
    say(this.cells.tokens, load ? `${rate(worker.tokens)} tok/s` : '–');
    say(this.cells.step, load && load.step ? duration(load.step) : '–');
  }
}

export class Fleet {
  constructor(body, note, health) {
    this.body = body;
    this.note = note;
    this.health = health;
    this.rows = new Map();
  }

  show(workers, leftOut) {
    const sorted = [...workers].sort((a, b) =>
      ORDER.indexOf(a.state) - ORDER.indexOf(b.state)
      || a.name.localeCompare(b.name, 'en', {numeric: true}));
    const seen = new Set();
    sorted.forEach((worker, i) => {
      seen.add(worker.address);
      let row = this.rows.get(worker.address);
      if (!row) {
        row = new Row();
        this.rows.set(worker.address, row);
      }
      row.show(worker);
      if (this.body.children[i] !== row.element) this.body.insertBefore(row.element, this.body.children[i] ?? null);
    });
    for (const [address, row] of this.rows) {
      if (!seen.has(address)) {
        row.element.remove();
        this.rows.delete(address);
      }
    }
    this.note.hidden = leftOut === 0 && workers.length > 0;
    say(this.note, workers.length === 0 ? 'This router knows no worker.' : `and ${count(leftOut)} more`);
    const ready = workers.filter(worker => worker.state === 'ready').length;
    const all = workers.length + leftOut;
    say(this.health, leftOut > 0 ? `${count(all)} workers` : `${ready} of ${all} ${all === 1 ? 'worker' : 'workers'} ready`);
    this.health.dataset.state = ready === all && all > 0 ? 'good' : ready > 0 ? 'warn' : 'bad';
  }
}
