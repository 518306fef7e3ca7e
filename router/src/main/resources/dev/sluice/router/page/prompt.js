// A prompt to the router's own OpenAI-compatible API, and the answer as it streams.

import {askForKey, events, headers} from './feed.js';
import {count, duration, el, rate, say} from './format.js';

const $ = id => document.getElementById(id);

export class Prompt {
  /** `sent` is told the id of each request before it goes. */
  constructor(sent) {
    this.sent = sent;
    this.models = [];
    this.running = null;
    $('prompt-send').addEventListener('click', () => this.running ? this.running.abort() : this.send());
    $('prompt-text').addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !this.running) this.send();
    });
  }

  offer(models) {
    const select = $('prompt-model');
    if (models.map(m => m.id).join() === this.models.map(m => m.id).join()) {
      this.models = models;
      return;
    }
    this.models = models;
    const chosen = select.value;
    select.replaceChildren(...models.map(model => el('option', {value: model.id, text: model.id})));
    if (models.some(model => model.id === chosen)) select.value = chosen;
  }

  async send() {
    const model = this.models.find(m => m.id === $('prompt-model').value);
    const text = $('prompt-text').value;
    if (!model) return say($('prompt-facts'), 'No worker has told its model yet.');
    if (!text.trim()) return $('prompt-text').focus();
    const stop = new AbortController();
    this.running = stop;
    const answer = $('prompt-answer');
    answer.replaceChildren();
    answer.classList.add('streaming');
    answer.setAttribute('aria-busy', 'true');
    say($('prompt-send'), 'Stop');
    say($('prompt-facts'), '');
    const id = `page-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e9).toString(36)}`;
    try {
      say($('prompt-facts'), await this.stream(model, text, id, answer, stop.signal));
    } catch (error) {
      say($('prompt-facts'), stop.signal.aborted ? 'stopped' : error.message);
    }
    this.running = null;
    answer.classList.remove('streaming');
    answer.setAttribute('aria-busy', 'false');
    say($('prompt-send'), 'Send');
  }

  async stream(model, text, id, answer, signal) {
    const begun = performance.now();
    const response = await fetch(
        new URL(model.chat ? '../v1/chat/completions' : '../v1/completions', import.meta.url), {
          method: 'POST',
          headers: headers({'Content-Type': 'application/json', 'X-Request-Id': id}),
          body: JSON.stringify({
            model: model.id,
            ...(model.chat ? {messages: [{role: 'user', content: text}]} : {prompt: text}),
            max_tokens: Number($('prompt-tokens').value) || 128,
            temperature: Number($('prompt-temperature').value),
            stream: true,
            stream_options: {include_usage: true},
          }),
          signal,
        });
    if (response.status === 401) askForKey();
    if (!response.ok) {
      const told = await response.json().catch(() => ({}));
      throw new Error(told.error?.message ?? `HTTP ${response.status}`);
    }
    this.sent(response.headers.get('x-request-id') ?? id);
    let first = null, last = null, finish = '', usage = null;
    for await (const data of events(response)) {
      if (data === '[DONE]') break;
      const part = JSON.parse(data);
      if (part.error) throw new Error(part.error.message);
      const choice = part.choices[0];
      const added = choice && (model.chat ? choice.delta?.content : choice.text);
      if (added) {
        first ??= performance.now();
        last = performance.now();
        const follows = answer.scrollTop + answer.clientHeight >= answer.scrollHeight - 8;
        answer.append(added);
        if (follows) answer.scrollTop = answer.scrollHeight;
      }
      finish = choice?.finish_reason ?? finish;
      usage = part.usage ?? usage;
    }
    return this.facts(begun, first, last, finish, usage);
  }

  facts(begun, first, last, finish, usage) {
    const facts = [];
    if (first !== null) facts.push(`first token after ${duration((first - begun) * 1000)}`);
    if (usage) facts.push(`${count(usage.completion_tokens)} tokens`);
    if (usage?.completion_tokens > 1 && last > first) {
      facts.push(`${rate((usage.completion_tokens - 1) / ((last - first) / 1000))} tok/s`);
    }
    const cached = usage?.prompt_tokens_details?.cached_tokens;
    if (cached) facts.push(`${count(cached)} of ${count(usage.prompt_tokens)} prompt tokens cached`);
    if (finish) facts.push(finish === 'length' ? 'cut off at max tokens' : finish);
    return facts.join(' · ');
  }
}
