import { describe, expect, it } from 'vitest';
import { launchLadder, workerEnvironment, type LadderFacts } from '../../src/worker/ladder';

const linux: LadderFacts = {
  platform: 'linux',
  nodePath: '',
  environment: { PATH: 'relative:/usr/local/bin:/usr/bin' },
  execPath: '/opt/editor/electron',
  isElectron: true,
  exists: (file) => file === '/usr/bin/node',
};

const shown = (facts: LadderFacts) => launchLadder(facts).map(({ rung, executable }) => `${rung} ${executable}`);

describe('the launch ladder', () => {
  it.each<[string, Partial<LadderFacts>, string[]]>([
    ['Linux: node on PATH, then the editor', {}, ['path /usr/bin/node', 'editor /opt/editor/electron']],
    ['no node anywhere', { exists: () => false }, ['editor /opt/editor/electron']],
    ['the setting comes first', { nodePath: '/my/node' }, ['setting /my/node', 'path /usr/bin/node', 'editor /opt/editor/electron']],
    ['the same program once', { nodePath: '/usr/bin/node', execPath: '/usr/bin/node', isElectron: false }, ['setting /usr/bin/node']],
    ['never from a relative folder of PATH', { exists: (file) => file.startsWith('relative') }, ['editor /opt/editor/electron']],
    [
      'macOS',
      { platform: 'darwin', execPath: '/Applications/Code.app/Electron', environment: { PATH: '/opt/homebrew/bin' }, exists: () => true },
      ['path /opt/homebrew/bin/node', 'editor /Applications/Code.app/Electron'],
    ],
    [
      'Windows, whose PATH may be spelt Path',
      {
        platform: 'win32',
        environment: { Path: 'C:\\Tools;C:\\Program Files\\nodejs' },
        exists: (file) => file === 'C:\\Program Files\\nodejs\\node.exe',
        execPath: 'C:\\Code\\Code.exe',
      },
      ['path C:\\Program Files\\nodejs\\node.exe', 'editor C:\\Code\\Code.exe'],
    ],
    [
      'a remote server, which has a Node of its own',
      { isElectron: false, execPath: '/server/node' },
      ['path /usr/bin/node', 'editor /server/node'],
    ],
  ])('%s', (_, facts, expected) => {
    expect(shown({ ...linux, ...facts })).toEqual(expected);
  });

  it('makes a Node of Electron', () => {
    expect(launchLadder(linux).at(-1)?.environment).toEqual({ ELECTRON_RUN_AS_NODE: '1' });
    expect(launchLadder({ ...linux, isElectron: false }).at(-1)?.environment).toEqual({});
  });

  it('passes nothing of the editor on, and no telemetry', () => {
    const inherited = {
      PATH: '/usr/bin',
      NODE_OPTIONS: '--inspect',
      VSCODE_PID: '1',
      ELECTRON_RUN_AS_NODE: '1',
      VK_ICD_FILENAMES: 'x',
      NOTHING: undefined,
    };
    const largePages = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };
    expect(workerEnvironment(inherited)).toEqual({ ...largePages, PATH: '/usr/bin', VK_ICD_FILENAMES: 'x', ORT_DISABLE_TELEMETRY: '1' });
    expect(workerEnvironment({ GLIBC_TUNABLES: 'own' })['GLIBC_TUNABLES']).toBe('own');
    expect(workerEnvironment(inherited, { ELECTRON_RUN_AS_NODE: '1' })['ELECTRON_RUN_AS_NODE']).toBe('1');
  });
});
