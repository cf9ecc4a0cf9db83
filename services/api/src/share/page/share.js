import { drawTrail } from './trail-view.js';
import { fill, languages, sayAge } from './words.js';

/** Contacts see a new place at the latest this long after it came. */
const pollMs = 4_000;
const answerWithinMs = 8_000;
/** All of it again: what came late is in a full answer only. */
const wholeEveryMs = 60_000;
const staleAfterMs = 60_000;
const offlineAfterMs = 15_000;

const byId = (id) => document.getElementById(id);
const page = byId('page');
const token = location.hash.slice(1);
const isAndroid = /Android/.test(navigator.userAgent);

let language = navigator.languages.some((name) => name.startsWith('hi')) ? 'hi' : 'en';
/** What the api said last; `problem` where it said that there is nothing to see. */
let shown;
let problem = /^[A-Za-z0-9_-]{30,240}$/.test(token) ? undefined : 'invalid';
let points = [];
let heardAtMs = Date.now();
let wholeAtMs = 0;
/** Of the server's clock before this one. */
let serverAheadMs = 0;
let timer;

const words = () => languages[language];
const serverNowMs = () => Date.now() + serverAheadMs;

async function poll() {
  clearTimeout(timer);
  try {
    await ask();
  } catch {
    // Said by the page once it lasts.
  }
  show();
  if (problem === undefined) timer = setTimeout(poll, pollMs);
}

async function ask() {
  const isWhole = Date.now() >= wholeAtMs;
  const newest = points.at(-1)?.recordedAt;
  const since = isWhole || newest === undefined ? '' : `?since=${encodeURIComponent(newest)}`;
  const response = await fetch(`v1/share/${token}${since}`, {
    credentials: 'omit',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(answerWithinMs),
  });
  if (response.status === 410) problem = 'expired';
  if (response.status === 404 || response.status === 400) problem = 'invalid';
  if (!response.ok) {
    if (problem !== undefined) points = [];
    return;
  }
  const answer = await response.json();
  points = since === '' || answer.isCoarse ? answer.points : [...points, ...answer.points];
  if (since === '') wholeAtMs = Date.now() + wholeEveryMs;
  shown = answer;
  heardAtMs = Date.now();
  serverAheadMs = Date.parse(answer.asOf) - heardAtMs;
}

function show() {
  const state = problem ?? shown?.state ?? 'loading';
  const text = words();
  document.documentElement.lang = language;
  page.dataset.state = state;
  byId('language').textContent = text.otherLanguage;
  byId('title').textContent = text[`${state}Title`];
  byId('text').textContent = text[`${state}Text`];
  byId('emergency').textContent = text.emergency;
  document.title = `${text[`${state}Title`]} · HushRyd`;

  const isVisible = problem === undefined && shown !== undefined;
  const hasPlace = isVisible && points.length > 0;
  showNotice(isVisible);
  for (const id of ['trail', 'places', 'actions']) byId(id).hidden = !hasPlace;
  byId('facts').hidden = !isVisible;
  if (hasPlace) showPlaces();
  if (isVisible) showFacts();
}

/** One at a time: what makes the others doubtful goes first. */
function showNotice(isVisible) {
  const silentMs = Date.now() - heardAtMs;
  const newest = points.at(-1);
  const ageMs = newest === undefined ? 0 : serverNowMs() - Date.parse(newest.recordedAt);
  let text = '';
  if (problem === undefined && silentMs > offlineAfterMs) {
    text = fill(words().offlineNotice, { age: sayAge(words(), silentMs) });
  } else if (isVisible && shown.state !== 'ended') {
    if (newest === undefined) text = words().noPlaceNotice;
    else if (ageMs > staleAfterMs) text = fill(words().staleNotice, { age: sayAge(words(), ageMs) });
  }
  const notice = byId('notice');
  notice.hidden = text === '';
  // An alert that says the same again would be read aloud again.
  if (notice.textContent !== text) notice.textContent = text;
}

function showPlaces() {
  const newest = ['person', 'driver'].flatMap((source) => points.findLast((point) => point.source === source) ?? []);
  const lines = newest.map((point) => ({ point, text: describe(point) }));
  byId('places').replaceChildren(
    ...lines.map(({ point, text }) => {
      const item = document.createElement('li');
      item.dataset.source = point.source;
      const name = document.createElement('strong');
      name.textContent = words()[point.source];
      const facts = document.createElement('span');
      facts.textContent = text;
      item.append(name, facts);
      return item;
    }),
  );
  const last = points.at(-1);
  const place = `${last.lat},${last.lng}`;
  const maps = byId('maps');
  // A node that is not renewed yet says none. Nothing of this page goes along: its own address holds the token behind the #, which no browser sends.
  maps.hidden = shown.mapUrl === undefined;
  if (!maps.hidden) maps.href = shown.mapUrl.replaceAll('{lat}', last.lat).replaceAll('{lng}', last.lng);
  maps.textContent = words().maps;
  const app = byId('app');
  // The phone's own map, whichever that is. Only Android opens it: elsewhere nothing would happen.
  app.hidden = !isAndroid;
  app.href = `geo:${place}?q=${place}`;
  app.textContent = words().app;
  const copy = byId('copy');
  if (copy.dataset.copied !== place) copy.textContent = words().copy;
  byId('legend').textContent = shown.isCoarse ? words().roughly : '';
  drawTrail(byId('drawing'), {
    points,
    raisedAtMs: Date.parse(shown.raisedAt),
    isCoarse: shown.isCoarse === true,
    label: fill(words().drawing, {
      places: lines.map(({ point, text }) => `${words()[point.source]}: ${text}`).join('. '),
    }),
  });
}

function describe({ recordedAt, accuracyMeters, speedMps }) {
  const text = words();
  const facts = [fill(text.ago, { age: sayAge(text, serverNowMs() - Date.parse(recordedAt)) })];
  if (accuracyMeters !== undefined) facts.push(fill(text.accuracy, { meters: Math.round(accuracyMeters) }));
  if (speedMps !== undefined) facts.push(fill(text.speed, { kmh: Math.round(speedMps * 3.6) }));
  return facts.join(' · ');
}

function showFacts() {
  const time = new Intl.DateTimeFormat(words().locale, {
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
  });
  const facts = [
    ['raised', shown.raisedAt],
    ['acknowledged', shown.acknowledgedAt],
    ['ended', shown.endedAt],
    ['expires', shown.expiresAt],
  ];
  byId('facts').replaceChildren(
    ...facts.flatMap(([name, at]) => {
      if (at === undefined) return [];
      const term = document.createElement('dt');
      term.textContent = words()[name];
      const value = document.createElement('dd');
      value.textContent = time.format(new Date(at));
      return [term, value];
    }),
  );
}

byId('language').addEventListener('click', () => {
  language = language === 'hi' ? 'en' : 'hi';
  show();
});
// Browsers have it only where the page came by https, or from this machine.
byId('copy').hidden = navigator.clipboard === undefined;
byId('copy').addEventListener('click', async () => {
  const { lat, lng } = points.at(-1);
  await navigator.clipboard.writeText(`${lat}, ${lng}`);
  byId('copy').dataset.copied = `${lat},${lng}`;
  byId('copy').textContent = words().copied;
});
// A phone that was in a pocket has not polled meanwhile.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && problem === undefined) void poll();
});
// Another link pasted into the same tab.
addEventListener('hashchange', () => location.reload());
// Also where a notice above it comes or goes.
new ResizeObserver(show).observe(byId('drawing'));
setInterval(show, 1_000);

show();
if (problem === undefined) void poll();
