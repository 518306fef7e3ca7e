// The requests that ended last, each as a bar of where its time went; opened, with the numbers.

import {clock, count, duration, el, say} from './format.js';

const KEPT = 200;
const SHOWN = 60;
const LEAST = 0.25; // percent of the width: what took no time is seen, too
const LEAST_LOST = 0.9;

/** What a request did, in order: [phase, from, to, words]. */
function phases(request) {
  const phases = [];
  const {attempts} = request;
  if (request.wait > 0) {
    phases.push(['wait', 0, request.wait,
      request.queued ? 'admission: held back until a worker had room' : 'admission']);
  }
  attempts.forEach((attempt, i) => {
    const before = attempts[i - 1];
    if (before && attempt.start > before.end) {
      phases.push(['lost', before.end, attempt.start, 'without a worker']);
    }
    const at = ` at ${attempt.worker}`;
    if (attempt.first === null) {
      const failed = attempt.outcome !== 'answered' && attempt.outcome !== 'cancelled';
      phases.push([failed ? 'lost' : 'prefill', attempt.start, attempt.end,
        failed ? `${attempt.outcome}${at}` : `queue and prefill${at}`]);
      return;
    }
    const again = i > 0 && attempts.slice(0, i).some(a => a.first !== null);
    const queued = Math.min(attempt.start + (attempt.queue ?? 0), attempt.first);
    if (queued > attempt.start) phases.push(['queue', attempt.start, queued, `queue${at}`]);
    phases.push(['prefill', queued, attempt.first, `${again ? 'resume: prefill' : 'prefill'}${at}`]);
    phases.push(['decode', attempt.first, attempt.end,
      `decode${at}${attempt.outcome === 'answered' ? '' : `, ${attempt.outcome}`}`]);
  });
  return phases;
}

function outcome(request) {
  const told = request.status === 'OK' ? request.finish || 'ok' : request.reason || request.status;
  return told.toLowerCase().replaceAll('_', ' ');
}

const failed = request => request.status !== 'OK' && request.status !== 'CANCELLED';
const moved = request => request.attempts.length > 1;

const FILTERS = {all: () => true, failed, moved};

class Line {
  constructor(request, own) {
    this.request = request;
    this.phases = phases(request);
    this.bar = el('span', {class: 'bar', role: 'img'});
    this.segments = this.phases.map(([phase, , , words]) => {
      const segment = el('i', {class: phase, title: words});
      this.bar.append(segment);
      return segment;
    });
    this.bar.setAttribute('aria-label', this.phases
        .map(([, from, to, words]) => `${words} ${duration(to - from)}`).join(', '));
    const told = el('span', {class: 'told', 'data-state': request.status === 'OK' ? 'ok'
      : failed(request) ? 'bad' : 'gone', text: outcome(request)});
    const marks = el('span', {class: 'marks'});
    if (own) marks.append(el('em', {text: 'yours'}));
    if (moved(request)) marks.append(el('em', {class: 'moved', text: `${request.attempts.length} workers`}));
    const amounts = request.outputTokens
      ? `${count(request.promptTokens)} → ${count(request.outputTokens)}`
      : `${count(request.promptTokens)} →`;
    this.summary = el('summary', {},
        el('time', {text: clock(request.at + request.end / 1000), title: 'when it ended'}), told, marks,
        el('span', {class: 'amounts n', text: amounts, title: 'tokens of the prompt → of the answer'}),
        this.bar,
        el('span', {class: 'n total', text: duration(request.end)}));
    this.details = el('details', {}, this.summary);
    this.details.addEventListener('toggle', () => {
      if (this.details.open && this.details.children.length === 1) this.details.append(this.explain());
    });
    this.element = el('li', {}, this.details);
  }

  /** `whole`: microseconds of the widest bar. */
  scale(whole) {
    this.phases.forEach(([phase, from, to], i) => {
      const least = phase === 'lost' ? LEAST_LOST : LEAST;
      this.segments[i].style.left = `${(from / whole) * 100}%`;
      this.segments[i].style.width = `${Math.max(least, ((to - from) / whole) * 100)}%`;
    });
  }

