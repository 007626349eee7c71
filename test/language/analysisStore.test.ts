import { beforeEach, describe, expect, it } from 'vitest';
import { atOnce, type Steps } from '../../src/config/steps';
import type { AnalysisEnvironment, ConfigAnalysis } from '../../src/language/analysis';
import { AnalysisStore } from '../../src/language/analysisStore';

const smoe = `model:
  d_model: 64
  layers: 4
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 128, router: { balance: switch, balance_weight: 0.01 } }
train: { steps: 10, batch_tokens: 256, warmup: 1 }
`;
const multiHead = `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe: { kind: mh-moe, heads: 2, experts: 16, top_k: 2, expert_width: 64, router: { balance: top_k } }
`;

describe('the store of analyses', () => {
  let files: Record<string, string>;
  let environment: AnalysisEnvironment;
  let store: AnalysisStore;

  beforeEach(() => {
    files = { '/w/smoe.moe.yaml': smoe, '/w/mh.moe.yaml': multiHead, '/w/other.moe.yaml': smoe.replace('layers: 4', 'layers: 2') };
    environment = { severities: {}, memory: null };
    store = new AnalysisStore({ readText: (file) => files[file], environment: () => environment });
  });

  const edit = (file: string, from: string, to: string): readonly string[] => {
    const text = files[file] ?? '';
    expect(text).toContain(from);
    files[file] = text.replace(from, to);
    return store.outdate(file);
  };
  /** What asking for some analyses adds to the counters. */
  const costOf = (ask: () => unknown): { readonly programs: number; readonly analyses: number } => {
    const before = store.counters;
    ask();
    const { programsBuilt, analysesMade } = store.counters;
    return { programs: programsBuilt - before.programsBuilt, analyses: analysesMade - before.analysesMade };
  };

  it('builds one program for a config and one for its baseline, however often it is asked', () => {
    expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 2, analyses: 1 });
    const analysis = store.get('/w/mh.moe.yaml');
    expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 0, analyses: 0 });
    expect(store.get('/w/mh.moe.yaml')).toBe(analysis);
    expect(analysis.baseline).toMatchObject({ name: 'smoe.moe.yaml', file: '/w/smoe.moe.yaml' });
    expect(analysis.parity?.baseline).toBe('smoe.moe.yaml');
    expect([...analysis.files]).toEqual(['/w/mh.moe.yaml', '/w/smoe.moe.yaml']);
  });

  it('builds one program for each keystroke, and none for the unchanged baseline', () => {
    store.get('/w/mh.moe.yaml');
    for (const width of [65, 66, 67, 68]) {
      edit('/w/mh.moe.yaml', `expert_width: ${width - 1}`, `expert_width: ${width}`);
      expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 1, analyses: 1 });
    }
  });

  it('builds none for a keystroke that changes nothing that is counted, nor for one that is taken back', () => {
    store.get('/w/mh.moe.yaml');
    edit('/w/mh.moe.yaml', 'parity:', '# A comment.\nname: Two heads\nparity:');
    expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 0, analyses: 1 });
    edit('/w/mh.moe.yaml', 'heads: 2', 'heads: 4');
    expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 1, analyses: 1 });
    edit('/w/mh.moe.yaml', 'heads: 4', 'heads: 2');
    expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 0, analyses: 1 });
  });

  it('keeps the very analysis where a file was touched and says the same', () => {
    const analysis = store.get('/w/mh.moe.yaml');
    expect(store.outdate('/w/smoe.moe.yaml')).toEqual(['/w/mh.moe.yaml']);
    expect(costOf(() => store.get('/w/mh.moe.yaml'))).toEqual({ programs: 0, analyses: 0 });
    expect(store.get('/w/mh.moe.yaml')).toBe(analysis);
  });

  it('names what a changed baseline outdates, and nothing else', () => {
    for (const file of Object.keys(files)) store.get(file);
    expect(edit('/w/smoe.moe.yaml', 'experts: 8', 'experts: 16')).toEqual(['/w/smoe.moe.yaml', '/w/mh.moe.yaml']);
    const ask = (): void => Object.keys(files).forEach((file) => store.get(file));
    // The variant states its own experts: only the baseline is another model.
    expect(costOf(ask)).toEqual({ programs: 1, analyses: 2 });
    expect(edit('/w/other.moe.yaml', 'experts: 8', 'experts: 16')).toEqual(['/w/other.moe.yaml']);
  });

  it('looks again for a baseline that was not there', () => {
    files['/w/late.moe.yaml'] = smoe.replace('model:', 'parity: missing.moe.yaml\nmodel:');
    expect(store.get('/w/late.moe.yaml').findings.map(({ code }) => code)).toEqual(['parity-missing']);
    files['/w/missing.moe.yaml'] = smoe;
    expect(store.outdate('/w/missing.moe.yaml')).toEqual(['/w/late.moe.yaml']);
    expect(store.get('/w/late.moe.yaml')).toMatchObject({ findings: [], parity: { macs: 0, parameters: 0 } });
  });

  it('follows cycles of baselines to their end', () => {
    for (const [file, next] of ['ab', 'bc', 'ca'])
      files[`/w/${file}.moe.yaml`] = smoe.replace('model:', `parity: ${next}.moe.yaml\nmodel:`);
    for (const file of ['a', 'b', 'c']) {
      const { findings } = store.get(`/w/${file}.moe.yaml`);
      expect(findings.map(({ code, file: where, range }) => [code, where, range.start.line])).toEqual([
        ['parity-cycle', `/w/${file}.moe.yaml`, 0],
      ]);
    }
    edit('/w/c.moe.yaml', 'parity: a.moe.yaml\n', '');
    expect(store.get('/w/a.moe.yaml').findings).toEqual([]);
  });

  describe('a sweep', () => {
    const family = multiHead + 'sweep: { model.moe.expert_width: [64, 72, 80], model.moe.experts: [16, 24] }\n';
    /** Takes so many steps of an analysis. */
    const take = (steps: Steps<ConfigAnalysis>, amount: number): void => {
      for (let taken = 0; taken < amount; taken++) expect(steps.next().done).toBe(false);
    };

    beforeEach(() => {
      files['/w/mh.moe.yaml'] = family;
    });

    it('is not tried for what is known of the config itself', () => {
      const own = store.own('/w/mh.moe.yaml');
      expect(own.listed).toBe(6);
      expect(own.count).toBeDefined();
      expect(own.parity).not.toBeNull();
      expect(store.counters.membersCompared).toBe(0);
      for (const width of [65, 66]) {
        edit('/w/mh.moe.yaml', `expert_width: ${width - 1}`, `expert_width: ${width}`);
        store.own('/w/mh.moe.yaml');
      }
      expect(store.counters.membersCompared).toBe(0);
      expect(store.known('/w/mh.moe.yaml')).toBeUndefined();
    });

    it('is tried once, by whoever asks first, and the config itself is not analysed again for it', () => {
      edit('/w/mh.moe.yaml', 'parity: smoe', 'parity: other');
      const own = store.own('/w/mh.moe.yaml');
      const steps = store.steps('/w/mh.moe.yaml');
      take(steps, 3);
      const before = store.counters;
      const whole = store.get('/w/mh.moe.yaml');
      expect(whole.loaded.members).toHaveLength(6);
      expect(whole.count).toBe(own.count);
      expect(steps.next()).toEqual({ done: true, value: whole });
      expect(store.own('/w/mh.moe.yaml')).toBe(own);
      const { programsBuilt, analysesMade, membersCompared } = store.counters;
      expect([programsBuilt - before.programsBuilt, analysesMade - before.analysesMade, membersCompared]).toEqual([0, 0, 6]);
      // The baseline, when it changes, has each compared again.
      edit('/w/other.moe.yaml', 'experts: 8', 'experts: 9');
      expect(store.get('/w/mh.moe.yaml').loaded.members).toHaveLength(6);
      expect(store.counters.membersCompared).toBe(12);
    });

    it.each([1, 2, 4, 7, 9, 12])('takes in what changes after %i of its steps', (amount) => {
      const steps = store.steps('/w/mh.moe.yaml');
      take(steps, amount);
      edit('/w/mh.moe.yaml', '[16, 24]', '[16]');
      edit('/w/smoe.moe.yaml', 'experts: 8', 'experts: 9');
      const { loaded, baseline, text } = atOnce(steps);
      expect(loaded.members).toHaveLength(3);
      expect(text).toBe(files['/w/mh.moe.yaml']);
      expect(baseline?.experiment.model.moe?.experts).toBe(9);
      expect(store.get('/w/mh.moe.yaml')).toMatchObject({ loaded, baseline });
    });

    it.each([
      ['mended', '/w/other.moe.yaml', 'experts: none', 'experts: 9'],
      ['broken', '/w/other.moe.yaml', 'experts: 8', 'experts: none'],
      ['changed', '/w/other.moe.yaml', 'experts: 8', 'experts: 9'],
      ['mended, and extended', '/w/smoe.moe.yaml', 'experts: none', 'experts: 9'],
      ['changed, and extended', '/w/smoe.moe.yaml', 'experts: 8', 'experts: 9'],
    ])('takes in a baseline that is %s, after any of its steps', (_, base, before, after) => {
      const own = '/w/mh.moe.yaml';
      files[own] = family.replace('parity: smoe.moe.yaml', `parity: ${base.slice('/w/'.length)}`);
      const text = files[base] ?? '';
      const sources = { readText: (file: string) => files[file], environment: () => environment };
      for (let amount = 1, isOver = false; ; amount++) {
        files[base] = text.replace('experts: 8', before);
        const fresh = new AnalysisStore(sources);
        const steps = fresh.steps(own);
        for (let taken = 0; taken < amount && !isOver; taken++) isOver = steps.next().done === true;
        if (isOver) break;
        files[base] = text.replace('experts: 8', after);
        fresh.outdate(base);
        const { findings, parity } = atOnce(steps);
        const direct = new AnalysisStore(sources).get(own);
        expect({ amount, findings, parity }).toEqual({ amount, findings: direct.findings, parity: direct.parity });
      }
    });

    it.each([1, 5, 12])('takes in other severities after %i of its steps', (amount) => {
      const codes = ({ findings }: ConfigAnalysis): readonly string[] => findings.map(({ code, severity }) => `${severity} ${code}`);
      const steps = store.steps('/w/mh.moe.yaml');
      take(steps, amount);
      environment = { severities: { 'parameters-off-parity': 'error', 'macs-off-parity': 'off' }, memory: null };
      store.outdateAll();
      const made = codes(atOnce(steps));
      expect(made).toContain('error parameters-off-parity');
      expect(made.filter((code) => code.endsWith('macs-off-parity'))).toEqual([]);
    });
  });

  it('applies the severities of the environment, and the room of the machine', () => {
    files['/w/smoe.moe.yaml'] = `${smoe}data: { train: [a.txt] }\n`;
    files['/w/one.moe.yaml'] = smoe.replace('heads: 2 }', 'heads: 2 }\n  objective: masked');
    environment = { severities: {}, memory: { host: 1 << 20 } };
    expect(store.get('/w/smoe.moe.yaml').findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning memory']);
    environment = { severities: { memory: 'error' }, memory: { host: 1 << 20 } };
    expect(store.outdateAll()).toEqual(['/w/smoe.moe.yaml']);
    const [finding] = store.get('/w/smoe.moe.yaml').findings;
    expect(finding).toMatchObject({ code: 'memory', severity: 'error' });
    expect(store.get('/w/smoe.moe.yaml').count).toBeDefined();
    environment = { severities: { memory: 'off' }, memory: { host: 1 << 20 } };
    store.outdateAll();
    expect(costOf(() => expect(store.get('/w/smoe.moe.yaml').findings).toEqual([]))).toEqual({ programs: 0, analyses: 1 });
  });

  it('shows findings in place of figures for a config with errors', () => {
    edit('/w/mh.moe.yaml', 'heads: 2', 'heads: 3');
    const analysis = store.get('/w/mh.moe.yaml');
    expect(analysis).toMatchObject({ count: undefined, parity: null, baseline: undefined, needs: null });
    expect(analysis.findings.some(({ severity }) => severity === 'error')).toBe(true);
    expect(analysis.program()).toBeUndefined();
    expect(store.get('/w/smoe.moe.yaml').program()?.nodes.length).toBeGreaterThan(0);
  });

  it('says at `parity` that a baseline has errors', () => {
    edit('/w/smoe.moe.yaml', 'layers: 4', 'layers: four');
    files['/w/whole.moe.yaml'] = smoe.replace('model:', 'parity: smoe.moe.yaml\nmodel:');
    expect(store.get('/w/whole.moe.yaml').findings).toMatchObject([
      { code: 'parity-invalid', range: { start: { line: 0, character: 0 } } },
    ]);
  });
});
