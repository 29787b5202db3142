// The raters' page: one picture at a time, a score from 1 to 5, and the next picture once the score is stored.
// Plain JavaScript, sent as it stands; its types are checked (mos/page/tsconfig.json).

/**
 * @typedef {{ id: string, width: number, height: number }} Picture
 * @typedef {{ stage: 'welcome', examples: number, total: number }
 *   | { stage: 'examples', rater: number, place: number, total: number, picture: Picture, score: 1 | 5, next: string | null }
 *   | { stage: 'rating', rater: number, place: number, total: number, picture: Picture, next: string | null }
 *   | { stage: 'done', rater: number, total: number }} State
 */

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id}`);
  return found;
}

const sheet = element('sheet', HTMLElement);
const sheetTitle = element('sheet-title', HTMLElement);
const sheetText = element('sheet-text', HTMLElement);
const sheetActions = element('sheet-actions', HTMLElement);
const sheetLink = element('sheet-link', HTMLElement);
const desk = element('desk', HTMLElement);
const stage = element('stage', HTMLElement);
const count = element('count', HTMLElement);
const progress = element('progress', HTMLProgressElement);
const question = element('question', HTMLElement);
const notice = element('notice', HTMLElement);
const scale = element('scale', HTMLElement);
const buttons = [...scale.querySelectorAll('button')];

/** @type {State | undefined} What the desk shows. */
let shown;
/** @type {HTMLImageElement | undefined} */
let image;
/** @type {HTMLImageElement | undefined} The next picture, loading. */
let early;
/** True from the moment the picture can be seen until a score is given. */
let ready = false;

/** An answer of the server that is not a success. */
class AnswerError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {object} [body] Sent if given. */
async function ask(path, body) {
  /** @type {RequestInit} */
  const request = body
    ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
    : {};
  const response = await fetch(path, { ...request, cache: 'no-store', signal: AbortSignal.timeout(15_000) });
  const answer = await response.json();
  if (!response.ok) throw new AnswerError(response.status, String(answer.error));
  return answer;
}

/** @param {number} ms */
const wait = ms => new Promise(done => setTimeout(done, ms));

/** Asks again until the server answers; a refusal is an answer, but not that it is too busy or cannot store anything.
 * @param {string} path @param {object} body */
async function askUntilAnswered(path, body) {
  for (let pause = 500; ; pause = Math.min(2 * pause, 5000)) {
    try {
      return await ask(path, body);
    } catch (error) {
      if (error instanceof AnswerError && error.status < 500 && error.status !== 429) throw error;
      const reason = error instanceof AnswerError ? `: ${error.message}` : '';
      tell(`Not stored yet${reason}. Trying again – please leave this page open.`, true);
      await wait(pause);
    }
  }
}

/** @param {string} text @param {boolean} [isBad] */
function tell(text, isBad = false) {
  notice.textContent = text;
  notice.classList.toggle('bad', isBad);
}

/** Text with `code` parts as keys. @param {string} text */
function withKeys(text) {
  return text.split('`').map((part, i) => {
    if (i % 2 === 0) return part;
    const key = document.createElement('kbd');
    key.textContent = part;
    return key;
  });
}

/**
 * Shows a page of text.
 * @param {string} title
 * @param {readonly (string | readonly string[])[]} text paragraphs, and lists
 * @param {readonly (readonly [label: string, action: () => unknown])[]} actions the first is the main one
 */
function showSheet(title, text, actions) {
  ready = false;
  shown = undefined;
  sheetTitle.textContent = title;
  sheetText.replaceChildren(
    ...text.map(one => {
      if (typeof one === 'string') {
        const paragraph = document.createElement('p');
        paragraph.append(...withKeys(one));
        return paragraph;
      }
      const list = document.createElement('ul');
      list.append(
        ...one.map(line => {
          const item = document.createElement('li');
          item.append(...withKeys(line));
          return item;
        }),
      );
      return list;
    }),
  );
  sheetActions.replaceChildren(
    ...actions.map(([label, action], i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = label;
      button.classList.toggle('main', i === 0);
      button.addEventListener('click', () => attempt(action));
      return button;
    }),
  );
  sheetLink.hidden = true;
  desk.hidden = true;
  sheet.hidden = false;
  sheetActions.querySelector('button')?.focus();
}

/** @param {() => unknown} action */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    failed(error);
  }
}

