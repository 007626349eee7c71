import type { ExperimentInput } from '../../src/config/schema';

type ModelInput = ExperimentInput['model'];
type MoeInput = NonNullable<ModelInput['moe']>;

export interface FloorModel {
  readonly name: string;
  readonly slug: string;
  readonly model: ModelInput;
}

/**
 * Every mechanism once, on an SMoE or its multi-head twin; at width 96 the SMoE is the sample workspace's. 8/3 of the width is the hidden width of
 * dense layers and of SMoE's experts; the rest follows by equal MACs and parameters (see mhMoeSmall/models.ts).
 */
export function floorModels(d: number, layers: number, context: number): FloorModel[] {
  const f = (8 * d) / 3;
  const smoe: MoeInput = { kind: 'smoe', every: 2, experts: 8, top_k: 1, expert_width: f };
  const twoHeads: MoeInput = { kind: 'mh-moe', every: 2, heads: 2, experts: 41, top_k: 2, expert_width: d };
  const threeHeads: MoeInput = { kind: 'mh-moe', every: 2, heads: 3, experts: 93, top_k: 3, expert_width: (2 * d) / 3 };
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
    { name: 'Fine-grained SMoE', slug: 'fine-grained', model: model({ ...smoe, experts: 16, top_k: 2, expert_width: f / 2 }) },
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
        ...smoe,
        experts: 16,
        top_k: 2,
        expert_width: f / 2,
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
