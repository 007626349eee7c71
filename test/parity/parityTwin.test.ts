import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { formatResidual } from '../../src/parity/formatCount';
import { parityTwin, type ParityTwin } from '../../src/parity/parityTwin';
import { compareWithBaseline } from '../../src/parity/compareWithBaseline';
import type { TwinFamily } from '../../src/parity/twinFamily';
import { load, reader } from './rules/compare';

/** Section 3 of 2411.16205. */
const model = `model:
  vocabulary: 32000
  d_model: 768
  layers: 4
  context: 64
  attention: { heads: 12 }
  ffn: { width: 2048 }
`;
const smoe = `${model}  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }\n`;
const multiHead = `${model}  moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 768, projection_bias: true }\n`;

function twinOf(
  text: string,
  family: TwinFamily,
  more: { heads?: number; folder?: string; texts?: Record<string, string> } = {},
): ParityTwin {
  const texts = { ...more.texts, 'a.moe.yaml': text };
  const { experiment } = load('a.moe.yaml', texts);
  return parityTwin({
    configFile: '/lab/a.moe.yaml',
    experiment,
    family,
    folder: more.folder ?? '/lab',
    readText: reader(texts),
    ...(more.heads === undefined ? {} : { heads: more.heads }),
  });
}

/** The twin as it is once it is saved, held against its subject by their programs. */
function counted(text: string, twin: ParityTwin) {
  const readText = reader({ 'a.moe.yaml': text, 'twin.moe.yaml': twin.text });
  const loaded = loadConfig('/lab/twin.moe.yaml', readText);
  expect(loaded.findings).toEqual([]);
  return compareWithBaseline(loaded, readText);
}

const shown = ({ parity: { compared } }: ParityTwin) =>
  [compared.macs, compared.macsWithRouter, compared.parameters, compared.parametersWithRouter].map((one) => formatResidual(one));