/** @param {unknown} error */
function failed(error) {
  const known = error instanceof AnswerError;
  const title =
    known && error.status === 409 ? 'Not here' : known && error.status === 403 ? 'No access' : 'Something went wrong';
  const reason = known ? sentence(error.message) : 'The server does not answer.';
  showSheet(title, [reason, 'All your ratings so far are stored.'], [['Try again', load]]);
}

/** @param {string} text */
const sentence = text => `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

const number = new Intl.NumberFormat('en').format;

/** @param {boolean} fresh a new rater, though this browser has one */
const begin = async fresh => show(await ask('/api/raters', { fresh }));

/** @param {Extract<State, { stage: 'welcome' }>} state */
function welcome({ examples, total }) {
  const first = examples > 0 ? 'First you see examples of the worst and of the best quality. ' : '';
  showSheet(
    'How good are these pictures?',
    [
      `${first}Then you rate ${number(total)} pictures, one at a time, from 1 (bad) to 5 (excellent), by what you see: there is no right answer.`,
      [
        'Press `1` to `5`, or click or tap a number. A rating cannot be changed afterwards.',
        'Keep your usual distance from the screen, and leave the zoom of the browser alone: every picture is shown at its own size.',
        'The same scene comes many times, in different qualities. Rate each by itself.',
        'Pause as often as you like. Every rating is stored at once, and you go on where you stopped.',
      ],
      'Only your ratings and their times are stored, under a number. This browser keeps a cookie to know you again.',
    ],
    [['Begin', () => begin(false)]],
  );
}

/** @param {Extract<State, { stage: 'examples' | 'rating' }>} state */
function welcomeBack(state) {
  const done =
    state.stage === 'rating'
      ? `${number(state.place)} of ${number(state.total)} pictures are rated`
      : 'You were looking at the examples';
  showSheet(
    'Welcome back',
    [`You are rater ${state.rater}. ${done}.`],
    [
      ['Continue', () => show(state)],
      ['I am someone else', () => begin(true)],
    ],
  );
}

function pause() {
  const state = shown;
  if (!state || state.stage === 'welcome' || state.stage === 'done') return;
  showSheet(
    'Paused',
    ['Your ratings are stored. You can close this page and open it again in this browser whenever you like.'],
    [
      ['Continue', () => show(state)],
      ['Continue on another device', offerLink],
    ],
  );
}

async function offerLink() {
  const { code } = await ask('/api/handover', {});
  const link = `${location.origin}/#go-on=${code}`;
  showSheet(
    'Continue on another device',
    ['Open this link on the other device. It works once. From then on you continue there instead of here.'],
    [['Back', load]],
  );
  sheetLink.textContent = link;
  sheetLink.hidden = false;
}

/** @param {string} code */
async function redeem(code) {
  history.replaceState(null, '', '/');
  await show(await ask('/api/redeem', { code }));
}

/** @param {Extract<State, { stage: 'done' }>} state */
function done({ rater, total }) {
  showSheet(
    'Thank you!',
    [`All ${number(total)} ratings are stored. You were rater ${rater}; you can close this page.`],
    [['Start as another rater', () => begin(true)]],
  );
  sheetActions.querySelector('button')?.classList.remove('main');
}

/** @param {string} id */
function loading(id) {
  const one = new Image();
  one.draggable = false;
  one.alt = 'picture to rate';
  one.src = `/pictures/${id}.png`;
  return one;
}

/** Shows what the server says comes next. @param {State} state */
async function show(state) {
  if (state.stage === 'welcome') return welcome(state);
  if (state.stage === 'done') return done(state);
  ready = false;
  shown = state;
  sheet.hidden = true;
  desk.hidden = false;
  desk.classList.toggle('examples', state.stage === 'examples');
  stage.setAttribute('aria-busy', 'true');
  count.textContent = `${state.stage === 'examples' ? 'Example ' : ''}${number(state.place + 1)} / ${number(state.total)}`;
  progress.max = state.total;
  progress.value = state.place;
  for (const button of buttons) {
    const isExample = state.stage === 'examples' && Number(button.value) === state.score;
    button.classList.remove('chosen');
    button.classList.toggle('shown', isExample);
    button.disabled = state.stage === 'examples' && !isExample;
  }
  if (state.stage === 'examples') {
    const strong = document.createElement('b');
    strong.textContent = state.score === 1 ? '1 (bad)' : '5 (excellent)';
    question.replaceChildren('This quality is a ', strong, `. Press ${state.score} to go on.`);
  } else question.replaceChildren('How good is the quality of this picture?');
  tell('');
  const { id } = state.picture;
  const one = early?.src.endsWith(`/${id}.png`) ? early : loading(id);
  stage.replaceChildren();
  await decoded(one, id);
  if (shown !== state) return; // Paused meanwhile.
  image = one;
  place();
  stage.replaceChildren(one);
  place(); // Once more: a picture larger than the stage brings scroll bars.
  stage.scrollTo(0, 0);
  early = state.next === null ? undefined : loading(state.next);
  // A key that was meant for the picture before must not rate one that was not seen yet.
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  ready = shown === state;
  stage.setAttribute('aria-busy', String(!ready));
}

