// Server-sent events by fetch, which unlike EventSource can carry a key and stop when asked.

const KEY = 'sluice-key';

/** Headers of every request of this page. */
export function headers(more = {}) {
  const key = sessionStorage.getItem(KEY);
  return key ? {...more, Authorization: `Bearer ${key}`} : more;
}

/** Asks for a key, which is kept as long as the tab. */
export function askForKey() {
  const dialog = document.getElementById('key');
  if (dialog.open) return;
  const value = document.getElementById('key-value');
  const use = () => {
    sessionStorage.setItem(KEY, value.value.trim());
    dialog.close();
  };
  document.getElementById('key-save').onclick = use;
  value.onkeydown = event => {
    if (event.key === 'Enter') use();
  };
  dialog.showModal();
}

/** The data of each event of an answer, as it comes. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      rest += value;
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const event = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (event.startsWith('data:')) yield event.slice(5).trimStart();
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Follows the router for ever: calls `take` with each message, and `tell` with 'live' or 'lost'. Not
 * while nobody looks: a page that comes back gets everything anew.
 */
export async function follow(take, tell) {
  let pause = 500;
  for (;;) {
    await visible();
    const stop = new AbortController();
    const hidden = () => {
      if (document.hidden) stop.abort();
    };
    document.addEventListener('visibilitychange', hidden);
    try {
      const response = await fetch(new URL('events', import.meta.url), {
        headers: headers(), cache: 'no-store', signal: stop.signal,
      });
      if (response.status === 401) askForKey();
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      for await (const data of events(response)) {
        take(JSON.parse(data));
        tell('live');
        pause = 500;
      }
    } catch (error) {
      if (error instanceof SyntaxError) console.error(error);
    } finally {
      document.removeEventListener('visibilitychange', hidden);
    }
    if (!document.hidden) {
      tell('lost');
      await new Promise(resolve => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 8000);
    }
  }
}

function visible() {
  return new Promise(resolve => {
    if (!document.hidden) return resolve();
    const seen = () => {
      if (!document.hidden) {
        document.removeEventListener('visibilitychange', seen);
        resolve();
      }
    };
    document.addEventListener('visibilitychange', seen);
  });
}
