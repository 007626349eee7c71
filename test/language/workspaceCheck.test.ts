import { describe, expect, it } from 'vitest';
import { AnalysisStore } from '../../src/language/analysisStore';
import { FindingBoard } from '../../src/language/findingBoard';
import { WorkspaceCheck, type Slices } from '../../src/language/workspaceCheck';

const base = `model:
  d_model: 64
  layers: 2
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 128, router: { balance: switch, balance_weight: 0.01 } }
`;
const variant = (width: number): string => `extends: base.moe.yaml
parity: base.moe.yaml
model: { moe: { expert_width: ${width} } }
`;

/** A workspace of a base and its variants, checked by a clock of its own: every analysis takes 3 ms. */
class Workspace {
  readonly files: Record<string, string> = { '/w/base.moe.yaml': base };
  readonly published: string[] = [];
  readonly store = new AnalysisStore({
    readText: (file) => this.files[file],
    environment: () => ({ severities: {}, memory: null }),
  });
  readonly board = new FindingBoard();
  pauses = 0;
  private time = 0;
  readonly slices: Slices = {
    milliseconds: 8,
    now: () => this.time,
    pause: () => {
      this.pauses += 1;
      return Promise.resolve();
    },
  };
  readonly check = new WorkspaceCheck(
    {
      get: (file) => {
        this.time += 3;
        return this.store.get(file);
      },
      forget: (file) => this.store.forget(file),
    },
    ({ file, findings }) => void this.published.push(...this.board.put(file, findings)),
    this.slices,
  );

  constructor(variants: number) {
    for (let index = 0; index < variants; index++) this.files[`/w/v${index}.moe.yaml`] = variant(128);
  }

  async edit(file: string, text: string): Promise<readonly string[]> {
    this.published.length = 0;
    this.files[file] = text;
    this.check.again(this.store.outdate(file));
    await this.check.idle();
    return this.published;
  }
}

describe('the check of a workspace', () => {
  it('looks at every config, in slices no longer than asked for', async () => {
    const workspace = new Workspace(9);
    workspace.check.setFiles(Object.keys(workspace.files));
    await workspace.check.idle();
    expect(workspace.store.counters.analysesMade).toBe(10);
    // Two of 3 ms fit into 8.
    expect(workspace.check.longestSlice).toBe(6);
    expect(workspace.pauses).toBe(5);
  });

  it('counts configs that say the same once', async () => {
    const workspace = new Workspace(9);
    workspace.check.setFiles(Object.keys(workspace.files));
    await workspace.check.idle();
    expect(workspace.store.counters.programsBuilt).toBe(1);
  });

  it('checks all that name a changed baseline again, open or not, and publishes only what has changed', async () => {
    const workspace = new Workspace(4);
    workspace.files['/w/alone.moe.yaml'] = base;
    workspace.check.setFiles(Object.keys(workspace.files));
    await workspace.check.idle();
    const before = workspace.store.counters;
    const shown = await workspace.edit('/w/base.moe.yaml', base.replace('experts: 8', 'experts: 8, shared_width: 256'));
    expect(shown).toEqual([]);
    const twice = base.replace('expert_width: 128', 'expert_width: 256');
    expect(await workspace.edit('/w/base.moe.yaml', twice)).toEqual([0, 1, 2, 3].map((index) => `/w/v${index}.moe.yaml`));
    expect(workspace.board.of('/w/v0.moe.yaml').map(({ code }) => code)).toEqual(
      expect.arrayContaining(['macs-off-parity', 'parameters-off-parity']),
    );
    // Each time the base is one more program; the first time its variants, which inherit the key, are another one, all the same.
    expect(workspace.store.counters.programsBuilt - before.programsBuilt).toBe(2);
    expect(workspace.store.counters.analysesMade - before.analysesMade).toBe(10);
    // A comment in it is read by all, and tells nobody anything new.
    expect(await workspace.edit('/w/base.moe.yaml', `${twice}# Nothing.\n`)).toEqual([]);
  });

  it('forgets what is no longer there', async () => {
    const workspace = new Workspace(2);
    workspace.files['/w/v1.moe.yaml'] = 'nothing: 1\n';
    workspace.check.setFiles(Object.keys(workspace.files));
    await workspace.check.idle();
    expect(workspace.check.setFiles(['/w/base.moe.yaml'])).toEqual(['/w/v0.moe.yaml', '/w/v1.moe.yaml']);
    expect(workspace.store.known('/w/v1.moe.yaml')).toBeUndefined();
    workspace.published.length = 0;
    workspace.check.again(['/w/v1.moe.yaml']);
    await workspace.check.idle();
    expect(workspace.published).toEqual([]);
  });

  it('takes up what is asked for while it works', async () => {
    const workspace = new Workspace(3);
    workspace.check.setFiles(Object.keys(workspace.files));
    await Promise.resolve();
    workspace.check.again(['/w/base.moe.yaml']);
    await workspace.check.idle();
    const { analysesMade } = workspace.store.counters;
    workspace.check.dispose();
    workspace.store.outdateAll();
    workspace.check.again(['/w/base.moe.yaml']);
    await workspace.check.idle();
    expect(workspace.store.counters.analysesMade).toBe(analysesMade);
  });
});

