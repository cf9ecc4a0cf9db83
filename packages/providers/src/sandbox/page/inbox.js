/* The page is served as it stands here: plain JavaScript for browsers. */

const channelNames = {
  sms: 'SMS',
  whatsapp: 'WhatsApp',
  push: 'Push',
  voice: 'Call',
  email: 'Mail',
  incident: 'Incident',
};
const providerNames = {
  'twilio-sms': 'Twilio',
  'twilio-voice': 'Twilio',
  msg91: 'MSG91',
  'whatsapp-cloud': 'Meta',
  sendgrid: 'SendGrid',
  mailgun: 'Mailgun',
  fcm: 'FCM',
  exotel: 'Exotel',
  pagerduty: 'PagerDuty',
};
const callStates = {
  ringing: 'ringing',
  answered: 'talking',
  completed: 'over',
  busy: 'declined',
  'no-answer': 'nobody answered',
};
const goodStates = new Set(['delivered', 'read', 'completed']);
const badStates = new Set(['undelivered', 'busy', 'no-answer']);

/** Newest first everywhere; more phones than anybody looks at are left out. */
const maxPhones = 40;
const maxMessagesPerPhone = 100;

const icons = {
  phone: 'M5 3h4l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2z',
  person: 'M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm-8.5 9a8.5 8.5 0 0 1 17 0z',
  mail: 'M3 6h18v12H3zm0 .5 9 7 9-7',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zm4 4a2 2 0 0 0 4 0z',
  alarm: 'M12 3 2 20h20zm0 7v4m0 3v.5',
};

const phones = document.getElementById('phones');
const empty = document.getElementById('empty');
const link = document.getElementById('link');
const search = document.querySelector('.search');

const messages = new Map();
const seen = new Set();
let channel = '';
let isDrawing = false;

listen();
wireControls();
setInterval(renewTimes, 1000);

function listen() {
  const events = new EventSource('/sandbox/events');
  events.onopen = () => showLink('live', 'live');
  events.onerror = () => showLink('waiting', 'reconnecting');
  events.addEventListener('all', (event) => {
    messages.clear();
    for (const message of JSON.parse(event.data)) {
      messages.set(message.id, message);
      seen.add(message.id);
    }
    draw();
  });
  events.addEventListener('message', (event) => {
    const message = JSON.parse(event.data);
    messages.set(message.id, message);
    draw();
  });
}

function showLink(state, text) {
  link.dataset.state = state;
  link.textContent = text;
}

function wireControls() {
  for (const button of document.querySelectorAll('.filters button')) {
    button.addEventListener('click', () => {
      channel = button.dataset.channel;
      for (const other of document.querySelectorAll('.filters button')) {
        other.setAttribute('aria-pressed', String(other === button));
      }
      draw();
    });
  }
  search.addEventListener('input', draw);
  document.getElementById('clear').addEventListener('click', () => void post('/sandbox/reset'));
}

/** Many messages of one moment are drawn once. */
function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    const shown = [...messages.values()].filter(fits).sort((left, right) => right.seq - left.seq);
    const people = Map.groupBy(shown, (message) => message.recipient);
    const drawn = [...people].slice(0, maxPhones).map(([recipient, list]) => drawPhone(recipient, list));
    keepScroll(drawn);
    showEmpty(drawn.length === 0);
    for (const message of shown) seen.add(message.id);
  });
}

function keepScroll(drawn) {
  const tops = new Map([...phones.children].map((phone) => [phone.dataset.recipient, phone.lastChild.scrollTop]));
  // A frame that is taken out of the page loads anew, so what has not changed stays where it is.
  const kept = new Map([...phones.querySelectorAll('.message')].map((item) => [item.dataset.mark, item]));
  for (const phone of drawn) {
    for (const item of phone.querySelectorAll('.message')) {
      const same = kept.get(item.dataset.mark);
      if (same) item.replaceWith(same);
    }
  }
  phones.replaceChildren(...drawn);
  for (const phone of drawn) phone.lastChild.scrollTop = tops.get(phone.dataset.recipient) ?? 0;
  renewTimes();
}

