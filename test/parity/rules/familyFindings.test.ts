import { describe, expect, it } from 'vitest';
import { fixesOf } from '../../../src/config/fixes';
import { applyEdits } from '../../../src/config/edit/keyEdits';
import type { PathFinding } from '../../../src/config/pathFinding';
import { atOnce } from '../../../src/config/steps';
import { modelCost } from '../../../src/parity/closedForm/modelCost';
import { parityFindingsOfMembers } from '../../../src/parity/rules/parityRules';
import { findingsOf, inputOf, load } from './compare';

/** A routed layer of 2411.16205 and its plain twin: d = 768, SwiGLU experts of 2048 x 8. */
const smoe = `model:
  d_model: 768
  layers: 2
  context: 64
  attention: { heads: 12 }
  ffn: { width: 2048, activation: swiglu }
  moe: { kind: smoe, every: 2, experts: 8, top_k: 1, expert_width: 2048, router: { renormalize: false } }
train: { steps: 100, warmup: 10, batch_tokens: 512, seed: 1 }
`;
/** Equal by three matrices: 768 x 41 (models.md 1.3). */
const mhMoe = `parity: smoe.moe.yaml
${smoe
  .replace('kind: smoe', 'kind: mh-moe, heads: 2')
  .replace('experts: 8, top_k: 1, expert_width: 2048', 'experts: 41, top_k: 2, expert_width: 768')}`;

function found(sweep: string, config = mhMoe, against = smoe): readonly PathFinding[] {
  const texts = { 'a.moe.yaml': `${config}sweep: ${sweep}\n`, 'smoe.moe.yaml': against };
  const { count, baseline } = inputOf(texts);
  const loaded = load('a.moe.yaml', texts);
  if (count === undefined || baseline === undefined) throw new Error('Nothing to compare.');
  const countOf = ({ experiment }: (typeof loaded.members)[number]) => experiment && modelCost(experiment.model);
  return atOnce(parityFindingsOfMembers({ loaded, count, baseline, members: loaded.members, countOf }));
}

const where = ({ severity, code, spots }: PathFinding): string => `${severity} ${code} at ${spots[0]?.path.join(' / ') ?? ''}`;

/** The text without the members that a fix removes. */
function mended(sweep: string, { remedies = [], ...finding }: PathFinding): readonly { readonly title: string; readonly sweep: string }[] {
  const text = `${mhMoe}sweep: ${sweep}\n`;
  const start = { line: 0, character: 0 };
  const at = {
    file: '/lab/a.moe.yaml',
    range: { start, end: start },
    severity: finding.severity,
    code: finding.code,
    message: finding.message,
  };
  return fixesOf({ ...at, remedies }, text).map(({ title, edits }) => ({
    title,
    sweep: applyEdits(text, edits)
      .slice(mhMoe.length + 'sweep: '.length)
      .trimEnd(),
  }));
}

