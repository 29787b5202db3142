// The script of a comparison's page: two versions of a picture, one on each side of a boundary that can be moved, with one zoom for
// both. Plain JavaScript, written into the page as it stands; its types are checked (tsconfig.json beside it).

/**
 * What the page holds of each picture. Sizes are the original's, in pixels; sources are data URIs.
 * @typedef {{ name: string, width: number, height: number,
 *   versions: readonly { label: string, figures: string, source: string }[] }} Content
 */

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id}`);
  return found;
}

const stage = element('stage', HTMLElement);
const handle = element('handle', HTMLElement);
const zoom = element('zoom', HTMLOutputElement);
const picture = element('picture', HTMLSelectElement);
const sides = ['left', 'right'].map(side => ({
  version: element(side, HTMLSelectElement),
  figures: element(`${side}-figures`, HTMLElement),
  layer: element(`${side}-layer`, HTMLElement),
}));
const [left, right] = sides;
const contents = [...document.querySelectorAll('script[data-name]')];
const rows = [...document.querySelectorAll('button[data-picture]')];

/** The largest zoom, in device pixels for one of the original. */
const MOST = 32;
const STEPS = [1, 2, 3, 4, 6, 8, 12, 16, 24, MOST];

/** @type {Content} What the stage shows. */
let shown;
/** Its place in `contents`. */
let shownIndex = -1;
/**
 * What of the picture is in the middle of the stage, 0 to 1 from its left and top, and how many device pixels each of its own has.
 * Without a scale it fits.
 * @type {{ x: number, y: number, scale?: number | undefined }}
 */
let view = { x: 0.5, y: 0.5 };
/** Where the boundary is, 0 to 1 from the left to the right of what can be seen. */
let split = 0.5;

/** @param {number} value @param {number} least @param {number} most */
const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** Where the picture lies on the stage, in device pixels. */
function geometry() {
  const ratio = window.devicePixelRatio;
  const [width, height] = [stage.clientWidth * ratio, stage.clientHeight * ratio];
  const most = Math.min(width / shown.width, height / shown.height);
  // Magnified, pixels of unequal size would look like faults.
  const fit = most > ratio ? clamp(Math.floor(most), ratio, MOST) : most;
  const scale = view.scale ?? fit;
  const size = { width: shown.width * scale, height: shown.height * scale };
  /** @param {number} space @param {number} length @param {number} middle */
  const begin = (space, length, middle) =>
    Math.round(length <= space ? (space - length) / 2 : clamp(space / 2 - middle * length, space - length, 0));
  return {
    ...{ ratio, width, height, fit, scale, size },
    x: begin(width, size.width, view.x),
    y: begin(height, size.height, view.y),
  };
}

/** Draws everything where it belongs. By transforms, which are exact, while browsers round lengths. */
function place() {
  if (!shown) return;
  const { ratio, width, height, scale, size, x, y } = geometry();
  for (const { layer } of sides) {
    const image = layer.querySelector('img');
    if (!image) continue;
    image.style.transform = `translate(${x / ratio}px, ${y / ratio}px) scale(${scale / ratio})`;
    image.style.imageRendering = size.width > image.naturalWidth * ratio ? 'pixelated' : 'auto';
  }
  const [from, to] = [Math.max(0, x), Math.min(width, x + size.width)];
  const boundary = Math.round(from + split * (to - from)) / ratio;
  right.layer.style.clipPath = `inset(0 0 0 ${boundary}px)`;
  handle.style.left = `${boundary}px`;
  handle.style.top = `${Math.max(0, y) / ratio}px`;
  handle.style.height = `${Math.min(height, size.height) / ratio}px`;
  const part = Math.round(100 * split);
  handle.setAttribute('aria-valuenow', String(part));
  handle.setAttribute('aria-valuetext', `${part} % ${shown.versions[left.version.selectedIndex].label}`);
  zoom.value = `${Math.round(100 * scale)} %`;
  stage.classList.toggle('fits', view.scale === undefined);
}

/** @param {number} to */
function moveBoundary(to) {
  split = clamp(to, 0, 1);
  place();
}

/** Moves the boundary to a place in the window. @param {number} clientX */
function dragBoundary(clientX) {
  const { ratio, width, size, x } = geometry();
  const [from, to] = [Math.max(0, x), Math.min(width, x + size.width)];
  moveBoundary(((clientX - stage.getBoundingClientRect().left) * ratio - from) / (to - from));
}

/** @param {number} dx CSS pixels @param {number} dy */
function pan(dx, dy) {
  const { ratio, width, height, size, x, y } = geometry();
  view.x = (width / 2 - x - dx * ratio) / size.width;
  view.y = (height / 2 - y - dy * ratio) / size.height;
  place();
}

/**
 * Zooms, and keeps what is at a place of the window where it is. Below the zoom at which it fits, it fits.
 * @param {number} to @param {{ clientX: number, clientY: number }} [at] default: the middle
 */
function zoomTo(to, at) {
  const { ratio, width, height, fit, scale, size, x, y } = geometry();
  const box = stage.getBoundingClientRect();
  const [px, py] = at ? [(at.clientX - box.left) * ratio, (at.clientY - box.top) * ratio] : [width / 2, height / 2];
  const next = clamp(to, fit, MOST);
  const grown = next / scale;
  view = {
    x: (width / 2 - (px - (px - x) * grown)) / (size.width * grown),
    y: (height / 2 - (py - (py - y) * grown)) / (size.height * grown),
    scale: next > fit ? next : undefined,
  };
  place();
}

/** @param {1 | -1} direction */
function zoomStep(direction) {
  const { scale, fit } = geometry();
  const next = direction > 0 ? STEPS.find(step => step > scale) : STEPS.findLast(step => step < scale);
  zoomTo(next ?? (direction > 0 ? MOST : fit));
}

/** Shows a region of the original as large as it fits. @param {number[]} region x, y, width, height */
function showRegion([x, y, width, height]) {
  const { ratio } = geometry();
  const most = Math.min((stage.clientWidth * ratio) / width, (stage.clientHeight * ratio) / height);
  view = {
    x: (x + width / 2) / shown.width,
    y: (y + height / 2) / shown.height,
    scale: clamp(most > 1 ? Math.floor(most) : most, 0, MOST),
  };
  place();
}

let turn = 0;
/** Shows what is chosen, both sides at once. */
async function show() {
  const mine = ++turn;
  stage.setAttribute('aria-busy', 'true');
  const index = picture.selectedIndex;
  /** @type {Content} */
  const content = index === shownIndex ? shown : JSON.parse(contents[index].textContent ?? '');
  const images = await Promise.all(
    sides.map(async ({ version }) => {
      const { label, source } = content.versions[version.selectedIndex];
      const image = new Image(content.width, content.height);
      image.alt = `${content.name}, ${label}`;
      image.draggable = false;
      image.src = source;
      await image.decode().catch(() => {}); // Then the browser shows that it cannot.
      return image;
    }),
  );
  if (mine !== turn) return;
  [shown, shownIndex] = [content, index];
  for (const [i, { version, figures, layer }] of sides.entries()) {
    figures.textContent = content.versions[version.selectedIndex].figures;
    layer.replaceChildren(images[i]);
  }
  for (const [i, row] of rows.entries()) row.setAttribute('aria-current', String(i === index));
  place();
  stage.setAttribute('aria-busy', 'false');
}

/** @param {HTMLSelectElement} select @param {number} index */
function choose(select, index) {
  if (index < 0 || index >= select.length) return;
  select.selectedIndex = index;
  void show();
}

/** @param {number} by */
const turnPage = by => choose(picture, (picture.selectedIndex + by + picture.length) % picture.length);

function swap() {
  [left.version.selectedIndex, right.version.selectedIndex] = [right.version.selectedIndex, left.version.selectedIndex];
  void show();
}

/** @type {Readonly<Record<string, () => void>>} By `key` of an event; for arrows with Shift, by `Shift+` and key. */
const KEYS = {
  ArrowLeft: () => moveBoundary(split - 0.01),
  ArrowRight: () => moveBoundary(split + 0.01),
  'Shift+ArrowLeft': () => pan(40, 0),
  'Shift+ArrowRight': () => pan(-40, 0),
  'Shift+ArrowUp': () => pan(0, 40),
  'Shift+ArrowDown': () => pan(0, -40),
  x: swap,
  n: () => turnPage(1),
  p: () => turnPage(-1),
  '+': () => zoomStep(1),
  '=': () => zoomStep(1),
  '-': () => zoomStep(-1),
  0: () => zoomTo(0),
};

/** @type {typeof KEYS} What only the handle takes from the page. */
const HANDLE_KEYS = {
  Home: () => moveBoundary(0),
  End: () => moveBoundary(1),
  PageUp: () => moveBoundary(split + 0.1),
  PageDown: () => moveBoundary(split - 0.1),
  ArrowUp: KEYS.ArrowRight,
  ArrowDown: KEYS.ArrowLeft,
};

/** By place, because Shift changes what a digit's key writes. @param {KeyboardEvent} event */
function digitAction({ code, shiftKey }) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(code)?.[1];
  if (digit === undefined) return undefined;
  return () => choose((shiftKey ? left : right).version, Number(digit) - 1);
}

let byKeyboard = false;
addEventListener('pointerdown', () => (byKeyboard = false), true);
addEventListener('keydown', event => {
  byKeyboard = true;
  if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLSelectElement) return;
  const key = event.key.length > 1 ? event.key : event.key.toLowerCase();
  const act =
    KEYS[event.shiftKey && key.startsWith('Arrow') ? `Shift+${key}` : key] ??
    (event.target === handle ? HANDLE_KEYS[key] : undefined) ??
    digitAction(event);
  if (!act || !shown) return;
  event.preventDefault();
  act();
});

/** @type {Map<number, PointerEvent>} Fingers and pressed buttons on the stage, where they were last. */
const pointers = new Map();
/** @type {'boundary' | 'picture' | undefined} What a drag moves, once it is one. */
let dragged;

stage.addEventListener('pointerdown', event => {
  if (event.button !== 0 || !shown) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  dragged = event.target instanceof Node && handle.contains(event.target) ? 'boundary' : undefined;
});
stage.addEventListener('pointermove', event => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
  if (pointers.size === 1) {
    if (!dragged && Math.hypot(dx, dy) < 4) return;
    dragged ??= view.scale === undefined ? 'boundary' : 'picture';
    if (dragged === 'boundary') dragBoundary(event.clientX);
    else pan(dx, dy);
  } else {
    const other = [...pointers.values()].find(one => one.pointerId !== event.pointerId) ?? before;
    /** @param {PointerEvent} one */
    const apart = one => Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
    const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    pan(dx / 2, dy / 2);
    zoomTo((geometry().scale * apart(event)) / apart(before), middle);
    dragged = 'picture';
  }
  pointers.set(event.pointerId, event);
});
for (const end of /** @type {const} */ (['pointerup', 'pointercancel']))
  stage.addEventListener(end, event => pointers.delete(event.pointerId));
stage.addEventListener('dblclick', event => {
  const { fit } = geometry();
  zoomTo(view.scale === undefined ? Math.max(4, 3 * fit) : 0, event);
});
stage.addEventListener(
  'wheel',
  event => {
    // Where there is nothing to zoom out of, the page scrolls. A pinch on a trackpad is a wheel with Ctrl.
    if (!shown || (event.deltaY >= 0 && view.scale === undefined && !event.ctrlKey)) return;
    event.preventDefault();
    const turned = event.deltaY * [1, 16, 400][event.deltaMode];
    zoomTo(geometry().scale * Math.exp(-turned * (event.ctrlKey ? 0.01 : 0.002)), event);
  },
  { passive: false },
);

for (const select of [picture, left.version, right.version]) {
  select.addEventListener('change', () => {
    void show();
    // So that the keys work at once: a list that is focused takes them for itself.
    if (!byKeyboard) handle.focus({ preventScroll: true });
  });
}
/** @param {string} id @param {() => void} act */
const onClick = (id, act) => element(id, HTMLButtonElement).addEventListener('click', act);
onClick('previous', () => turnPage(-1));
onClick('next', () => turnPage(1));
onClick('swap', swap);
onClick('closer', () => zoomStep(1));
onClick('farther', () => zoomStep(-1));
onClick('fit', () => zoomTo(0));
for (const [i, row] of rows.entries()) {
  row.addEventListener('click', () => {
    choose(picture, i);
    stage.scrollIntoView({ block: 'nearest' });
  });
}

for (const content of contents) picture.add(new Option(content.getAttribute('data-name') ?? ''));
for (const id of ['previous', 'next']) element(id, HTMLElement).hidden = contents.length === 1;
new ResizeObserver(place).observe(stage);
addEventListener('resize', place); // Zooming the whole page changes the ratio of pixels without always changing the stage.
await show();
if (stage.dataset.region) showRegion(stage.dataset.region.split(',').map(Number));