/** Waits until a picture can be shown at once. @param {HTMLImageElement} one @param {string} id */
async function decoded(one, id) {
  for (let pause = 500; ; pause = Math.min(2 * pause, 5000)) {
    try {
      return await one.decode();
    } catch {
      tell('This picture does not arrive. Trying again.', true);
      await wait(pause);
      // Finds out whether this browser may still see pictures.
      await ask('/api/state').catch(error => {
        if (error instanceof AnswerError && error.status < 500) throw error;
      });
      one.src = `/pictures/${id}.png?again=${Date.now()}`;
    }
  }
}

/**
 * Puts the picture on whole device pixels, one for each of its own, so that nothing resamples it: scaled by the ratio of
 * the screen, with its corner on a device pixel of the window. By a transform, because browsers round lengths and
 * positions, to 1/64 of a pixel or to whole ones: 85.333 CSS pixels on a screen with three to one would be 255 or 256.
 */
function place() {
  if (!image) return;
  const ratio = window.devicePixelRatio;
  const box = stage.getBoundingClientRect();
  /** @param {number} from @param {number} space CSS pixels @param {number} size device pixels of the picture */
  const begin = (from, space, size) => {
    const middle = from * ratio + Math.max(0, (space * ratio - size) / 2);
    return Math.ceil(middle - 1 / 32) / ratio - from;
  };
  const { naturalWidth: width, naturalHeight: height } = image;
  const x = begin(box.left, stage.clientWidth, width);
  const y = begin(box.top, stage.clientHeight, height);
  image.style.transform = `translate(${x}px, ${y}px) scale(${1 / ratio})`;
}

/** @param {number} score */
async function give(score) {
  const state = shown;
  if (!ready || !state) return;
  if (state.stage === 'examples') {
    if (score !== state.score) return;
    ready = false;
    return await show(await askUntilAnswered('/api/examples', { place: state.place }));
  }
  if (state.stage !== 'rating') return;
  ready = false;
  for (const button of buttons) button.classList.toggle('chosen', Number(button.value) === score);
  const late = setTimeout(() => tell('Storing …'), 400);
  try {
    // The same key at each attempt: the server then knows a vote whose answer was lost.
    await show(await askUntilAnswered('/api/votes', { place: state.place, score, key: newKey() }));
  } finally {
    clearTimeout(late);
  }
}

/** `crypto.randomUUID` needs TLS or the own machine; this does not. */
const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');

/** @param {number} score */
async function rate(score) {
  try {
    await give(score);
  } catch (error) {
    if (!(error instanceof AnswerError) || error.status !== 409) return failed(error);
    // Rated in another tab: go on with what comes now.
    try {
      await show(await ask('/api/state'));
      tell(`${sentence(error.message)} This is the next one.`, true);
    } catch (other) {
      failed(other);
    }
  }
}

async function load() {
  const code = new URLSearchParams(location.hash.slice(1)).get('go-on');
  if (code !== null) return await redeem(code);
  /** @type {State} */
  const state = await ask('/api/state');
  if (state.stage === 'examples' || state.stage === 'rating') return welcomeBack(state);
  await show(state);
}

scale.addEventListener('click', event => {
  const button = event.target instanceof Element ? event.target.closest('button') : null;
  if (!button) return;
  button.blur(); // The space bar would press it again.
  void rate(Number(button.value));
});
element('pause', HTMLButtonElement).addEventListener('click', pause);
document.addEventListener('keydown', event => {
  if (desk.hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === 'Escape') pause();
  else if (/^[1-5]$/.test(event.key)) void rate(Number(event.key));
});
addEventListener('hashchange', () => void attempt(load));
addEventListener('resize', place);
// Zooming changes the ratio without always changing the window's size.
const watchRatio = () => {
  matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener(
    'change',
    () => {
      place();
      watchRatio();
    },
    { once: true },
  );
};
watchRatio();

void attempt(load);