describe('what rules find of the members of a sweep', () => {
  it('names how many differ, and the worst of them with both residuals', () => {
    const sweep =
      '[{}, { model.moe.experts: 48 }, { model.moe.experts: 64 }, { model.moe.expert_width: 1280, model.moe.top_k: 1, model.moe.experts: 25 }]';
    const all = found(sweep);
    expect(all.map(({ message }) => message)).toMatchInlineSnapshot(`
      [
        "1 of 4 members differs from smoe.moe.yaml in MACs, as \`expert_width\` is by the equation for experts of two matrices: expert_width=1280, top_k=1, experts=25, −12.21 % MACs, +0.79 % parameters. expert_width 1280 is what equation 8 of 2411.16205 gives, which is for experts of two matrices; SwiGLU has three, so that this model has −12.2 % MACs with routers (−12.5 % without) of smoe.moe.yaml. By three matrices it is expert_width 1536 with 20.67 experts.",
        "2 of 4 members differ from smoe.moe.yaml in parameters; worst: experts=64, +0.91 % MACs, +53.17 % parameters. The feed-forward layers that differ have 53.17 % more parameters than smoe.moe.yaml (+53.13 % without what chooses experts, +53.17 % with it): a difference in quality may come from capacity alone. Change sizes until both models are as large, or say why not.",
      ]
    `);
    expect(all.map(where)).toMatchInlineSnapshot(`
      [
        "warning two-matrix-parity at sweep / 3 / model.moe.expert_width",
        "warning parameters-off-parity at sweep / 2 / model.moe.experts",
      ]
    `);
    expect(all.every(({ ofMembers }) => ofMembers === true)).toBe(true);
  });

  it('says so at the key of the sweep that causes it', () => {
    const both = '{ model.moe.expert_width: [768, 1024], model.moe.router.balance: [switch, none] }';
    expect(found(both).map(where)).toEqual([
      'warning macs-off-parity at sweep / model.moe.expert_width',
      'warning parameters-off-parity at sweep / model.moe.expert_width',
    ]);
    const task = found('{ model.moe.expert_width: [768], train.steps: [100, 200], train.learning_rate: [0.001] }');
    expect(task.map(where)).toEqual(['warning parity-different-task at sweep / train.steps']);
    expect(task[0]?.message).toBe(
      '1 of 2 members differs from smoe.moe.yaml in the task: expert_width=768, steps=200, learning_rate=0.001. Perplexities do not compare with those of smoe.moe.yaml: train.steps 200 instead of 100. Say the same in both configs.',
    );
  });

  it('is found of members that take away what the baseline has, or bring what it has not', () => {
    const [dense, ...others] = found('[{}, { model.moe: null }]');
    expect(others).toEqual([]);
    expect(dense && where(dense)).toBe('information parameters-off-parity at sweep / 1 / model.moe');
    expect(dense?.message).toMatch(/^1 of 2 members differs from smoe\.moe\.yaml in parameters: moe=none, .*This model is dense/);
    const [peer, switchHead] = [
      '{ model.moe: null, model.product_keys: { experts: 64, heads: 2, top_k: 4, key_width: 16 } }',
      '{ model.attention.moe: { experts: 4, top_k: 2 } }',
    ];
    expect(found(`[{}, ${peer}, ${switchHead}]`).map(({ code }) => code)).toEqual(['macs-off-parity', 'parameters-off-parity']);
    const swept = { 'model.product_keys': peer, 'model.attention.moe': switchHead };
    for (const [key, member] of Object.entries(swept)) {
      const base = smoe.replace('attention: { heads: 12 }', 'attention: { heads: 12, moe: { experts: 4, top_k: 2 } }');
      const ofPeer = base.replace(/ {2}moe: .*/, '  product_keys: { experts: 64, heads: 2, top_k: 4, key_width: 16 }');
      expect(found(`[{}, { ${key}: null }]`, `parity: smoe.moe.yaml\n${ofPeer}`, ofPeer).length, member).toBeGreaterThan(0);
    }
  });

  it('is nothing where they are at parity, or cannot be counted', () => {
    expect(found('{ model.moe.experts: [41, 42], train.learning_rate: [0.001, 0.002] }')).toEqual([]);
    expect(found('{ model.moe.heads: [2, 5] }')).toEqual([]);
  });

  it('is nothing that the config itself is told of already', () => {
    const off = mhMoe.replace('expert_width: 768', 'expert_width: 1024');
    const texts = { 'a.moe.yaml': off, 'smoe.moe.yaml': smoe };
    expect(findingsOf(texts).map(({ code }) => code)).toEqual(['macs-off-parity', 'parameters-off-parity']);
    // Each member has just what the config has.
    expect(found('{ train.learning_rate: [0.001, 0.002] }', off)).toEqual([]);
    // One that is off by something else is worth a finding, which counts all that are off.
    const [macs] = found('[{}, { model.moe.expert_width: 768 }, { model.moe.expert_width: 1536 }]', off);
    expect(macs?.message).toMatch(/^2 of 3 members differ from smoe\.moe\.yaml in MACs; worst: expert_width=1536, /);
  });

  it('lets a family go over seeds, as a mean over several is made', () => {
    expect(found('{ train.seed: [1, 2, 3] }')).toEqual([]);
    expect(findingsOf({ 'a.moe.yaml': mhMoe.replace('seed: 1', 'seed: 2'), 'smoe.moe.yaml': smoe }).map(where)).toEqual([
      'information parity-different-task at train / seed',
    ]);
  });

  it('takes those that differ out of the sweep', () => {
    const [parameters] = found('{ model.moe.experts: [41, 48, 40, 64] }');
    if (parameters === undefined) throw new Error('Nothing found.');
    expect(mended('{ model.moe.experts: [41, 48, 40, 64] }', parameters)).toEqual([
      { title: 'Remove 2 members from the sweep', sweep: '{ model.moe.experts: [41, 40] }' },
    ]);
    const list = '[{}, { model.moe.experts: 64 }, { model.moe.experts: 42 }]';
    const [ofList] = found(list);
    expect(ofList && mended(list, ofList)).toEqual([
      { title: 'Remove experts=64 from the sweep', sweep: '[{}, { model.moe.experts: 42 }]' },
    ]);
    // Values that others have too stay, and so does a sweep that nobody would be left of.
    const [corner] = found('{ model.moe.experts: [41, 48], train.steps: [100, 200] }').filter(
      ({ code }) => code === 'parity-different-task',
    );
    expect(corner?.remedies).toMatchObject([{ changes: [{ path: ['sweep', 'train.steps', 1] }] }]);
    expect(found('{ model.moe.experts: [64, 72] }').map(({ remedies }) => remedies)).toEqual([[]]);
  });
});
