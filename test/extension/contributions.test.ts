import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  Command,
  CONFIG_SUFFIX,
  Context,
  CustomEditor,
  InternalCommand,
  Panel,
  RunItemContext,
  Setting,
  FIXABLE,
  SWEEP,
  VARIES,
  View,
} from '../../src/extension/contributions';

interface Contributed {
  readonly main: string;
  readonly icon: string;
  readonly activationEvents: readonly string[];
  readonly capabilities: {
    readonly untrustedWorkspaces: {
      readonly supported: string;
      readonly description: string;
      readonly restrictedConfigurations: readonly string[];
    };
    readonly virtualWorkspaces: { readonly supported: string; readonly description: string };
  };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category: string; readonly icon?: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when: string }[]>>;
    readonly keybindings: readonly { readonly command: string; readonly when?: string }[];
    readonly configuration: {
      readonly properties: Readonly<Record<string, { readonly scope: string; readonly type: string; readonly default: unknown }>>;
    };
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly icon: string }[]>>;
    readonly viewsContainers: { readonly activitybar: readonly { readonly id: string; readonly icon: string }[] };
    readonly viewsWelcome: readonly { readonly view: string; readonly contents: string; readonly when: string }[];
    readonly walkthroughs: readonly {
      readonly steps: readonly {
        readonly description: string;
        readonly media: { readonly markdown: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
    readonly customEditors: readonly {
      readonly viewType: string;
      readonly selector: readonly { readonly filenamePattern: string }[];
      readonly priority: string;
    }[];
    readonly yamlValidation: readonly { readonly fileMatch: string; readonly url: string }[];
  };
}

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'package.json'), 'utf8');
const manifest = JSON.parse(text) as Contributed;
const { contributes } = manifest;
const known = new Set<string>([...Object.values(Command), ...Object.values(InternalCommand)]);

describe('commands', () => {
  it('contributes exactly the commands that users see', () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual(Object.values(Command).sort());
  });

  it.each(contributes.commands)('titles $command', ({ title, category, icon }) => {
    // Dots where more is asked before anything happens.
    expect(title).toMatch(/^[A-Z][a-z]+( (at|from|to|with|[A-Z][a-z]+(-[A-Z])?))*(\.\.\.)?$/);
    expect(category).toBe('MoE Lab');
    expect(icon).toMatch(/^\$\([a-z-]+\)$/);
  });

  it('places only known commands in menus and on keys', () => {
    const placed = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].map(({ command }) => command);
    expect(placed.filter((command) => !known.has(command))).toEqual([]);
  });

  it('links only to known commands, or to those of VS Code', () => {
    const texts = [
      ...contributes.viewsWelcome.map(({ contents }) => contents),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
    ];
    const linked = texts.flatMap((contents) => [...contents.matchAll(/\(command:([^)]+)\)/g)].map(([, command]) => command ?? ''));
    expect(linked.length).toBeGreaterThan(0);
    expect(linked.filter((command) => !known.has(command) && !/^(vscode|workbench)\./.test(command))).toEqual([]);
  });
});

describe('when clauses', () => {
  const clauses = [...text.matchAll(/"(?:when|enablement)": "((?:[^"\\]|\\.)*)"/g)].map(([, clause]) => clause ?? '');

  it('use only context keys that the extension sets', () => {
    const keys = clauses.flatMap((clause) => clause.match(/moeLab\.\w+/g) ?? []);
    const views: string[] = Object.values(View);
    const contexts: string[] = Object.values(Context);
    expect([...new Set(keys)].filter((key) => !contexts.includes(key) && !views.includes(key))).toEqual([]);
  });

  it('use only values of viewItem that runs have', () => {
    const patterns = clauses.flatMap((clause) =>
      [...clause.matchAll(/viewItem =~ \/(.+?)\/(?:\)| |$)/g)].map(([, pattern = '']) => pattern),
    );
    const contexts = Object.values(RunItemContext).flatMap((context) =>
      ['', FIXABLE].flatMap((fixable) =>
        ['', SWEEP].flatMap((sweep) => ['', VARIES].map((varies) => `${context}${fixable}${sweep}${varies}`)),
      ),
    );
    expect(patterns.length).toBeGreaterThan(0);
    expect(clauses.join(' ').match(/viewItem/g)).toHaveLength(patterns.length);
    // The text of package.json has its backslashes doubled.
    const meant = patterns.map((pattern) => contexts.filter((context) => new RegExp(pattern.replaceAll('\\\\', '\\')).test(context)));
    expect(new Set(meant.map(String))).toEqual(
      new Set(
        [
          contexts.filter((context) => context.startsWith('run.live')),
          contexts.filter((context) => context.startsWith('run.resumable')),
          contexts.filter((context) => context.includes(FIXABLE)),
          contexts.filter((context) => context.includes(SWEEP)),
          contexts.filter((context) => context.endsWith(VARIES)),
        ].map(String),
      ),
    );
  });
});

describe('settings', () => {
  const properties = contributes.configuration.properties;

  it('contributes exactly the settings that the code reads', () => {
    expect(Object.keys(properties).sort()).toEqual(Object.values(Setting).sort());
  });

  it('lets no workspace name programs or paths', () => {
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
    for (const name of [Setting.nodePath, Setting.runsDirectory]) {
      expect(properties[name]?.scope).toBe('machine');
      expect(restricted).toContain(name);
    }
    expect(restricted.filter((name) => !(name in properties))).toEqual([]);
  });

  it.each(Object.entries(properties))('%s has a default of its type', (_, { type, default: preset }) => {
    expect(typeof preset).toBe(type);
  });
});

describe('activation', () => {
  it('waits for YAML, a panel to restore, or a folder with runs', () => {
    expect(manifest.activationEvents).toEqual(['onLanguage:yaml', `onWebviewPanel:${Panel.dashboard}`, 'workspaceContains:.moe-lab/runs']);
  });

  it('says how far it goes without trust and without a disk', () => {
    const { untrustedWorkspaces, virtualWorkspaces } = manifest.capabilities;
    for (const { supported, description } of [untrustedWorkspaces, virtualWorkspaces]) {
      expect(supported).toBe('limited');
      expect(description).toMatch(/\.$/);
    }
  });
});

describe('views', () => {
  it('contributes the run explorer in its own container', () => {
    const [container] = contributes.viewsContainers.activitybar;
    expect(contributes.views[container?.id ?? '']?.map(({ id }) => id)).toEqual(Object.values(View));
  });

  it('welcomes in every situation in which there is no run to list, in one only at a time', () => {
    expect(contributes.viewsWelcome.map(({ when }) => when)).toEqual([
      'workspaceFolderCount == 0',
      'workspaceFolderCount != 0 && !isWorkspaceTrusted',
      `workspaceFolderCount != 0 && isWorkspaceTrusted && ${Context.runtimeMissing}`,
      `workspaceFolderCount != 0 && isWorkspaceTrusted && !${Context.runtimeMissing}`,
    ]);
  });
});

it('offers the config editor for configs, beside the text editor that stays the usual one', () => {
  expect(contributes.customEditors).toMatchObject([
    { viewType: CustomEditor.config, selector: [{ filenamePattern: `*${CONFIG_SUFFIX}` }], priority: 'option' },
  ]);
});

it('names only files that are there', () => {
  const files = [
    manifest.icon,
    ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
    ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.markdown)),
    ...contributes.yamlValidation.map(({ url }) => url),
  ];
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

it('gives the schema to files of the same ending as the language features serve', () => {
  expect(contributes.yamlValidation.map(({ fileMatch }) => fileMatch)).toEqual([`*${CONFIG_SUFFIX}`]);
});
