import { headWidth } from '../../config/attentionShape';
import type { AttentionMoeConfig, ModelConfig, MoeConfig, ProductKeysConfig } from '../../config/schema';
import { most } from '../../config/schemaBounds';
import type { Axis } from './equations';

/** A size of a model that the solver may change. */
export interface Knob {
  /** Where it stands in the config, dotted. */
  readonly key: string;
  readonly most: number;
  /** Widths suit hardware as multiples of 8, and so do numbers of experts that are spread over devices. */
  readonly eights: boolean;
  /** Where only squares are possible: then what is solved for is the root. */
  readonly square: boolean;
  /** Which residuals it is there to change: more experts cost MACs only in what chooses them. */
  readonly governs: readonly Axis[];
  readonly of: (model: ModelConfig) => number;
  readonly with: (model: ModelConfig, value: number) => ModelConfig;
}

const both: readonly Axis[] = ['macs', 'parameters'];

/** Experts are held, and a few of them used: how many there are is a matter of parameters, how many are used of MACs. */
function governedBy(name: string): readonly Axis[] {
  if (name === 'experts') return ['parameters'];
  return name === 'top_k' ? ['macs'] : both;
}

export const ffnWidth: Knob = {
  key: 'model.ffn.width',
  most: most.width,
  eights: true,
  square: false,
  governs: both,
  of: ({ ffn }) => ffn.width,
  with: (model, width) => ({ ...model, ffn: { ...model.ffn, width } }),
};

export const attentionHeadWidth: Knob = {
  key: 'model.attention.head_width',
  most: most.width,
  eights: true,
  square: false,
  governs: both,
  of: headWidth,
  with: (model, width) => ({ ...model, attention: { ...model.attention, head_width: width } }),
};

/** The width of each head stays what it was: by itself it would be what d_model leaves. */
export const attentionHeads: Knob = {
  key: 'model.attention.heads',
  most: most.heads,
  eights: false,
  square: false,
  governs: both,
  of: ({ attention }) => attention.heads,
  with: (model, heads) => ({ ...model, attention: { ...model.attention, heads, head_width: headWidth(model) } }),
};

export const attentionExperts = attentionKnob('experts');
export const attentionTopK = attentionKnob('top_k');

export const expertWidth = moeKnob('expert_width', most.width, true);
export const experts = moeKnob('experts', most.experts, true);
export const topK = moeKnob('top_k', most.experts, false);
export const moeHeads = moeKnob('heads', most.heads, false);

export const retrievedExperts = keysKnob('experts', most.experts);
export const retrievalHeads = keysKnob('heads', most.heads);
export const retrievalTopK = keysKnob('top_k', most.experts);
export const keyWidth = keysKnob('key_width', most.width);

const knobs: readonly Knob[] = [
  ffnWidth,
  attentionHeads,
  attentionHeadWidth,
  attentionExperts,
  attentionTopK,
  moeHeads,
  topK,
  expertWidth,
  experts,
  retrievalHeads,
  keyWidth,
  retrievalTopK,
  retrievedExperts,
];

/** All keys that the solver may change, dotted. */
export const knobKeys: readonly string[] = knobs.map(({ key }) => key);

/** Of those, what says which kind of model it is: solved for only where the others do not suffice. */
export const kindKeys: ReadonlySet<string> = new Set(
  [attentionHeads, attentionExperts, attentionTopK, moeHeads, topK, retrievalHeads, keyWidth].map(({ key }) => key),
);

/** A model with some sizes replaced, by dotted keys. Throws RangeError for a key that the solver has no size for. */
export function modelWithChanges(model: ModelConfig, changes: Readonly<Record<string, number>>): ModelConfig {
  return Object.entries(changes).reduce((changed, [key, value]) => {
    const found = knobs.find((one) => one.key === key);
    if (found === undefined) throw new RangeError(`The solver has no size ${key}; it has ${knobKeys.join(', ')}.`);
    return found.with(changed, value);
  }, model);
}

function moeKnob(name: 'experts' | 'top_k' | 'heads' | 'expert_width', bound: number, eights: boolean): Knob {
  const of = ({ moe }: ModelConfig): number => moe?.[name] ?? 0;
  const changed = (moe: MoeConfig | undefined, value: number): Pick<ModelConfig, 'moe'> => (moe ? { moe: { ...moe, [name]: value } } : {});
  return knob(`model.moe.${name}`, bound, { eights, square: false, governs: governedBy(name) }, of, ({ moe }, value) =>
    changed(moe, value),
  );
}

function keysKnob(name: 'experts' | 'heads' | 'top_k' | 'key_width', bound: number): Knob {
  const of = ({ product_keys: keys }: ModelConfig): number => keys?.[name] ?? 0;
  const changed = (keys: ProductKeysConfig | undefined, value: number): Pick<ModelConfig, 'product_keys'> =>
    keys ? { product_keys: { ...keys, [name]: value } } : {};
  const kind = { eights: name === 'key_width', square: name === 'experts', governs: governedBy(name) };
  return knob(`model.product_keys.${name}`, bound, kind, of, ({ product_keys: keys }, value) => changed(keys, value));
}

function attentionKnob(name: 'experts' | 'top_k'): Knob {
  const of = ({ attention }: ModelConfig): number => attention.moe?.[name] ?? 0;
  const changed = (moe: AttentionMoeConfig | undefined, value: number) => (moe ? { moe: { ...moe, [name]: value } } : {});
  return knob(
    `model.attention.moe.${name}`,
    most.experts,
    { eights: false, square: false, governs: governedBy(name) },
    of,
    ({ attention }, value) => ({
      attention: { ...attention, ...changed(attention.moe, value) },
    }),
  );
}

function knob(
  key: string,
  bound: number,
  kind: Pick<Knob, 'eights' | 'square' | 'governs'>,
  of: Knob['of'],
  changes: (model: ModelConfig, value: number) => Partial<ModelConfig>,
): Knob {
  return { key, most: bound, ...kind, of, with: (model, value) => ({ ...model, ...changes(model, value) }) };
}