  explain() {
    const {request} = this;
    const facts = el('dl');
    const fact = (name, value) => value && facts.append(el('div', {}, el('dt', {text: name}), el('dd', {text: value})));
    fact('Request', request.id);
    fact('Arrived', clock(request.at));
    fact('Model', request.model);
    fact('Tenant', request.tenant);
    fact('Status', request.status + (request.reason ? `, ${request.reason}` : ''));
    fact('Prompt', `${count(request.promptTokens)} tokens${request.cachedTokens ? `, ${count(request.cachedTokens)} cached` : ''}`);
    fact('Output', request.outputTokens ? `${count(request.outputTokens)} tokens` : '');
    fact('First token', request.ttft === null ? '' : duration(request.ttft));
    fact('Inter-token', request.itlMean === null ? '' : `${duration(request.itlMean)} mean, ${duration(request.itlMax)} longest`);
    fact('Tokenizing', request.prepare ? duration(request.prepare) : '');
    fact('Routing', request.route ? `${duration(request.route)}, ${count(request.candidates)} ${request.candidates === 1 ? 'candidate' : 'candidates'}` : '');
    fact('Interrupted', request.interrupted ? duration(request.interrupted) : '');
    fact('Trace', request.trace);
    const steps = el('table', {}, el('tbody', {}, ...this.phases.map(([phase, from, to, words]) =>
      el('tr', {},
          el('td', {}, el('i', {class: `swatch ${phase}`}), words),
          el('td', {class: 'n', text: duration(to - from)}),
          el('td', {class: 'n soft', text: `from ${duration(from)}`})))));
    return el('div', {class: 'explained'}, steps, facts);
  }
}

export class Requests {
  constructor(list, none, scale, filter, pause) {
    this.list = list;
    this.none = none;
    this.scaleLine = scale;
    this.filter = filter;
    this.kept = []; // newest first
    this.lines = new Map(); // by number
    this.own = new Set(); // ids
    this.paused = false;
    filter.addEventListener('change', () => this.draw());
    pause.addEventListener('click', () => {
      this.paused = !this.paused;
      pause.setAttribute('aria-pressed', String(this.paused));
      say(pause, this.paused ? 'Go on' : 'Pause');
      if (!this.paused) this.draw();
    });
  }

  reset(requests) {
    this.kept = [];
    this.lines.clear();
    this.add(requests);
  }

  add(requests) {
    if (requests.length > 0) {
      this.kept = [...requests.toReversed(), ...this.kept].slice(0, KEPT);
    }
    if (!this.paused) this.draw();
  }

  draw() {
    const shown = this.kept.filter(FILTERS[this.filter.value]).slice(0, SHOWN);
    const lines = shown.map(request => {
      let line = this.lines.get(request.number);
      if (!line) {
        line = new Line(request, this.own.has(request.id));
        this.lines.set(request.number, line);
      }
      return line;
    });
    const whole = Math.max(1, ...shown.map(request => request.end));
    for (const line of lines) line.scale(whole);
    lines.forEach((line, i) => {
      if (this.list.children[i] !== line.element) {
        this.list.insertBefore(line.element, this.list.children[i] ?? null);
      }
    });
    while (this.list.children.length > lines.length) this.list.lastChild.remove();
    const known = new Set(this.kept.map(request => request.number));
    for (const number of this.lines.keys()) if (!known.has(number)) this.lines.delete(number);
    this.none.hidden = lines.length > 0;
    this.scaleLine.hidden = lines.length === 0;
    say(this.none, this.kept.length === 0 ? 'No request has ended yet.' : 'None of the recent ones.');
    this.scaleLine.replaceChildren(...[0, 0.5, 1].map(share =>
      el('span', {text: share === 0 ? '0' : duration(whole * share)})));
  }
}
