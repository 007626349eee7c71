import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { Command, CustomEditor, InternalCommand, Panel, View } from '../../src/extension/contributions';

/**
 * Activates the bundled entry against a stand-in for the part of VS Code that it touches, which records what is registered. What the
 * commands then do in a real VS Code is for the end-to-end tests.
 */
const root = join(import.meta.dirname, '../..');
let code = '';

beforeAll(async () => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/extension/entry.ts'],
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', './main'],
    supported: { 'dynamic-import': false },
  });
  code = outputFiles[0]?.text ?? '';
});

interface FakeWindow {
  /** Paths of the documents open at activation. */
  readonly open: readonly string[];
  /** Workspace folders that hold `.moe-lab/runs`. */
  readonly foldersWithRuns?: readonly string[];
}

function activate({ open, foldersWithRuns = [] }: FakeWindow) {
  const commands = new Map<string, (...args: unknown[]) => unknown>();
  const views: string[] = [];
  const panels: string[] = [];
  const editors: string[] = [];
  const ran: unknown[][] = [];
  let mainLoads = 0;
  let openLater: (document: unknown) => void = () => undefined;
  const document = (path: string) => ({ uri: { path } });
  const disposable = { dispose: () => undefined };
  const vscode = {
    EventEmitter: class {
      event = () => disposable;
      fire() {}
      dispose() {}
    },
    Uri: { joinPath: ({ path }: { path: string }, ...parts: string[]) => ({ path: [path, ...parts].join('/') }) },
    commands: {
      registerCommand: (id: string, run: (...args: unknown[]) => unknown) => {
        if (commands.has(id)) throw new Error(`command '${id}' already exists`);
        commands.set(id, run);
        return disposable;
      },
    },
    window: {
      createTreeView: (id: string) => {
        views.push(id);
        return disposable;
      },
      registerWebviewPanelSerializer: (type: string) => {
        panels.push(type);
        return disposable;
      },
      registerCustomEditorProvider: (type: string) => {
        editors.push(type);
        return disposable;
      },
    },
    workspace: {
      textDocuments: open.map(document),
      workspaceFolders: foldersWithRuns.map((path) => ({ uri: { path } })),
      onDidOpenTextDocument: (listener: (document: unknown) => void) => {
        openLater = listener;
        return disposable;
      },
      fs: { stat: () => Promise.resolve({}) },
    },
  };
  const main = {
    start: () => ({
      runCommand: (command: string, given: unknown[]) => {
        ran.push([command, given]);
        return 'result';
      },
    }),
  };
  const requireFake = (id: string): unknown => {
    if (id === 'vscode') return vscode;
    if (id === './main') {
      mainLoads += 1;
      return main;
    }
    throw new Error(`the entry requires ${id}`);
  };
  const module = { exports: {} as { activate(context: unknown): void } };
  new Function('require', 'module', 'exports', code)(requireFake, module, module.exports);
  module.exports.activate({ subscriptions: [] });
  return {
    commands,
    views,
    panels,
    editors,
    ran,
    mainLoads: () => mainLoads,
    open: (path: string) => openLater(document(path)),
    settled: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

describe('the entry', () => {
  it('registers every command, the run explorer, the panel and the editor', () => {
    const { commands, views, panels, editors } = activate({ open: [] });
    expect([...commands.keys()].sort()).toEqual([...Object.values(Command), ...Object.values(InternalCommand)].sort());
    expect(views).toEqual([View.runs]);
    expect(panels).toEqual([Panel.dashboard]);
    expect(editors).toEqual(Object.values(CustomEditor));
  });

  it('does not load the extension for other YAML', async () => {
    const host = activate({ open: ['/projects/docker-compose.yaml'] });
    host.open('/projects/mkdocs.yml');
    await host.settled();
    expect(host.mainLoads()).toBe(0);
  });

  it('loads it once for configs, however many', async () => {
    const host = activate({ open: ['/projects/a.moe.yaml'] });
    host.open('/projects/b.moe.yaml');
    await host.settled();
    expect(host.mainLoads()).toBe(1);
  });

  it('loads it in a folder with runs, for the status bar', async () => {
    const host = activate({ open: [], foldersWithRuns: ['/work'] });
    await host.settled();
    await host.settled();
    expect(host.mainLoads()).toBe(1);
  });

  it('hands a command on with its arguments and its result', async () => {
    const host = activate({ open: [] });
    await expect(host.commands.get(Command.stopRun)?.({ directory: '/runs/one' })).resolves.toBe('result');
    expect(host.ran).toEqual([[Command.stopRun, [{ directory: '/runs/one' }]]]);
  });

  it('is a few kilobytes', () => {
    expect(code.length).toBeLessThan(6_000);
  });
});