function showEmpty(isEmpty) {
  empty.hidden = !isEmpty;
  phones.hidden = isEmpty;
  const isFiltered = messages.size > 0;
  document.getElementById('empty-title').textContent = isFiltered ? 'Nothing fits' : 'No message yet';
  document.getElementById('filtered-text').hidden = !isFiltered;
  document.getElementById('empty-text').hidden = isFiltered;
}

function fits(message) {
  if (!message.isShown) return false;
  if (channel !== '' && message.channel !== channel) return false;
  const words = search.value.trim().toLowerCase();
  return words === '' || JSON.stringify([message.recipient, message.content]).toLowerCase().includes(words);
}

function drawPhone(recipient, list) {
  const first = list[0];
  const kind = { email: 'mail', incident: 'alarm', push: 'bell' }[first.channel] ?? 'person';
  const isRinging = list.some((message) => message.call?.state === 'ringing');
  const noun = list.every((message) => message.call) ? 'call' : 'message';
  const count = `${list.length} ${noun}${list.length === 1 ? '' : 's'}`;
  const phone = make('article', { class: 'phone', 'data-ringing': isRinging, 'aria-label': recipient }, [
    make('header', { class: 'phone-head' }, [
      make('span', { class: 'avatar' }, [icon(icons[kind])]),
      make('div', { class: 'phone-name' }, [
        make('h2', { title: recipient }, [nameOf(first)]),
        make('p', {}, [isRinging ? 'ringing' : count]),
      ]),
    ]),
    make('ol', { class: 'messages' }, list.slice(0, maxMessagesPerPhone).map(drawMessage)),
  ]);
  phone.dataset.recipient = recipient;
  return phone;
}

function nameOf({ channel: kind, recipient }) {
  if (kind === 'incident') return 'On duty';
  if (kind === 'push') return `App ${recipient.slice(0, 14)}…`;
  return recipient;
}

function drawMessage(message) {
  const body = { sms: bubble, whatsapp: bubble, push, voice: call, email: mail, incident }[message.channel](message);
  const item = make('li', { class: seen.has(message.id) ? 'message' : 'message is-new' }, [body, drawMeta(message)]);
  item.dataset.mark = JSON.stringify([message.id, message.status, message.call]);
  return item;
}

function drawMeta({ id, channel: kind, provider, status, receivedAtMs, attemptId }) {
  const title = attemptId === undefined ? '' : `attempt ${attemptId}`;
  const time = make(
    'time',
    { datetime: new Date(receivedAtMs).toISOString(), title: new Date(receivedAtMs).toLocaleString() },
    [],
  );
  time.dataset.atMs = receivedAtMs;
  const canRead = status === 'delivered' && (kind === 'whatsapp' || kind === 'email');
  const open = make('button', { type: 'button', title: 'As if the person had opened it' }, ['read it']);
  open.addEventListener('click', () => void post(`/sandbox/messages/${encodeURIComponent(id)}/read`));
  return make('div', { class: 'meta', title }, [
    `${channelNames[kind]} · ${providerNames[provider]}`,
    make('span', { class: 'status', 'data-kind': toneOf(status) }, [`· ${status}`]),
    ...(canRead ? [open] : []),
    time,
  ]);
}

function toneOf(status) {
  if (badStates.has(status)) return 'failed';
  return goodStates.has(status) ? 'good' : '';
}

function bubble({ channel: kind, provider, content }) {
  const isTemplate = kind === 'whatsapp' || provider === 'msg91';
  const template = content.data?.template;
  return make('div', { class: `bubble ${kind}` }, [
    ...withLinks(content.text ?? ''),
    ...(isTemplate && template
      ? [make('small', {}, [`Template ${template}; the vendor puts its words around these`])]
      : []),
  ]);
}

function push({ content }) {
  return make('div', { class: 'card push' }, [
    icon(icons.bell),
    make('b', {}, [content.title ?? '']),
    make('p', {}, withLinks(content.text ?? '')),
  ]);
}

