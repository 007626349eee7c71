import { describe, expect, it } from 'vitest';
import type { ReadText } from '../../src/config/configFile';
import { loadConfig } from '../../src/config/loadConfig';
import type { Experiment } from '../../src/config/schema';
import { branchConfig, type Branch } from '../../src/language/branchConfig';
import { failureRemedy, type FailureRemedy } from '../../src/runs/failureRemedy';
import { load, valid } from '../config/memoryFiles';

const configFile = '/lab/a.moe.yaml';
const reading =
  (files: Readonly<Record<string, string>>): ReadText =>
  (file) =>
    files[file];

function trained(text = valid): Experiment {
  const { experiment } = load(text);
  if (experiment === undefined) throw new Error('Not valid.');
  return experiment;
}

function remedyOf(experiment: Experiment): FailureRemedy {
  const failure = { message: 'Diverged: the loss is NaN, at learning rate 0.001.', advice: '', step: 9, cause: 'diverged' as const };
  const remedy = failureRemedy(experiment, { failure, alarms: [] });
  if (remedy === undefined) throw new Error('No remedy.');
  return remedy;
}

function branched(experiment: Experiment, files: Readonly<Record<string, string>>, remedy = remedyOf(experiment)): Branch | undefined {
  return branchConfig({ id: '20260101-000000-a-abcd', name: 'MH-MoE', experiment, configFile }, remedy, reading(files));
}

/** What the branch says, saved beside the config. */
function loaded(branch: Branch | undefined, files: Readonly<Record<string, string>>): Experiment | undefined {
  return loadConfig('/lab/branch.moe.yaml', reading({ ...files, '/lab/branch.moe.yaml': branch?.text ?? '' })).experiment;
}

describe('a branch of a run with what governs its failure changed', () => {
  it('extends the config and states the change, with the cursor at it', () => {
    const branch = branched(trained(), { [configFile]: valid });
    expect(branch?.text).toMatchInlineSnapshot(`
      "# Branch of MH-MoE (20260101-000000-a-abcd).
      # Diverged: the loss is NaN, at learning rate 0.001.
      # train.learning_rate: 0.001 -> 0.0003
      extends: a.moe.yaml
      name: MH-MoE, learning_rate=0.0003
      train:
        learning_rate: 0.0003
      "
    `);
    const line = branch?.text.split('\n')[branch.position.line] ?? '';
    expect(line.slice(branch?.position.character)).toBe('0.0003');
    expect(loaded(branch, { [configFile]: valid })?.train).toEqual({ ...trained().train, learning_rate: 0.0003 });
  });

  it('states what a sweep, the command line or later edits have made different', () => {
    const experiment = trained(valid.replace('top_k: 2', 'top_k: 4').replace('steps: 2000', 'steps: 50'));
    const edited = valid
      .replace('expert_width: 256', 'expert_width: 512\n    router: { jitter: 0.1, temperature: 1 }')
      .replace('evaluate: { every: 250 }\n', '');
    const branch = branched(experiment, { [configFile]: edited });
    expect(branch?.text).toContain('extends: a.moe.yaml');
    const now = loaded(branch, { [configFile]: edited });
    expect(now?.model).toEqual(experiment.model);
    expect(now?.train).toEqual({ ...experiment.train, learning_rate: 0.0003 });
  });

  it('stands alone where the config is gone, broken, or another experiment altogether', () => {
    const experiment = trained();
    const other = 'model: { d_model: 32, layers: 1, context: 8, attention: { heads: 1 }, ffn: { width: 8 } }\n';
    for (const files of [{}, { [configFile]: 'model: 3\n' }, { [configFile]: other }]) {
      const branch = branched(experiment, files);
      expect(branch?.text).not.toContain('extends:');
      const now = loaded(branch, files);
      expect(now?.model).toEqual(experiment.model);
      expect(now?.data).toEqual(experiment.data);
      expect(now?.train?.learning_rate).toBe(0.0003);
    }
  });

  it('takes away what the run had not', () => {
    const experiment = trained();
    const edited = valid.replace('expert_width: 256', 'expert_width: 256\n    router: { capacity_factor: 1.25 }');
    const branch = branched(experiment, { [configFile]: edited });
    expect(branch?.text).toContain('extends: a.moe.yaml');
    expect(loaded(branch, { [configFile]: edited })?.model).toEqual(experiment.model);
  });

  it('is not offered where it would not be valid', () => {
    const experiment = trained();
    expect(
      branched(experiment, { [configFile]: valid }, { ...remedyOf(experiment), path: ['train', 'batch_tokens'], to: 7 }),
    ).toBeUndefined();
  });
});
