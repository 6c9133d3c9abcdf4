// Keeps a page of the dashboard up to date. The server renders every page; this fetches the same page again when an event
// says that there is news, and patches what differs, so that focus, selection, scroll position and open details stay.
'use strict';

(() => {
  const CAP = 500; // lines of the log kept in the page
  const SILENCE = 40_000; // the server says something every 15 s
  const SLEEP = 5 * 60_000; // hidden for so long, the page lets go of its connection
  const { body } = document;
  const byId = (id) => document.getElementById(id);
  document.documentElement.classList.add('script');

  // --- time -----------------------------------------------------------------------------------------------------------
  // Ages count from the server's clock: this machine's may be wrong.
  let skew = Date.parse(body.dataset.now) - Date.now();
  const now = () => Date.now() + skew;

  function duration(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 100) return `${seconds}s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
    if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
    return `${Math.floor(seconds / 86_400)}d`;
  }

  function tick() {
    if (held) return;
    for (const time of document.querySelectorAll('time[data-tick]')) {
      const at = Date.parse(time.dateTime);
      const text = duration(time.dataset.tick === 'until' ? at - now() : now() - at);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // --- patching -------------------------------------------------------------------------------------------------------
  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || '' : '');

  function patch(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.dataset.keep !== undefined || old.isEqualNode(fresh)) return;
    for (const { name } of Array.from(old.attributes)) {
      if (!fresh.hasAttribute(name) && !(name === 'open' && old.tagName === 'DETAILS')) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    patchChildren(old, fresh);
  }

  function patchChildren(old, fresh) {
    const keyed = new Map([...old.children].flatMap((child) => (keyOf(child) ? [[keyOf(child), child]] : [])));
    let place = old.firstChild; // everything before it is done
    for (const child of Array.from(fresh.childNodes)) {
      const key = keyOf(child);
      let match = key ? keyed.get(key) : place;
      if (!key) while (match && (keyOf(match) || match.nodeName !== child.nodeName)) match = match.nextSibling;
      if (match?.nodeName === child.nodeName) {
        if (match === place) place = place.nextSibling;
        else old.insertBefore(match, place);
        patch(match, child);
      } else {
        if (child.nodeName === 'TR') child.classList.add('fresh');
        old.insertBefore(child, place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  // --- the page -------------------------------------------------------------------------------------------------------
  let held = false; // frozen by the reader
  let running = false;
  let again = null;

  /** Fetches this page anew and patches it in; with `log` the lines of the log as well. */
  async function refresh({ log = false } = {}) {
    if (running) {
      again = { log: log || again?.log };
      return;
    }
    running = true;
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' });
      if (!response.headers.get('content-type')?.startsWith('text/html')) return;
      show(new DOMParser().parseFromString(await response.text(), 'text/html'), log);
    } catch {
      // The connection says so itself.
    } finally {
      running = false;
      if (again) {
        const next = again;
        again = null;
        void refresh(next);
      }
    }
  }

  function show(fresh, log) {
    const focused = document.activeElement;
    document.title = fresh.title;
    const icon = fresh.getElementById('icon').getAttribute('href');
    if (byId('icon').getAttribute('href') !== icon) byId('icon').setAttribute('href', icon);
    body.dataset.version = fresh.body.dataset.version;
    skew = Date.parse(fresh.body.dataset.now) - Date.now();
    announce(fresh.getElementById('announce').dataset.text);
    patch(byId('main'), fresh.getElementById('main'));
    patch(document.querySelector('footer'), fresh.querySelector('footer'));
    if (log && byId('lines') && fresh.getElementById('lines')) {
      position = fresh.body.dataset.position;
      replaceLines([...fresh.getElementById('lines').children]);
    }
    if (focused !== document.activeElement && document.contains(focused)) focused.focus({ preventScroll: true });
    tick();
  }

  // Spoken only when it is another state than before: not every age that ticks.
  function announce(text) {
    const place = byId('announce');
    if (place.dataset.text === text) return;
    place.dataset.text = text;
    place.textContent = text;
  }

  // --- the log --------------------------------------------------------------------------------------------------------
  let position = body.dataset.position;
  let following = true;
  let waiting = []; // lines that came and are not shown yet
  let unseen = 0;
  let isLogOld = false; // while frozen, the log went on in another file

  function filter() {
    const form = byId('log')?.querySelector('form');
    return { problems: Boolean(form?.elements.log.checked), text: form?.elements.q.value.trim().toLowerCase() ?? '' };
  }

  function lineElement({ time, name, level, message }) {
    const item = document.createElement('li');
    item.className = level;
    const parts = [['span', 'when', time], ['span', 'what', name], ['bdi', '', message]];
    for (const [tag, className, text] of parts) {
      const part = document.createElement(tag);
      if (className) part.className = className;
      part.textContent = text ?? '';
      item.append(part, ' ');
    }
    return item;
  }

  function addLines(lines) {
    const { problems, text } = filter();
    const shown = lines.filter(
      ({ level, name, message }) =>
        (!problems || level === 'warning' || level === 'error') && `${name ?? ''} ${message}`.toLowerCase().includes(text),
    );
    waiting = [...waiting, ...shown].slice(-CAP);
  }

  function flush() {
    const list = byId('lines');
    if (!list || held || waiting.length === 0) return;
    list.append(...waiting.map(lineElement));
    unseen += waiting.length;
    waiting = [];
    // While somebody reads further up, nothing is taken away above.
    if (following) while (list.children.length > CAP) list.firstElementChild.remove();
    while (list.children.length > 4 * CAP) list.firstElementChild.remove();
    byId('log').querySelector('.none')?.remove();
    scroll();
  }

  function replaceLines(items) {
    waiting = [];
    byId('lines').replaceChildren(...items);
    follow(true);
  }

  function scroll() {
    const box = byId('scroll');
    if (following) {
      box.scrollTop = box.scrollHeight;
      unseen = 0;
    }
    byId('newer').hidden = unseen === 0;
    byId('newer').textContent = `↓ ${unseen} new ${unseen === 1 ? 'line' : 'lines'}`;
  }

  function follow(on) {
    following = on;
    byId('follow').setAttribute('aria-pressed', String(on));
    byId('follow').textContent = on ? 'Following' : 'Follow';
    scroll();
  }

  // --- the connection -------------------------------------------------------------------------------------------------
  let source = null;
  let attempts = 0;
  let heard = Date.now();
  let lostAt = null;
  let timer = 0;

  function badge() {
    const live = byId('live');
    live.hidden = false;
    live.classList.toggle('off', lostAt !== null);
    live.classList.toggle('held', held && lostAt === null);
    const text = lostAt !== null ? 'Reconnecting…' : held ? 'Frozen' : 'Live';
    if (live.textContent !== text) live.textContent = text;
    const lost = byId('lost');
    if (lostAt !== null && Date.now() - lostAt > 10_000) {
      if (lost.hidden) {
        lost.hidden = false;
        lost.textContent = `The connection to the dashboard is lost since ${new Date(lostAt).toLocaleTimeString()}. What you see is from then. It is tried again by itself.`;
      }
    } else {
      lost.hidden = true;
    }
  }

  function connect() {
    clearTimeout(timer);
    source?.close();
    heard = Date.now();
    source = new EventSource(`/api/v1/events?since=${encodeURIComponent(position)}`);
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        heard = Date.now();
        attempts = 0;
        lostAt = null;
        if (event.lastEventId) position = event.lastEventId;
        act(JSON.parse(event.data));
        badge();
      });
    on('status', ({ version }) => {
      if (version !== body.dataset.version && !held) void refresh();
    });
    on('log', ({ lines, restarted }) => {
      if (!restarted) addLines(lines);
      else if (held) isLogOld = true;
      else void refresh({ log: true });
    });
    on('ping', ({ now: serverNow }) => {
      skew = Date.parse(serverNow) - Date.now();
    });
    // The browser's own reconnecting gives up for good after an answer that is no stream.
    source.addEventListener('error', lose);
  }

  function lose() {
    source?.close();
    source = null;
    lostAt ??= Date.now();
    badge();
    clearTimeout(timer);
    const pause = Math.min(30_000, 1000 * 2 ** Math.min(attempts, 5)) * (0.75 + Math.random() / 2);
    attempts += 1;
    timer = setTimeout(connect, pause);
  }

  let hiddenAt = null;
  document.addEventListener('visibilitychange', () => {
    hiddenAt = document.hidden ? Date.now() : null;
    if (!document.hidden && !source) {
      void refresh({ log: true });
      connect();
    }
  });

  setInterval(() => {
    tick();
    badge();
    if (source && Date.now() - heard > SILENCE) lose();
    if (hiddenAt !== null && Date.now() - hiddenAt > SLEEP && source) {
      clearTimeout(timer);
      source.close();
      source = null;
    }
  }, 1000);
  setInterval(flush, 250);

  // --- the reader -----------------------------------------------------------------------------------------------------
  function hold(on) {
    held = on;
    byId('freeze').setAttribute('aria-pressed', String(on));
    byId('freeze').textContent = on ? 'Go on' : 'Freeze';
    badge();
    if (on) return;
    void refresh({ log: isLogOld });
    isLogOld = false;
  }

  function filterChanged() {
    const url = new URL(location.href);
    for (const form of document.querySelectorAll('[data-live-form]')) {
      for (const field of form.querySelectorAll('select, input:not([type=hidden])')) {
        const value = field.type === 'checkbox' ? (field.checked ? field.value : '') : field.value.trim();
        if (value) url.searchParams.set(field.name, value);
        else url.searchParams.delete(field.name);
      }
    }
    history.replaceState(null, '', url);
    void refresh({ log: true });
  }

  let typing = 0;
  document.addEventListener('input', ({ target }) => {
    if (!target.closest('[data-live-form]')) return;
    clearTimeout(typing);
    typing = setTimeout(filterChanged, target.type === 'search' ? 250 : 0);
  });
  document.addEventListener('submit', (event) => {
    event.preventDefault();
    filterChanged();
  });
  document.addEventListener('click', ({ target }) => {
    const button = target.closest('button');
    if (button?.id === 'freeze') hold(!held);
    if (button?.id === 'follow') follow(!following);
    if (button?.id === 'newer') follow(true);
    if (button?.dataset.copy) void copy(button);
  });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, select, textarea')) return;
    if (event.key === 'f') hold(!held);
    if (event.key === '?') byId('keys').open = !byId('keys').open;
    if (event.key === '/' && byId('log')) {
      event.preventDefault();
      byId('log').querySelector('[name=q]').focus();
    }
  });

  // What a bar in a picture stands for, also for those who cannot hover.
  for (const name of ['focusin', 'pointerover']) {
    document.addEventListener(name, ({ target }) => {
      const run = target.closest?.('.run');
      if (run && byId('note')) byId('note').textContent = run.getAttribute('aria-label');
    });
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy it by hand';
    }
    setTimeout(() => (button.textContent = 'Copy command'), 2000);
  }

  byId('freeze').hidden = false;
  if (byId('scroll')) {
    byId('scroll').addEventListener('scroll', () => {
      const { scrollTop, scrollHeight, clientHeight } = byId('scroll');
      const atEnd = scrollHeight - scrollTop - clientHeight < 30;
      if (atEnd !== following) follow(atEnd);
    });
    scroll();
    byId('scroll').setAttribute('aria-live', 'polite'); // the lines that were there are not read out
  }
  badge();
  connect();
})();
