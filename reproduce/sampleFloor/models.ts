import type { ComparedModel, ModelInput } from '../comparison/plan';
import { smallModels, type MoeInput } from '../mhMoeSmall/models';
import { Problem } from '../problem';

/**
 * Every mechanism once, on an SMoE or its multi-head twin, sized as in mhMoeSmall/models.ts; at width 96 the SMoE is the sample
 * workspace's. Weights are drawn as a config that says nothing has it.
 */
export function floorModels(d: number, layers: number, context: number): ComparedModel[] {
  const f = (8 * d) / 3;
  const small = smallModels({ width: d, layers, context, attentionHeads: 4 });
  const atParity = (slug: string): MoeInput => {
    const moe = small.find((other) => other.slug === slug)?.model.moe;
    if (moe === undefined) throw new Problem(`There is no sparse model ${slug}.`);
    return moe;
  };
  const [smoe, fineGrained] = [atParity('smoe'), atParity('fine-grained')];
  const [twoHeads, threeHeads] = [atParity('mh-moe-h2'), atParity('mh-moe-h3')];
  const model = (moe?: MoeInput, rest: Partial<ModelInput> = {}): ModelInput => ({
    vocabulary: 256,
    d_model: d,
    layers,
    context,
    attention: { heads: 4 },
    ffn: { width: f },
    ...(moe === undefined ? {} : { moe }),
    ...rest,
  });
  return [
    { name: 'Dense', slug: 'dense', model: model() },
    { name: 'SMoE', slug: 'smoe', model: model(smoe) },
    { name: 'Fine-grained SMoE', slug: 'fine-grained', model: model(fineGrained) },
    { name: 'SMoE and a shared expert', slug: 'shared', model: model({ ...smoe, shared_width: f }) },
    { name: 'MH-MoE, 2 heads', slug: 'mh-moe-h2', model: model(twoHeads) },
    { name: 'MH-MoE, 3 heads', slug: 'mh-moe-h3', model: model(threeHeads) },
    {
      name: 'MH-MoE, 2 heads, of 2404.15045 (cosine router, inner residual)',
      slug: 'mh-moe-original',
      // 2404.15045 Table 9: dimension 16 / heads.
      model: model({ ...twoHeads, inner_residual: true, router: { type: 'cosine', dimension: 8 } }),
    },
    { name: 'SMoE, BitNet ternary', slug: 'bitnet-ternary', model: model(smoe, { bitnet: { weights: 'ternary' } }) },
    { name: 'SMoE, BitNet binary', slug: 'bitnet-binary', model: model(smoe, { bitnet: { weights: 'binary' } }) },
    { name: 'MH-MoE, 2 heads, BitNet ternary', slug: 'mh-moe-bitnet', model: model(twoHeads, { bitnet: { weights: 'ternary' } }) },
    {
      name: 'Fine-grained SMoE, loss-free bias, sigmoid',
      slug: 'loss-free',
      model: model({
        ...fineGrained,
        router: { score: 'sigmoid', select: 'top_k_biased', balance: 'loss_free' },
      }),
    },
    { name: 'SMoE, capacity factor 1.25', slug: 'capacity', model: model({ ...smoe, router: { capacity_factor: 1.25 } }) },
    {
      name: 'SMoE, expert choice',
      slug: 'expert-choice',
      model: model({ ...smoe, router: { select: 'expert_choice', balance: 'none' } }),
    },
  ];
}