describe('the check of several folders', () => {
  const codes = (workspace: Workspace, file: string): readonly string[] => workspace.board.of(file).map(({ code }) => code);
  /** Baselines in one folder, what is compared with them in another. */
  async function twoFolders(files: Readonly<Record<string, string>> = {}): Promise<Workspace> {
    const workspace = new Workspace(0);
    delete workspace.files['/w/base.moe.yaml'];
    Object.assign(workspace.files, {
      '/baselines/base.moe.yaml': base,
      '/variants/v.moe.yaml': variant(128).replaceAll('base.moe.yaml', '../baselines/base.moe.yaml'),
      ...files,
    });
    workspace.check.setFiles(Object.keys(workspace.files));
    await workspace.check.idle();
    return workspace;
  }

  it('checks a config again whose baseline has changed in another folder, and nothing else', async () => {
    const workspace = await twoFolders({ '/variants/base.moe.yaml': base });
    expect(codes(workspace, '/variants/v.moe.yaml')).toEqual([]);
    const twice = base.replace('expert_width: 128', 'expert_width: 256');
    const { analysesMade } = workspace.store.counters;
    expect(await workspace.edit('/baselines/base.moe.yaml', twice)).toEqual(['/variants/v.moe.yaml']);
    expect(codes(workspace, '/variants/v.moe.yaml').toSorted()).toEqual(['macs-off-parity', 'parameters-off-parity']);
    expect(workspace.store.counters.analysesMade - analysesMade).toBe(2);
    // Of the same name, in the other folder: nobody's baseline.
    expect(await workspace.edit('/variants/base.moe.yaml', twice)).toEqual([]);
  });

  it('reports circles that go through both, at every config that is in them', async () => {
    const workspace = await twoFolders({
      '/baselines/a.moe.yaml': 'extends: ../variants/a.moe.yaml\n',
      '/variants/a.moe.yaml': 'extends: ../baselines/a.moe.yaml\n',
      '/baselines/b.moe.yaml': `parity: ../variants/b.moe.yaml\n${base}`,
      '/variants/b.moe.yaml': `parity: ../baselines/b.moe.yaml\n${base}`,
    });
    for (const folder of ['/baselines', '/variants']) {
      expect(codes(workspace, `${folder}/a.moe.yaml`)).toEqual(['extends-cycle']);
      expect(codes(workspace, `${folder}/b.moe.yaml`)).toEqual(['parity-cycle']);
    }
    // One of them stands alone: nothing is left of the circle in either folder.
    const shown = await workspace.edit('/baselines/b.moe.yaml', base);
    expect(shown.toSorted()).toEqual(['/baselines/b.moe.yaml', '/variants/b.moe.yaml']);
    expect([...codes(workspace, '/baselines/b.moe.yaml'), ...codes(workspace, '/variants/b.moe.yaml')]).toEqual([]);
  });

  it('still reads baselines of a folder that has left the workspace', async () => {
    const workspace = await twoFolders();
    expect(workspace.check.setFiles(['/variants/v.moe.yaml'])).toEqual(['/baselines/base.moe.yaml']);
    const twice = base.replace('expert_width: 128', 'expert_width: 256');
    expect(await workspace.edit('/baselines/base.moe.yaml', twice)).toEqual(['/variants/v.moe.yaml']);
    // What is wrong in a base is shown in the base, for as long as somebody extends it.
    expect(await workspace.edit('/baselines/base.moe.yaml', base.replace('layers: 2', 'layers: two'))).toContain(
      '/baselines/base.moe.yaml',
    );
    expect(codes(workspace, '/baselines/base.moe.yaml')).toEqual(['invalid-value']);
  });
});
