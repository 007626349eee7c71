/**
 * The import rules of docs/architecture.md: rooms only import downwards, and only src/extension knows vscode.
 * Each room lists what it may import; anything else under src/ is an error.
 */
const rooms = {
  graph: [],
  config: [],
  models: ['graph', 'config'],
  parity: ['models', 'graph', 'config'],
  data: ['config'],
  engine: ['graph'],
  training: ['engine', 'models', 'data', 'config', 'graph'],
  runs: ['config'],
  worker: ['training', 'runs', 'engine', 'models', 'data', 'config', 'graph'],
  language: ['worker', 'training', 'runs', 'data', 'parity', 'models', 'config', 'graph'],
  cli: ['language', 'worker', 'training', 'runs', 'engine', 'data', 'parity', 'models', 'config', 'graph'],
  extension: ['language', 'worker', 'runs', 'training', 'data', 'parity', 'models', 'config', 'graph', 'engine'],
};

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-down`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [room, ...allowed].map((name) => `^src/${name}/`) },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'webview-knows-only-the-panel-protocol',
      severity: 'error',
      from: { path: '^webview/' },
      to: { path: '^src/', pathNot: '^src/extension/panels/[A-Za-z-]*protocol\\.ts$' },
    },
    {
      name: 'panel-protocol-is-pure',
      severity: 'error',
      from: { path: '^src/extension/panels/[A-Za-z-]*protocol\\.ts$' },
      to: { path: '^src/', pathNot: '^src/extension/panels/[A-Za-z-]*protocol\\.ts$' },
    },
    {
      // It is the oracle that engines are held against.
      name: 'engines-know-no-reference',
      severity: 'error',
      from: { path: '^src/(engine|training|worker|models)/' },
      to: { path: '^src/graph/reference/' },
    },
    { name: 'only-extension-imports-vscode', severity: 'error', from: { pathNot: '^(src/extension|test/e2e)/' }, to: { path: '^vscode$' } },
    {
      name: 'toolkit-in-one-module',
      severity: 'error',
      from: { path: '^(src|webview)/', pathNot: '^webview/shared/controls\\.ts$' },
      to: { path: '@vscode/webview-ui-toolkit' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
