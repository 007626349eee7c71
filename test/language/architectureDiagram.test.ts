import { describe, expect, it } from 'vitest';
import { presets } from '../../src/config/presets/catalogue';
import { experimentSchema, type Experiment, type ExperimentInput } from '../../src/config/schema';
import { architectureDiagram, layerNames, type ArchitectureDiagram } from '../../src/language/architectureDiagram';
import { repeatedGroups } from '../../src/language/repeatedGroups';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { outlineLanguageModel } from '../../src/models/outline';

function drawn(input: ExperimentInput): { readonly experiment: Experiment; readonly diagram: ArchitectureDiagram } {
  const experiment = experimentSchema.parse(input);
  return { experiment, diagram: architectureDiagram(buildLanguageModel(experiment), experiment.model.context) };
}

function preset(id: string): ExperimentInput {
  const found = presets.find((one) => one.id === id);
  if (found === undefined) throw new Error(`There is no preset ${id}.`);
  return found.experiment;
}

/** A picture in a few words: groups with what is in a layer of each. */
function sketch({ groups }: ArchitectureDiagram): string[] {
  return groups.map(
    ({ times, layers }) =>
      `${times} x ${layers.map(({ blocks }) => blocks.map(({ kind, size }) => `${kind} (${size})`).join(' + ')).join(' | ')}`,
  );
}

