// What the router tells, once a second, goes to the parts of the page.

import {Charts} from './charts.js';
import {follow} from './feed.js';
import {Fleet} from './fleet.js';
import {age, say} from './format.js';
import {Prompt} from './prompt.js';
import {Requests} from './requests.js';

const $ = id => document.getElementById(id);

const charts = new Charts($('charts'), $('range'));
const fleet = new Fleet($('workers'), $('workers-note'), $('health'));
const requests = new Requests($('requests'), $('requests-none'), $('requests-scale'),
    $('requests-filter'), $('requests-pause'));
const prompt = new Prompt(id => requests.own.add(id));

let router = null;

function take(message) {
  if (message.kind === 'snapshot') {
    router = message.router;
    charts.reset(message.history, router.historySeconds);
    const minutes = Math.max(1, Math.round(router.historySeconds / 60));
    charts.offer([...new Set([Math.min(2, minutes), minutes])]);
    requests.reset(message.requests);
  } else {
    charts.add(message.sample);
    requests.add(message.requests);
  }
  fleet.show(message.workers, message.workersLeftOut);
  prompt.offer(message.models);
  say($('about'), `policy ${router.policy} · version ${router.version} · up ${age(Date.now() - router.started)}`);
}

function tell(state) {
  $('link').dataset.state = state;
  say($('link'), state === 'live' ? 'live' : 'router lost, trying again');
}

follow(take, tell);
