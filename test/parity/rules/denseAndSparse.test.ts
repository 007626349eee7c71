import { describe, expect, it } from 'vitest';
import { findingsOf } from './compare';

const dense = `model:
  d_model: 256
  layers: 4
  context: 128
  attention: { heads: 4 }
  ffn: { width: 1024 }
`;
const told = (model: string, base = dense) =>
  findingsOf({ 'base.moe.yaml': base, 'a.moe.yaml': `extends: base.moe.yaml\nparity: base.moe.yaml\nmodel:\n${model}` }).map(
    ({ severity, code, message }) => ({ finding: `${severity} ${code}`, message }),
  );

const closest = 'What comes the closest on each axis is in `moe-lab solve` and the lens above `parity`.';

describe('a sparse model beside a dense one', () => {
  it('with more parameters at equal MACs is explained, and where the closest on each axis can be found', () => {
    const [only, ...others] = told('  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 1024 }\n');
    expect(others).toEqual([]);
    expect(only?.finding).toBe('information parameters-off-parity');
    expect(only?.message).toContain('The baseline is dense: at equal MACs it cannot have as many parameters as a sparse one');
    expect(only?.message.endsWith(closest)).toBe(true);
  });

  it('with fewer MACs at equal parameters is explained, with more of them it is not: nothing keeps it from being cheaper', () => {
    const [cheaper] = told('  attention: { heads: 2, head_width: 48, moe: { experts: 4, top_k: 1 } }\n  ffn: { width: 976 }\n');
    expect(cheaper?.finding).toBe('information macs-off-parity');
    expect(cheaper?.message.endsWith(closest)).toBe(true);
    const dearer = told('  attention: { heads: 4, head_width: 192, moe: { experts: 1, top_k: 1 } }\n  ffn: { width: 344 }\n');
    expect(dearer.map(({ finding }) => finding)).toEqual(['warning macs-off-parity']);
  });

  it('with fewer parameters is not explained: nothing keeps it from having more', () => {
    const findings = told('  product_keys: { kind: peer, layers: [1], experts: 256, heads: 4, top_k: 16, key_width: 16 }\n');
    expect(findings.map(({ finding }) => finding)).toEqual(['warning macs-off-parity', 'warning parameters-off-parity']);
  });
});
