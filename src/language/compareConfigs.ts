import type { Experiment } from '../config/schema';
import { countModel, type ModelCount } from '../models/count';
import { outlineLanguageModel } from '../models/outline';
import { trainingNeeds } from '../worker/runNeeds';
import { parityView, type ParityOfBoth } from './parityView';
import { keyDifferences, resolvedText, resolvedValue, type KeyDifference } from './resolvedConfig';

/** An experiment of a config or of a run. */
export interface ComparedSide {
  readonly name: string;
  readonly experiment: Experiment;
  /** Where its relative paths start. */
  readonly folder: string;
}

/** A figure that differs. */
export interface CostDifference {
  readonly figure: string;
  readonly unit: 'parameters' | 'MACs/token' | 'bytes' | 'tokens';
  readonly one: number;
  readonly other: number;
  /** Of the second against the first, as a fraction; null where the first has none of it. */
  readonly residual: number | null;
}

/** Two experiments: what differs in them, and in what they cost. */
export interface ConfigComparison {
  readonly names: readonly [string, string];
  /** Their resolved configs as YAML. */
  readonly texts: readonly [string, string];
  /** Whether they are one experiment, whatever they are called. */
  readonly identical: boolean;
  readonly keys: readonly KeyDifference[];
  readonly costs: readonly CostDifference[];
  /** Of the second against the first. */
  readonly parity: ParityOfBoth;
}

export function compareConfigs(one: ComparedSide, other: ComparedSide): ConfigComparison {
  const [left, right] = [figuresOf(one.experiment), figuresOf(other.experiment)];
  const keys = keyDifferences(resolvedValue(one.experiment, one.folder), resolvedValue(other.experiment, other.folder));
  const named = [...left.figures.keys(), ...[...right.figures.keys()].filter((figure) => !left.figures.has(figure))];
  const costs = named.flatMap((figure): CostDifference[] => {
    const [ours, theirs] = [left.figures.get(figure), right.figures.get(figure)];
    const [first, second] = [ours?.value ?? 0, theirs?.value ?? 0];
    if (first === second) return [];
    const unit = ours?.unit ?? theirs?.unit ?? 'parameters';
    return [{ figure, unit, one: first, other: second, residual: first === 0 ? null : second / first - 1 }];
  });
  return {
    names: [one.name, other.name],
    texts: [resolvedText(one.experiment, one.folder), resolvedText(other.experiment, other.folder)],
    identical: keys.length === 0,
    keys,
    costs,
    parity: parityView(one.name, right.count, left.count),
  };
}

interface Figure {
  readonly unit: CostDifference['unit'];
  readonly value: number;
}

/** By what a person calls them, in the order of a count. */
function figuresOf(experiment: Experiment): { readonly count: ModelCount; readonly figures: ReadonlyMap<string, Figure> } {
  const outline = outlineLanguageModel(experiment);
  const count = countModel(outline, experiment.model);
  const { parameters: p, macsPerToken: m, routed } = count;
  const figures = new Map<string, Figure>();
  const add = (unit: Figure['unit'], lines: Readonly<Record<string, number>>): void => {
    for (const [figure, value] of Object.entries(lines)) figures.set(figure, { unit, value });
  };
  add('parameters', {
    parameters: p.total,
    'active parameters': p.active,
    'parameters of embeddings': p.embedding,
    'parameters of the output': p.output,
    'parameters of attention': p.attention,
    'parameters of positions': p.position,
    'parameters of dense feed-forward': p.ffn,
    'parameters of experts': p.experts,
    'parameters of shared experts': p.shared,
    'parameters of head layers': p.head,
    'parameters of merge layers': p.merge,
    'parameters of routers': p.router,
    'parameters of norms': p.norm,
  });
  add('MACs/token', {
    MACs: m.total,
    'MACs of attention': m.attention,
    'MACs of the attention core': m.attentionCore,
    'MACs of positions': m.position,
    'MACs of dense feed-forward': m.ffn,
    'MACs of experts': routed.experts,
    'MACs of shared experts': routed.shared,
    'MACs of head layers': routed.head,
    'MACs of merge layers': routed.merge,
    'MACs of routers': m.router,
    'MACs of logits': m.logits,
  });
  const needs = trainingNeeds(experiment, outline);
  if (needs !== null) add('bytes', { 'training memory': needs.memory.host, 'training memory on the device': needs.memory.device });
  const { train } = experiment;
  if (train !== undefined) add('tokens', { 'training tokens': train.steps * train.batch_tokens });
  return { count, figures };
}