describe('a twin at equal cost', () => {
  it('of an SMoE splits tokens: 768 x 41 of two heads, 512 x 93 of three (2411.16205 Eq. 6 to 10 for three matrices)', () => {
    const two = twinOf(smoe, 'mh-moe');
    expect(two.changes).toEqual({ kind: 'mh-moe', heads: 2, experts: 41, top_k: 2, expert_width: 768 });
    expect(shown(two)).toEqual(['0.00 %', '+0.54 %', '−0.78 %', '−0.76 %']);
    const three = twinOf(smoe, 'mh-moe', { heads: 3 });
    expect(three.changes).toEqual({ kind: 'mh-moe', heads: 3, experts: 93, top_k: 3, expert_width: 512 });
    expect(shown(three).slice(0, 3)).toEqual(['0.00 %', '+1.38 %', '0.00 %']);
  });

  it('of an SMoE has more and smaller experts', () => {
    const twin = twinOf(smoe, 'fine-grained');
    expect(twin.changes).toEqual({ kind: 'smoe', experts: 16, top_k: 2, expert_width: 1024 });
    expect(shown(twin)).toEqual(['0.00 %', '+0.13 %', '0.00 %', '+0.02 %']);
  });

  it('of an MH-MoE is the SMoE that it was made from, without the keys of sub-tokens', () => {
    const twin = twinOf(multiHead, 'smoe');
    expect(twin.changes).toMatchObject({ kind: 'smoe', top_k: 1, expert_width: 2048 });
    const { experts, ...moe } = load('t.moe.yaml', { 'a.moe.yaml': multiHead, 't.moe.yaml': twin.text }).experiment.model.moe ?? {};
    expect(experts).toBe(8);
    expect(moe).toMatchObject({ heads: 1, projection_bias: false });
    expect(twin.text).toContain('    heads:\n    projection_bias:\n');
  });

  it('says only what differs, with both residuals of the part and of the model as its heading', () => {
    expect(twinOf(smoe, 'mh-moe').text).toBe(`# MH-MoE twin of a at equal cost: 41 experts of width 768.
# Of the layers that differ: 0.00 % MACs (+0.54 % with routers), −0.78 % parameters (−0.76 % with
# routers).
# Of the whole model: 0.00 % MACs (+0.10 % with routers), −0.48 % parameters.
extends: a.moe.yaml
name: a, MH-MoE (2 heads)
parity: a.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 2
    experts: 41
    top_k: 2
    expert_width: 768
`);
  });

  it.each<[string, string, TwinFamily]>([
    ['SMoE', smoe, 'mh-moe'],
    ['SMoE', smoe, 'fine-grained'],
    ['MH-MoE', multiHead, 'smoe'],
    ['MH-MoE', multiHead, 'fine-grained'],
    ['with a shared expert', smoe.replace('expert_width: 2048', 'expert_width: 2048, shared_width: 512'), 'mh-moe'],
    ['of two matrices', smoe.replace('{ width: 2048 }', '{ width: 2048, activation: relu }'), 'mh-moe'],
    ['iso_mac', multiHead.replace('projection_bias: true', 'head_layer: false, ablation: iso_mac'), 'smoe'],
    ['dense', model, 'smoe'],
    ['dense', model, 'mh-moe'],
  ])('is what it promises once its program is counted: of %s (%#)', (_, text, family) => {
    const twin = twinOf(text, family);
    const { parity } = counted(text, twin);
    expect(parity).toMatchObject({
      compared: Object.fromEntries(
        Object.entries(twin.parity.compared).map(([key, value]) => [key, typeof value === 'number' ? expect.closeTo(value, 12) : value]),
      ),
    });
    expect(Math.abs(twin.parity.compared.macs)).toBeLessThan(0.01);
    if (text !== model) expect(Math.abs(twin.parity.compared.parameters)).toBeLessThan(0.05);
  });

  it('of a dense model has eight experts, each of them its network', () => {
    expect(twinOf(model, 'smoe').changes).toEqual({ kind: 'smoe', experts: 8, top_k: 1, expert_width: 2048 });
    expect(twinOf(model, 'mh-moe').changes).toMatchObject({ experts: 41, expert_width: 768 });
  });

  it('goes to another folder, and keeps what its subject extends', () => {
    const texts = { 'base.moe.yaml': smoe };
    const twin = twinOf('extends: base.moe.yaml\nname: Ours\nparity: base.moe.yaml\n', 'mh-moe', { folder: '/lab/twins', texts });
    expect(twin.text).toContain('extends: ../a.moe.yaml\nname: Ours, MH-MoE (2 heads)\nparity: ../a.moe.yaml\n');
  });

  it('takes another balance where its subject has one for a single choice', () => {
    const twin = twinOf(smoe.replace('expert_width: 2048', 'expert_width: 2048, router: { balance: switch }'), 'mh-moe');
    expect(twin.text).toContain('    router:\n      balance: gshard_first\n');
  });

  it('says what it is warned of', () => {
    const twin = twinOf(multiHead.replace('projection_bias: true', 'router: { renormalize: true }'), 'smoe');
    expect(twin.cautions).toEqual([expect.stringMatching(/renormal/)]);
    expect(twin.text).toContain('# Mind: ');
  });

  it.each<[string, string, TwinFamily, number | undefined, RegExp]>([
    ['is of that family', smoe, 'smoe', undefined, /is of that family already/],
    ['cannot be split', smoe, 'mh-moe', 5, /width 768 cannot be split into 5 sub-tokens/],
    ['is split into one', smoe, 'mh-moe', 1, /cannot be split into 1 sub-tokens/],
    [
      'has experts too narrow to pay for projections',
      smoe.replaceAll('2048', '256'),
      'mh-moe',
      undefined,
      /^No number and width of experts/,
    ],
    [
      'varies its k',
      smoe.replace('expert_width: 2048', 'expert_width: 2048, router: { select: dynamic }'),
      'mh-moe',
      undefined,
      /different numbers of experts/,
    ],
    ['retrieves', `${model}  product_keys: { kind: peer, experts: 1024, heads: 2, top_k: 4 }\n`, 'smoe', undefined, /product keys/],
  ])('is none where the subject %s', (_, text, family, heads, message) => {
    expect(() => twinOf(text, family, heads === undefined ? {} : { heads })).toThrow(message);
  });
});
