import { describe, expect, it } from 'vitest';
import type { LoadedConfig } from '../../src/config/configFile';
import { familyLens } from '../../src/extension/language/lensTexts';
import { hoverAt } from '../../src/language/hover';
import { familyCells, familyJson, familyMarkdown, familySentence, familyTable } from '../../src/language/familyTable';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { comparedResiduals } from '../../src/parity/comparedPart';
import { load } from '../config/memoryFiles';

/** A routed layer of 2411.16205 and its plain twin: d = 768, SwiGLU experts of 2048 x 8. */
const smoe = `
model:
  d_model: 768
  layers: 2
  context: 64
  attention: { heads: 12 }
  ffn: { width: 2048, activation: swiglu }
  moe: { kind: smoe, every: 2, experts: 8, top_k: 1, expert_width: 2048, router: { renormalize: false } }
`;
const mhMoe = smoe
  .replace('kind: smoe', 'kind: mh-moe, heads: 2')
  .replace('experts: 8, top_k: 1, expert_width: 2048', 'experts: 40, top_k: 2, expert_width: 768');

const counted = ({ experiment }: LoadedConfig) => experiment && countModel(buildLanguageModel(experiment), experiment.model);

function family(sweep: string, config = mhMoe) {
  const loaded = load(`${config}sweep: ${sweep}\n`);
  const baseline = counted(load(smoe));
  const table = familyTable({ loaded, count: counted(loaded), baseline: baseline && { name: 'smoe.moe.yaml', count: baseline } });
  if (table === undefined) throw new Error('No table.');
  return { table, loaded };
}

describe('what the members of a sweep cost', () => {
  const { table, loaded } = family(
    '[{}, { model.moe.experts: 41 }, { model.moe.heads: 3, model.moe.top_k: 3, model.moe.experts: 96, model.moe.expert_width: 512 }]',
  );

  it('is what their programs count, each against the baseline', () => {
    const theirs = counted(load(smoe));
    expect(table.against).toBe('smoe.moe.yaml');
    for (const [index, { experiment }] of loaded.members.entries()) {
      const ours = experiment && countModel(buildLanguageModel(experiment), experiment.model);
      if (ours === undefined || theirs === undefined) throw new Error('Not counted.');
      expect(table.rows[index]).toMatchObject({ count: ours, parity: comparedResiduals(ours, theirs) });
    }
  });

  it('shows both axes with and without router', () => {
    expect(familyMarkdown(table)).toMatchInlineSnapshot(`
      "|  | member | parameters | active | MACs/token | residual MACs | with router | residual parameters | with router |
      | --: | :-- | --: | --: | --: | --: | --: | --: | --: |
      | 1 | \`unchanged\` | 46.22 M | ≤ 14.37 M | 14.58 M | 0.00 % | +0.52 % | −3.13 % | −3.10 % |
      | 2 | \`experts=41\` | 47.11 M | ≤ 14.37 M | 14.58 M | 0.00 % | +0.54 % | −0.78 % | −0.76 % |
      | 3 | \`heads=3, top_k=3, experts=96, expert_width=512\` | 48.59 M | ≤ 14.38 M | 14.62 M | 0.00 % | +1.43 % | +3.13 % | +3.17 % |

      Residuals are of the part that differs, against smoe.moe.yaml."
    `);
    expect(familyCells(table)[2]).toEqual(['2  experts=41', '47.11 M', '≤ 14.37 M', '14.58 M', '0.00 %', '+0.54 %', '−0.78 %', '−0.76 %']);
    expect(familySentence(table)).toMatchInlineSnapshot(
      `"3 members: 46.22 M to 48.59 M parameters, 14.58 M to 14.62 M MACs/token; vs smoe.moe.yaml: +0.52 % to +1.43 % MACs, −3.10 % to +3.17 % parameters (with router)"`,
    );
  });

  it('as other programs read it', () => {
    expect(familyJson(table)).toMatchObject({
      against: 'smoe.moe.yaml',
      members: [{ name: 'unchanged', changes: {}, parity: { scope: 'layers', macs: 0 } }, { changes: { 'model.moe.experts': 41 } }, {}],
    });
  });
});

it('without a baseline the config itself is what members are held against', () => {
  const loaded = load(`${smoe}sweep: { model.moe.expert_width: [1024, 2048] }\n`);
  const table = familyTable({ loaded, count: counted(loaded), baseline: undefined });
  expect(table?.against).toBe('this config');
  expect(table?.rows[1]?.parity).toMatchObject({ macs: 0, parameters: 0, macsWithRouter: 0, parametersWithRouter: 0 });
  expect(table?.rows[0]?.parity?.macs).toBeCloseTo(-0.5, 12);
});

it('a member with errors has no figures, and is said to have errors', () => {
  const { table } = family('{ model.moe.heads: [2, 5] }');
  expect(table.rows[1]).toMatchObject({ name: 'heads=5', count: undefined, parity: null });
  expect(familySentence(table)).toMatch(/^2 members, 1 with errors: /);
  expect(familyCells(table)[2]).toEqual(['2  heads=5', '-', '-', '-', '-', '-', '-', '-']);
  expect(familyJson(table)).toMatchObject({ members: [{}, { parameters: null, macsPerToken: null, parity: null }] });
});

it('there is none without a sweep', () => {
  const loaded = load(smoe);
  expect(familyTable({ loaded, count: counted(loaded), baseline: undefined })).toBeUndefined();
});

it('is shown over the key, and as a lens', () => {
  const loaded = load(`${smoe}sweep: { model.moe.expert_width: [1024, 2048] }\n`);
  const config = { file: loaded.file, loaded, count: counted(loaded), parity: null, baseline: undefined };
  const { start } = loaded.rangeOf(['sweep']) ?? { start: { line: 0, character: 0 } };
  const table = familyTable(config);
  if (table === undefined) throw new Error('No table.');
  for (const beside of ['alone', 'yaml'] as const) expect(hoverAt(config, start, beside)?.markdown).toContain(familyMarkdown(table));
  expect(familyLens(table)).toMatchObject({ title: familySentence(table), action: 'showCount' });
});
