import { headWidth } from '../config/attentionShape';
import { canDrop, isIsoMac, resultingExperts, unitsPerToken } from '../config/moeShape';
import { isRoutedLayer } from '../config/placement';
import type { Experiment, ModelConfig, MoeConfig } from '../config/schema';
import type { KeyPath } from '../config/yamlTree';
import { expertCapacity } from '../graph/capacity';
import type { ModelCount } from '../models/count';
import { formatAmount } from '../parity/formatCount';

/** A figure that follows from a key's value. */
export interface SizeHint {
  readonly path: KeyPath;
  readonly text: string;
  /** Markdown: how it is computed. */
  readonly tooltip: string;
}

/** The figures that a reader of a config would else compute in their head, key by key; the count has them already. */
export function sizeHints({ model, train }: Experiment, count: ModelCount): readonly SizeHint[] {
  const { moe } = model;
  return [
    ...attentionHints(model, count),
    ...(moe === undefined ? [] : [...routedHints(model, moe, count), ...capacityHint(model, moe, train)]),
    ...retrievalHints(model, count),
    ...(train === undefined ? [] : trainHints(model, train)),
  ];
}

function attentionHints(model: ModelConfig, count: ModelCount): SizeHint[] {
  const { heads, head_width: stated, kv_heads: shared, moe } = model.attention;
  const hint = (text: string, tooltip: string, ...path: KeyPath): SizeHint => ({ path: ['model', 'attention', ...path], text, tooltip });
  const width = headWidth(model);
  return [
    ...(stated === undefined
      ? [hint(`${width} wide`, `Width of a head: \`d_model / heads\` = ${model.d_model} / ${heads}.`, 'heads')]
      : []),
    ...(shared === undefined
      ? []
      : [hint(`${plural(heads / shared, 'query head', 'query heads')} each`, '`heads / kv_heads` (2305.13245).', 'kv_heads')]),
    ...(moe === undefined ? [] : [hint(...selectionsShare(moe.experts, heads, count), 'moe', 'experts')]),
  ];
}

function selectionsShare(experts: number, heads: number, { attention, macsPerToken: macs }: ModelCount): [text: string, tooltip: string] {
  const rest = macs.attention + macs.attentionCore + macs.position;
  return [
    `${experts * heads} in all, selections ${share(attention.selections, rest)} of attention's MACs`,
    `\`heads * experts\` = ${heads} * ${experts}. Choosing among them takes ${formatAmount(attention.selections)} MACs per token, the rest of attention ${formatAmount(rest)} (2312.07987 section 2.2).`,
  ];
}

function routedHints(model: ModelConfig, moe: MoeConfig, { layers }: ModelCount): SizeHint[] {
  const hint = (key: string, text: string, tooltip: string): SizeHint => ({ path: ['model', 'moe', key], text, tooltip });
  const units = unitsPerToken(moe);
  const routed = layers.filter(({ kind }) => kind === moe.kind);
  const [layer] = routed;
  const numbers = Array.from({ length: model.layers }, (_, index) => index).filter((index) => isRoutedLayer(model, index));
  const iso = isIsoMac(moe) ? resultingExperts(model, moe) : undefined;
  const d = model.d_model;
  return [
    ...(moe.kind === 'mh-moe'
      ? [
          hint('heads', `sub-tokens ${d / units} wide`, `\`d_model / heads\` = ${d} / ${units} (2411.16205 Eq. 2).`),
          hint(
            'top_k',
            `${units * moe.top_k} passes per token`,
            `\`heads * top_k\` = ${units} * ${moe.top_k}: each sub-token goes to top_k experts.`,
          ),
        ]
      : []),
    ...(moe.every === undefined
      ? []
      : [hint('every', `${routed.length} of ${model.layers} layers`, `Routed, counted from 0: ${numbers.join(', ') || 'none'}.`)]),
    ...(iso === undefined
      ? []
      : [
          hint('experts', `${iso.experts} by iso_mac`, "`E' = round((left d^2 + n (d / h) f E) / (n (d / h) f'))` (2411.16205 Table 4)."),
          hint('expert_width', `${iso.width} by iso_mac`, "`f' = f + left d / (n k)` (2411.16205 Table 4)."),
        ]),
    ...(layer === undefined
      ? []
      : [
          hint(
            'experts',
            `router ${share(layer.routerMacsPerToken, layer.macsPerToken)} of the layer's MACs`,
            `The router takes ${formatAmount(layer.routerMacsPerToken)} MACs per token and has ${formatAmount(layer.routerParameters)} parameters; the rest of a routed layer takes ${formatAmount(layer.macsPerToken)} and has ${formatAmount(layer.parameters)}. 2411.16205 leaves the router out of its equations.`,
          ),
        ]),
  ];
}