describe('the diagram of a program', () => {
  it('draws layers that repeat once: MH-MoE in every second of twelve', () => {
    const { diagram } = drawn(preset('mh-moe/table-1/mh-moe-2'));
    expect(sketch(diagram)).toEqual([
      '6 x attention (12 heads of 64) + dense (768 → 2,048, 3 matrices) | attention (12 heads of 64) + routed (40 experts, top 2 of each of 2 sub-tokens)',
    ]);
    expect(diagram.groups[0]?.layers[1]?.indices).toEqual([1, 3, 5, 7, 9, 11]);
    const routed = diagram.groups[0]?.layers[1]?.blocks[1];
    expect(routed?.parts).toEqual([
      { title: 'Head layer', size: '768 × 768', parameters: 589_824, macsPerToken: 589_824 },
      { title: 'Router', size: '384 → 40', parameters: 15_360, macsPerToken: 30_720 },
      { title: 'Experts', size: '40 × (384 → 768), top 2 of each of 2 sub-tokens', parameters: 35_389_440, macsPerToken: 3_538_944 },
      { title: 'Merge layer', size: '768 × 768', parameters: 589_824, macsPerToken: 589_824 },
    ]);
  });

  it('shows a first layer that is unlike the others, and grouped queries', () => {
    expect(sketch(drawn(preset('deepseek-moe-16b')).diagram).map((group) => group.split(' + ')[1])).toEqual([
      'dense (2,048 → 10,944, 3 matrices)',
      'routed (64 experts, top 6)',
    ]);
    expect(sketch(drawn(preset('mixtral-8x7b')).diagram)).toEqual([
      '32 x attention (32 heads of 128, 8 for keys and values) + routed (8 experts, top 2)',
    ]);
  });

  it('shows the selections and experts of SwitchHead', () => {
    const { diagram } = drawn(preset('switchhead/c4-47m/switchhead'));
    const attention = diagram.groups[0]?.layers[0]?.blocks[0];
    expect(attention).toMatchObject({ title: 'SwitchHead attention', size: '2 heads of 76, relative positions' });
    expect(attention?.parts).toMatchObject([
      { title: 'Selection', size: 'both sides', parameters: 2 * 412 * 10 },
      { title: 'Experts', size: '5 a head, top 3', parameters: 2 * 10 * 412 * 76 },
    ]);
  });

  it('shows where a model retrieves by product keys', () => {
    const { diagram } = drawn(preset('peer/n-256'));
    expect(diagram.groups.map(({ times }) => times)).toEqual([5, 1, 6]);
    expect(diagram.groups[1]?.layers[0]?.blocks[1]).toMatchObject({
      kind: 'retrieval',
      size: '65,536, 128 for a token',
      parts: [{ title: 'Queries and keys' }, { title: 'Experts of one neuron', parameters: 2 * 65_536 * 768 }],
    });
  });

  it('has a shared expert, and says up to where numbers of experts vary', () => {
    const { diagram } = drawn({
      model: {
        d_model: 32,
        layers: 2,
        context: 16,
        attention: { heads: 2 },
        ffn: { width: 64 },
        moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 24, shared_width: 8, every: 1, router: { select: 'top_p', k_max: 3 } },
      },
    });
    expect(diagram.groups[0]?.layers[0]?.blocks[1]?.parts).toMatchObject([
      { title: 'Router' },
      { title: 'Experts', size: '4 × (32 → 24), up to 3' },
      { title: 'Shared expert', size: '8 wide', parameters: 3 * 32 * 8 },
    ]);
  });

  // Every architecture is among them.
  it.each(presets.map(({ id }) => id).filter((_, index) => index % 6 === 0))('%s: its blocks add up to what is counted', (id) => {
    const { experiment, diagram } = drawn(preset(id));
    const { parameters, macsPerToken } = countModel(buildLanguageModel(experiment), experiment.model);
    const blocks = diagram.groups.flatMap(({ layers }) =>
      layers.flatMap(({ indices, blocks: some }) => some.map((block) => ({ times: indices.length, block }))),
    );
    const sum = (figure: 'parameters' | 'macsPerToken'): number =>
      diagram.input[figure] + diagram.output[figure] + blocks.reduce((total, { times, block }) => total + times * block[figure], 0);
    expect(sum('parameters')).toBe(parameters.total);
    expect(sum('macsPerToken')).toBeCloseTo(macsPerToken.total, 3);
    expect(diagram.total).toMatchObject({ parameters: parameters.total });
    const indices = diagram.groups.flatMap(({ layers }) => layers.flatMap((layer) => layer.indices)).toSorted((a, b) => a - b);
    expect(indices).toEqual(Array.from({ length: experiment.model.layers }, (_, index) => index));
    // Of the outline, which takes a tenth of the time, the same picture.
    expect(architectureDiagram(outlineLanguageModel(experiment), experiment.model.context)).toEqual(diagram);
    // What is in no part of a block is its norm.
    for (const { block } of blocks) {
      if (block.kind !== 'routed') continue;
      const inParts = block.parts.reduce((total, part) => total + part.macsPerToken, 0);
      expect(inParts).toBeCloseTo(block.macsPerToken, 3);
    }
  });

  it('says in words what it shows', () => {
    const { description } = drawn(preset('mh-moe/table-1/mh-moe-2')).diagram;
    expect(description).toContain('A model of 300.7 M parameters');
    expect(description).toContain('6 times: Layers 0, 2, 4, … 10. Attention: 12 heads of 64;');
    expect(description).toContain('Router 384 → 40 (15.36 k parameters, 30.72 k MACs/token)');
  });
});

describe('repeated groups', () => {
  const grouped = (text: string): string[] =>
    repeatedGroups([...text], (letter) => letter).map(({ times, items }) => `${times}${items.map(([first]) => first).join('')}`);

  it.each([
    ['aaaa', ['4a']],
    ['ababab', ['3ab']],
    ['abbbb', ['1a', '4b']],
    ['aaaaabaaaaaa', ['5a', '1b', '6a']],
    ['abababa', ['3ab', '1a']],
    ['abcd', ['1a', '1b', '1c', '1d']],
    ['', []],
  ])('%s', (text, groups) => {
    expect(grouped(text)).toEqual(groups);
  });

  it('names layers as people do', () => {
    expect([[3], [0, 1, 2], [1, 3, 5], [1, 3, 5, 7, 9]].map(layerNames)).toEqual([
      'Layer 3',
      'Layers 0 to 2',
      'Layers 1, 3, 5',
      'Layers 1, 3, 5, … 9',
    ]);
  });
});
