/**
 * Which file may import which: the rooms of the house, the folders of the engine, and what only Node can run.
 * `npm run lint` names the rule that an import breaks. Read each list from the bottom of the house to its top.
 */

/** Room → the rooms that it may import besides itself. `index.ts` is the engine and the operations. */
const ROOMS = {
  common: [],
  pages: ['common'],
  files: ['common'],
  engine: ['common', 'files'],
  image: ['common', 'files'],
  methods: ['common', 'files', 'image'],
  kernels: ['common', 'files', 'engine'],
  extend: ['common', 'engine', 'kernels'],
  nn: ['common', 'engine', 'kernels'],
  models: ['common', 'files', 'engine', 'kernels', 'index.ts', 'nn'],
  eval: ['common', 'files', 'pages', 'engine', 'kernels', 'index.ts', 'nn', 'models', 'image', 'methods'],
  train: ['common', 'files', 'pages', 'engine', 'kernels', 'index.ts', 'nn', 'models', 'image', 'methods', 'eval'],
  web: [
    'common',
    'files',
    'pages',
    'engine',
    'kernels',
    'index.ts',
    'nn',
    'models',
    'image',
    'methods',
    'eval',
    'train',
  ],
  mos: ['common', 'files', 'pages', 'image', 'methods', 'eval'],
  tune: ['common', 'files', 'pages', 'engine', 'kernels', 'index.ts', 'nn', 'models', 'image', 'methods', 'train'],
  cli: [
    'common',
    'files',
    'engine',
    'kernels',
    'index.ts',
    'nn',
    'models',
    'image',
    'methods',
    'eval',
    'train',
    'tune',
    'mos',
  ],
};

/** Rooms that may see all, and that no other room may see. */
const OUTSIDE = ['bench', 'test', 'scripts', 'examples'];

/**
 * The engine's folders, floor by floor: each may import itself and those before it. What lies in none of them is the front,
 * which may import all.
 */
const ENGINE_FLOORS = ['basics', 'text', 'device', 'graph', 'program'];

/** The folders of train/, likewise; what lies in none of them stands below all but the first two. */
const TRAIN_FLOORS = [['config', 'pictures'], ['run-folder'], ['report', 'profile'], ['run']];

/** npm packages that run in a browser as well as in Node. All others stay behind a `*.node.ts` or in the rooms below. */
const PACKAGES_FOR_ALL = ['zod'];

/** Code that only ever runs in Node. */
const NODE_CODE = ['\\.node\\.m?[tj]s$', `^(cli|${OUTSIDE.join('|')})/`, '^[^/]+\\.(config\\.ts|js)$'];

const folder = room => (room.includes('.') ? `^${room.replaceAll('.', '\\.')}$` : `^${room}/`);
const floors = (room, folders) => `^${room}/(${folders.join('|')})/`;
const trainFolders = floors => `^train/(${floors.flat().join('|')})/`;
const everyRoom = [...Object.keys(ROOMS), 'index.ts', ...OUTSIDE].map(folder);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...Object.entries({ ...ROOMS, 'index.ts': ['common', 'files', 'engine', 'kernels'] }).map(([room, below]) => ({
      name: `${room}-imports-downwards`,
      comment: `${room} may import ${below.length > 0 ? `itself and ${below.join(', ')}` : 'nothing but itself'}.`,
      severity: 'error',
      from: { path: folder(room) },
      to: { path: everyRoom, pathNot: [room, ...below].map(folder) },
    })),
    ...ENGINE_FLOORS.map((floor, i) => ({
      name: `engine-${floor}-imports-downwards`,
      comment: `engine/${floor} may import ${ENGINE_FLOORS.slice(0, i + 1).join(', ')}, and nothing of the engine's front.`,
      severity: 'error',
      from: { path: floors('engine', [floor]) },
      to: { path: '^engine/', pathNot: floors('engine', ENGINE_FLOORS.slice(0, i + 1)) },
    })),
    ...TRAIN_FLOORS.slice(0, -1).map((floor, i) => ({
      name: `train-floor-${i + 1}-imports-downwards`,
      comment: `${floor.join(', ')} of train/ may not import the folders above: ${TRAIN_FLOORS.slice(i + 1).join(', ')}.`,
      severity: 'error',
      from: { path: trainFolders([floor]) },
      to: { path: trainFolders(TRAIN_FLOORS.slice(i + 1)) },
    })),
    {
      name: 'train-stands-below-its-runs',
      comment: 'Losses, optimizer and trainer may not know of runs, their folders and reports.',
      severity: 'error',
      // The entry point only re-exports.
      from: { path: '^train/[^/]+$', pathNot: '^train/index\\.node\\.ts$' },
      to: { path: trainFolders(TRAIN_FLOORS.slice(1)) },
    },
    {
      name: 'no-circles',
      comment: 'Files that import each other in a circle have no order in which they can be understood.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'node-modules-in-node-code-only',
      comment: 'Code for browsers and Node alike may not import Node’s own modules: put it in a *.node.ts with a twin.',
      severity: 'error',
      from: { pathNot: NODE_CODE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-packages-in-node-code-only',
      comment: `Code for browsers and Node alike may import these packages only: ${PACKAGES_FOR_ALL.join(', ')}.`,
      severity: 'error',
      from: { pathNot: [...NODE_CODE, 'node_modules'] },
      to: { path: 'node_modules', pathNot: PACKAGES_FOR_ALL.map(name => `node_modules/${name}/`) },
    },
    {
      name: 'node-twin-by-condition',
      comment:
        'Code for browsers and Node alike may not name a *.node.ts: import it by its # name, which picks the twin.',
      severity: 'error',
      from: { pathNot: NODE_CODE },
      to: { path: '\\.node\\.ts$', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'imports-exist',
      comment: 'No such file, or no such package in package.json.',
      severity: 'error',
      from: {},
      // A bundler's suffix: it gives the file's address.
      to: { couldNotResolve: true, pathNot: '\\?url$' },
    },
    {
      name: 'shipped-code-needs-no-development-packages',
      comment: 'A package that a user of Daybreak does not get cannot be imported by code that a user runs.',
      severity: 'error',
      // From a clone the command and its threads run the sources through tsx; the built package has none to run.
      from: {
        path: [...Object.keys(ROOMS), 'index.ts'].map(folder),
        pathNot: '^(cli/bin|(methods|train/pictures)/worker\\.node)\\.mjs$',
      },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^node_modules/\\.', '^(dist|coverage|runs|\\.cache)/', '^bench/peers/'] },
    // Types count too: a file that cannot be read without another depends on it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // Not "node": a # name then leads to the browser twin, and a *.node.ts can only be reached by its own name.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