function capacityHint(model: ModelConfig, moe: MoeConfig, train: Experiment['train']): SizeHint[] {
  const { capacity_factor: factor } = moe.router;
  if (train === undefined || factor === undefined || !canDrop(model, moe)) return [];
  const units = train.micro_batch * model.context * unitsPerToken(moe);
  const { experts } = resultingExperts(model, moe);
  const most = expertCapacity(factor, moe.top_k * units, experts);
  return [
    {
      path: ['model', 'moe', 'router', 'capacity_factor'],
      text: `at most ${digits(most)} of ${digits(units)} units each`,
      tooltip: `\`ceil(capacity_factor * top_k * units / experts)\` = ceil(${factor} * ${moe.top_k} * ${units} / ${experts}), units of a microbatch (2006.16668).`,
    },
  ];
}

function retrievalHints({ product_keys: keys }: ModelConfig, { layers }: ModelCount): SizeHint[] {
  const layer = keys && layers.find(({ kind }) => kind === keys.kind);
  if (keys === undefined || layer === undefined) return [];
  const hint = (key: string, text: string, tooltip: string): SizeHint => ({ path: ['model', 'product_keys', key], text, tooltip });
  const root = Math.sqrt(keys.experts);
  return [
    hint(
      'experts',
      `${root}², ${formatAmount(layer.parameters)} expert parameters`,
      `One expert for each pair of ${root} first and ${root} second sub-keys (2407.04153 section 2); parameters of each layer that retrieves.`,
    ),
    hint(
      'top_k',
      `${keys.heads * keys.top_k} experts per token`,
      `The granularity \`heads * top_k\` = ${keys.heads} * ${keys.top_k} (2407.04153 section 2).`,
    ),
  ];
}

function trainHints(
  { context }: ModelConfig,
  { steps, batch_tokens: tokens, micro_batch: windows }: NonNullable<Experiment['train']>,
): SizeHint[] {
  const hint = (key: string, text: string, tooltip: string): SizeHint => ({ path: ['train', key], text, tooltip });
  const microbatches = tokens / (windows * context);
  return [
    hint('steps', `${formatAmount(steps * tokens)} tokens`, `\`steps * batch_tokens\` = ${steps} * ${tokens}.`),
    // Otherwise it is a finding.
    ...(Number.isInteger(microbatches)
      ? [
          hint(
            'batch_tokens',
            `${plural(microbatches, 'microbatch', 'microbatches')} of ${plural(windows, 'window', 'windows')}`,
            `\`batch_tokens / (micro_batch * context)\` = ${tokens} / (${windows} * ${context}).`,
          ),
        ]
      : []),
  ];
}

function plural(number: number, one: string, many: string): string {
  return `${digits(number)} ${number === 1 ? one : many}`;
}

function digits(figure: number): string {
  return figure.toLocaleString('en-US');
}

/** `0.65 %` of what stands beside it. */
function share(part: number, rest: number): string {
  return rest === 0 ? '0.00 %' : `${((part / rest) * 100).toFixed(2)} %`;
}
