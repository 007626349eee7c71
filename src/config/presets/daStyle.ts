import type { ExperimentInput } from '../schema';
import type { Preset } from './preset';

/**
 * "DA-style": how many experts a token gets by how important attention makes it. This project's own definition, in the style of 2409.06669.
 */

const paper = 'DA-style (own definition, after 2409.06669)';

type Router = NonNullable<NonNullable<ExperimentInput['model']['moe']>['router']>;

interface Variant {
  readonly id: string;
  readonly title: string;
  readonly router: Router;
  readonly encoder?: true;
}

const balance = { balance: 'top_k', balance_weight: 0.01 } as const;
const varying = { select: 'dynamic', k_min: 1, k_max: 4, ...balance } as const;

const variants: readonly Variant[] = [
  { id: 'causal-fixed', title: 'Two experts for every token', router: balance },
  { id: 'causal', title: 'One to four experts, two aimed at', router: { ...varying, importance: 'entropy' } },
  { id: 'encoder-fixed', title: 'Encoder, two experts for every token', router: balance, encoder: true },
  {
    id: 'encoder',
    title: 'Encoder, one to four experts by the attention that a token receives',
    router: { ...varying, importance: 'received' },
    encoder: true,
  },
];

function experiment({ title, router, encoder }: Variant): ExperimentInput {
  return {
    name: title,
    model: {
      vocabulary: 32_000,
      d_model: 768,
      layers: 12,
      context: encoder ? 512 : 2048,
      ...(encoder ? { objective: 'masked' as const } : {}),
      attention: { heads: 12 },
      ffn: { width: 2048 },
      moe: { kind: 'smoe', every: 2, experts: 16, top_k: 2, expert_width: 1024, router },
    },
  };
}

const gaps = [
  'The equations of 2409.06669 could not be obtained, nor any of its figures: what it says in its abstract, that the importance of a token in attention decides how many experts it gets, is given a definition of its own here (docs/models.md).',
  'Sizes are those of the fine-grained SMoE of 2411.16205, which has nothing to do with that paper.',
];

function preset(variant: Variant): Preset {
  const { id, title, encoder } = variant;
  const twin = `da-style/${encoder ? 'encoder' : 'causal'}-fixed`;
  return {
    id: `da-style/${id}`,
    title,
    paper,
    source: 'arXiv 2409.06669, abstract',
    gaps: id.endsWith('-fixed')
      ? gaps
      : ['Counts are at `top_k: 2` experts a token, the mean that is aimed at; its twin takes as many for every token.', ...gaps],
    flags: ['No reproduction of DA-MoE, and not to be called one.'],
    published: {},
    perplexity: [],
    claims: [],
    ...(`da-style/${id}` === twin ? {} : { baseline: twin }),
    experiment: experiment(variant),
  };
}

export const daStylePresets: readonly Preset[] = variants.map(preset);
