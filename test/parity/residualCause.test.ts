import { describe, expect, it } from 'vitest';
import { residualCause } from '../../src/parity/residualCause';
import { inputOf } from './rules/compare';

const smoe = `model:
  d_model: 96
  layers: 4
  context: 32
  attention: { heads: 4 }
  ffn: { width: 256 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 256 }
`;

function cause(text: string, baseline = smoe): string | undefined {
  const { loaded, count, baseline: against } = inputOf({ 'smoe.moe.yaml': baseline, 'a.moe.yaml': text });
  if (count === undefined || against === undefined) throw new Error('There is nothing to compare.');
  return residualCause({ loaded, count, baseline: against })?.join('.');
}
const variant = (model: string) => `extends: smoe.moe.yaml\nparity: smoe.moe.yaml\nmodel: ${model}\n`;

describe('the key where a residual is best mended', () => {
  it.each([
    // 40 instead of 41.33: what is left is the number of experts.
    ['moe.experts', '{ moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 96 } }'],
    ['moe.top_k', '{ moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 3, expert_width: 96 } }'],
    ['moe.expert_width', '{ moe: { expert_width: 200 } }'],
    ['moe.shared_width', '{ moe: { shared_width: 256 } }'],
    ['moe.experts', '{ moe: { kind: mh-moe, heads: 2, head_layer: false, merge_layer: false, experts: 16, top_k: 1, expert_width: 256 } }'],
    ['ffn.width', '{ ffn: { width: 512 } }'],
    ['attention.kv_heads', '{ attention: { kv_heads: 2 } }'],
    ['attention.head_width', '{ attention: { heads: 2, head_width: 12, moe: { experts: 4, top_k: 4 } } }'],
    ['layers', '{ layers: 6 }'],
    ['d_model', '{ d_model: 192 }'],
    ['vocabulary', '{ vocabulary: 1000 }'],
  ])('is model.%s of %s', (key, model) => {
    expect(cause(variant(model))).toBe(`model.${key}`);
  });

  it('is the number of experts where only routers make a difference', () => {
    expect(cause(variant('{ moe: { experts: 16, top_k: 2, expert_width: 128 } }'))).toBe('model.moe.experts');
    expect(cause(variant('{ moe: { kind: mh-moe, heads: 2, experts: 41, top_k: 2, expert_width: 96 } }'))).toBe('model.moe.experts');
  });

  it('is the one that moves most where nothing is left to mend', () => {
    expect(cause(variant('{ attention: { heads: 2, head_width: 24 }, moe: { expert_width: 256 } }'))).toBe('model.attention.heads');
  });

  it('is none of a config that states no size of its own', () => {
    expect(cause('extends: smoe.moe.yaml\nparity: smoe.moe.yaml\n')).toBeUndefined();
    const apart = { 'base.moe.yaml': variant('{ moe: { experts: 16 } }'), 'a.moe.yaml': 'extends: base.moe.yaml\n', 'smoe.moe.yaml': smoe };
    const { loaded, count, baseline } = inputOf(apart);
    expect(count && baseline && residualCause({ loaded, count, baseline })).toBeUndefined();
  });

  it('never is a key that says what the baseline says', () => {
    expect(cause(variant('{ moe: { expert_width: 256, experts: 8, top_k: 2 } }'))).toBe('model.moe.top_k');
  });

  it('is found where the baseline has no such section', () => {
    const dense = smoe.slice(0, smoe.indexOf('  moe:'));
    expect(cause(variant('{ moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 256 } }'), dense)).toMatch(/^model\.moe\./);
    expect(cause(variant('{ product_keys: { kind: peer, experts: 1024, heads: 4, top_k: 8 } }'), dense)).toMatch(/^model\.product_keys\./);
  });
});
