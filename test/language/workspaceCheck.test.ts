import { describe, expect, it } from 'vitest';
import { AnalysisStore } from '../../src/language/analysisStore';
import type { Steps } from '../../src/config/steps';
import { FindingBoard } from '../../src/language/findingBoard';
import type { Slices } from '../../src/language/slices';
import { WorkspaceCheck } from '../../src/language/workspaceCheck';

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

/** A workspace of a base and its variants, checked by a clock of its own: every step of an analysis takes a millisecond. */
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
      steps: (file) => this.timed(this.store.steps(file)),
      forget: (file) => this.store.forget(file),
    },
    ({ file, findings }) => void this.published.push(...this.board.put(file, findings)),
    this.slices,
  );

  constructor(variants: number) {
    for (let index = 0; index < variants; index++) this.files[`/w/v${index}.moe.yaml`] = variant(128);
  }

  private *timed<Result>(steps: Steps<Result>): Steps<Result> {
    for (;;) {
      const step = steps.next();
      this.time += 1;
      if (step.done === true) return step.value;
      yield;
    }
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
    expect(workspace.check.longestSlice).toBeLessThanOrEqual(8);
    // None of the ten fits in a slice of its own with the pace of a beginner, and together they fit in fewer than they have steps.
    expect(workspace.pauses).toBeGreaterThan(5);
    expect(workspace.pauses).toBeLessThan(50);
  });

  it('leaves the thread to others between the members of a sweep', async () => {
    const workspace = new Workspace(0);
    const widths = Array.from({ length: 64 }, (_, index) => 136 + 8 * index).join(', ');
    workspace.files['/w/family.moe.yaml'] = `${variant(128)}sweep: { model.moe.expert_width: [${widths}] }\n`;
    workspace.check.setFiles(['/w/family.moe.yaml']);
    await workspace.check.idle();
    expect(workspace.store.counters.membersCompared).toBe(64);
    expect(workspace.check.longestSlice).toBeLessThanOrEqual(8);
    // A step each to try them, and one to hold them against the baseline: 16 slices of 8.
    expect(workspace.pauses).toBeGreaterThanOrEqual(16);
    expect(workspace.board.of('/w/family.moe.yaml').map(({ code }) => code)).toEqual(['macs-off-parity', 'parameters-off-parity']);
  });

  it('does not publish what has gone while it was looked at', async () => {
    const workspace = new Workspace(1);
    workspace.files['/w/v0.moe.yaml'] = 'nothing: 1\n';
    workspace.check.setFiles(['/w/v0.moe.yaml']);
    // After its first step.
    await Promise.resolve();
    await Promise.resolve();
    expect(workspace.store.counters.analysesMade).toBe(1);
    expect(workspace.published).toEqual([]);
    workspace.check.setFiles([]);
    await workspace.check.idle();
    expect(workspace.published).toEqual([]);
    expect(workspace.store.known('/w/v0.moe.yaml')).toBeUndefined();
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