function mail({ content }) {
  const frame = make('iframe', {
    // No rights at all but to open a link in a new tab.
    sandbox: 'allow-popups allow-popups-to-escape-sandbox',
    title: content.subject ?? 'Mail',
    loading: 'lazy',
  });
  frame.srcdoc = `<!doctype html><base target="_blank"><meta name="color-scheme" content="light"><style>body{font:14px/1.5 system-ui,sans-serif;margin:14px;color:#12181f;overflow-wrap:anywhere}</style>${content.html || escapeHtml(content.text ?? '')}`;
  return make('div', { class: 'card mail' }, [
    make('div', { class: 'mail-head' }, [
      make('b', {}, [content.subject ?? '']),
      make('span', {}, [`from ${content.from ?? ''}`]),
    ]),
    frame,
  ]);
}

function incident({ content }) {
  const details = content.data?.details ?? {};
  const facts = Object.entries(details).filter(([name]) => name !== 'attempt_id');
  return make('div', { class: 'card incident', 'data-action': content.title }, [
    make('b', {}, [
      { trigger: 'Incident', acknowledge: 'Acknowledged', resolve: 'Resolved' }[content.title] ?? content.title,
    ]),
    ...withLinks(content.text ?? ''),
    ...(facts.length === 0
      ? []
      : [
          make(
            'dl',
            { class: 'facts' },
            facts.flatMap(([name, value]) => [make('dt', {}, [name]), make('dd', {}, withLinks(String(value)))]),
          ),
        ]),
  ]);
}

function call(message) {
  const { state, said, digits, canPress } = message.call;
  const trouble = make('p', { class: 'trouble', hidden: true });
  const act = (label, name, body, kind = '') => {
    const button = make('button', { type: 'button', class: kind }, [label]);
    button.addEventListener('click', async () => {
      const error = await post(`/sandbox/messages/${encodeURIComponent(message.id)}/${name}`, body);
      trouble.hidden = error === undefined;
      trouble.textContent = error ?? '';
    });
    return button;
  };
  const acts = {
    ringing: () => [act('Answer', 'answer', {}, 'go'), act('Decline', 'decline', {}, 'no')],
    answered: () => [
      ...(canPress ? [act('Press 1', 'press', { digits: '1' }, 'go')] : []),
      act('Hang up', 'hang-up', {}, 'no'),
    ],
  }[state];
  return make('div', { class: 'card call', 'data-state': state }, [
    make('div', { class: 'call-head' }, [
      icon(icons.phone),
      message.content.from ?? 'Call',
      make('span', {}, [callStates[state]]),
    ]),
    ...said.map((text) => make('p', { class: 'said' }, withLinks(text))),
    ...(digits.length === 0 ? [] : [make('div', {}, [`Pressed ${digits.join(', ')}`])]),
    ...(acts === undefined ? [] : [make('div', { class: 'acts' }, acts())]),
    ...(state === 'answered' && canPress
      ? [
          make(
            'div',
            { class: 'keys', 'aria-label': 'Keys' },
            [...'123456789*0#'].map((key) => act(key, 'press', { digits: key })),
          ),
        ]
      : []),
    trouble,
  ]);
}

/** @returns what went wrong, as a sentence */
async function post(path, body = {}) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.ok ? undefined : (await response.json()).title;
  } catch {
    return 'The sandbox does not answer.';
  }
}

function renewTimes() {
  for (const time of document.querySelectorAll('time'))
    time.textContent = ageOf(Date.now() - Number(time.dataset.atMs));
}

function ageOf(ms) {
  if (ms < 5_000) return 'now';
  if (ms < 60_000) return `${Math.floor(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}

/** Text with its addresses as links; never as HTML. */
function withLinks(text) {
  return text
    .split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/)
    .map((part, index) =>
      index % 2 === 0 ? part : make('a', { href: part, target: '_blank', rel: 'noreferrer' }, [part]),
    );
}

function make(name, attributes = {}, children = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, key === 'data-ringing' ? 'true' : '');
    else if (value !== false && value !== '') element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function icon(path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({
    viewBox: '0 0 24 24',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '2',
    'stroke-linejoin': 'round',
    'stroke-linecap': 'round',
    'aria-hidden': 'true',
  })) {
    svg.setAttribute(name, value);
  }
  const shape = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '<br>');
}
