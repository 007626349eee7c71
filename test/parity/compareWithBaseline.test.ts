import { describe, expect, it } from 'vitest';
import { compareWithBaseline } from '../../src/parity/compareWithBaseline';
import type { CountedConfig } from '../../src/parity/compareWithBaseline';
import { formatAmount, formatCount, formatResidual } from '../../src/parity/formatCount';
import { loadConfig } from '../../src/config/loadConfig';

const smoe = `model:
  vocabulary: 32000
  d_model: 768
  layers: 12
  context: 2048
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }
`;
const twin = `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model: { moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 768 } }
`;

function compare(texts: Readonly<Record<string, string>>): CountedConfig {
  const readText = (file: string): string | undefined => (file.startsWith('/lab/') ? texts[file.slice('/lab/'.length)] : undefined);
  return compareWithBaseline(loadConfig('/lab/a.moe.yaml', readText), readText);
}

describe('compareWithBaseline', () => {
  it('MH-MoE with two heads costs what SMoE costs, router aside (2411.16205, section 3)', () => {
    const { count, parity, findings } = compare({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': twin });
    expect(findings).toEqual([]);
    expect(count?.parameters.total).toBe(300_724_992);
    expect(parity).toEqual({
      baseline: 'smoe.moe.yaml',
      parameters: 300_724_992 / 307_747_584 - 1,
      parametersWithoutRouter: (300_724_992 - 6 * 15_360) / (307_747_584 - 6 * 6_144) - 1,
      macs: 0,
      // Six routed layers, whose routers take 30,720 instead of 6,144 MACs per token.
      macsWithRouter: expect.closeTo((6 * (30_720 - 6_144)) / (147_259_392 + 6 * 6_144), 12),
      // Of the routed layers alone, as the paper prints it.
      compared: {
        scope: 'layers',
        parameters: -1 / 32,
        parametersWithRouter: expect.closeTo((36_569_088 + 15_360) / (37_748_736 + 6_144) - 1, 12),
        macs: 0,
        macsWithRouter: expect.closeTo((30_720 - 6_144) / (4_718_592 + 6_144), 12),
      },
    });
  });

  it('is all zero against itself', () => {
    const { parity } = compare({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': `parity: smoe.moe.yaml\n${smoe}` });
    expect(parity).toEqual({
      baseline: 'smoe.moe.yaml',
      parameters: 0,
      parametersWithoutRouter: 0,
      macs: 0,
      macsWithRouter: 0,
      compared: { scope: 'layers', parameters: 0, parametersWithRouter: 0, macs: 0, macsWithRouter: 0 },
    });
  });

  it('says how attention differs, where it does: SwitchHead and the dense model it is matched to (2312.07987, C4, 262 M)', () => {
    const dense = `model:
  vocabulary: 8000
  d_model: 1024
  layers: 18
  context: 512
  tie_embeddings: false
  attention: { heads: 16, position: xl }
  ffn: { width: 4110, activation: relu }
`;
    const switchHead = `extends: dense.moe.yaml
parity: dense.moe.yaml
model: { attention: { heads: 4, head_width: 112, moe: { experts: 4, top_k: 2 } }, ffn: { width: 4188 } }
`;
    const { parity, findings } = compare({ 'dense.moe.yaml': dense, 'a.moe.yaml': switchHead });
    expect(findings).toEqual([]);
    expect(parity?.attention).toEqual({
      // Selections apart: two dense projections, two of four experts, and positions, against five dense matrices.
      parameters: ((2 + 2 * 4 + 1) * 4 * 112) / (5 * 1024) - 1,
      macs: expect.closeTo(3_288_334_336 / 5_905_580_032 - 1, 12),
    });
  });

  it('counts without a baseline', () => {
    const { count, parity, findings } = compare({ 'a.moe.yaml': smoe });
    expect(count?.parameters.active).toBe(109_566_720);
    expect([parity, findings]).toEqual([null, []]);
  });

  it('says once that the baseline is missing, and still counts', () => {
    const { count, parity, findings } = compare({ 'a.moe.yaml': `parity: smoe.moe.yaml\n${smoe}` });
    expect(count).toBeDefined();
    expect(parity).toBeNull();
    expect(findings.map((finding) => finding.code)).toEqual(['parity-missing']);
  });

  it('says at `parity` what is wrong with the baseline', () => {
    const broken = smoe.replace('top_k: 1', 'top_k: 9');
    const { parity, findings } = compare({ 'smoe.moe.yaml': broken, 'a.moe.yaml': `parity: smoe.moe.yaml\n${smoe}` });
    expect(parity).toBeNull();
    expect(findings).toMatchObject([
      { file: '/lab/a.moe.yaml', severity: 'warning', code: 'parity-invalid', range: { start: { line: 0 } } },
    ]);
    expect(findings[0]?.message).toContain('line 8: `moe.top_k` 9 is more than the 8 experts');
  });

  it('counts nothing of a config with errors', () => {
    const { count, parity, findings } = compare({ 'a.moe.yaml': smoe.replace('layers: 12', 'layers: none') });
    expect([count, parity]).toEqual([undefined, null]);
    expect(findings.map((finding) => finding.code)).toEqual(['invalid-value']);
  });
});

describe('formatCount', () => {
  it('is one line for a person', () => {
    const { count } = compare({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': twin });
    expect(count && formatCount(count)).toBe('300.7 M parameters (≤ 109.6 M active), 147.4 M MACs/token');
  });

  it('marks the active parameters as an upper bound only where sub-tokens may meet in one expert', () => {
    const { count } = compare({ 'a.moe.yaml': smoe });
    expect(count && formatCount(count)).toBe('307.7 M parameters (109.6 M active), 147.3 M MACs/token');
  });

  it('has four digits, in every size', () => {
    const amounts = [0, 940, 999.4, 1000, 12_345, 999_949, 999_950, 13_940_000, 1.5e9, 2e12, 3e15].map(formatAmount);
    expect(amounts).toEqual(['0', '940', '999', '1.000 k', '12.35 k', '999.9 k', '1.000 M', '13.94 M', '1.500 G', '2.000 T', '3000.0 T']);
  });

  it('has a sign for what is not zero', () => {
    expect([-0.03125, 0, 0.0052, -0.00001, 0.5].map((fraction) => formatResidual(fraction))).toEqual([
      '−3.13 %',
      '0.00 %',
      '+0.52 %',
      '0.00 %',
      '+50.00 %',
    ]);
  });
});
