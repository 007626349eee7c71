import { parseDocument } from 'yaml';
import { load, shown } from '../memoryFiles';

/** A config without findings, of which each case changes a few values. */
const base = `model:
  vocabulary: 256
  d_model: 96
  layers: 4
  context: 16
  attention: { heads: 4 }
  ffn: { width: 64 }
  moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 32 }
train: { steps: 10, warmup: 1, batch_tokens: 64, micro_batch: 2 }
data: { train: [a.txt] }
`;

export type Changes = Readonly<Record<string, unknown>>;

/** The base with values put in, or taken out, by their dotted paths. */
export function changed(changes: Changes): string {
  const document = parseDocument(base);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    if (value === undefined) document.deleteIn(keys);
    else document.setIn(keys, document.createNode(value, { flow: true }));
  }
  return document.toString({ lineWidth: 0 });
}

export function findings(changes: Changes): string[] {
  const text = changed(changes);
  // Without file and line: what is underlined, and what is said.
  return load(text).findings.map((finding) => shown(finding, { 'a.moe.yaml': text }).replace(/^\S+ \d+:\d+ /, ''));
}

export const multiHead = { 'model.moe.kind': 'mh-moe', 'model.moe.heads': 2 };
export const router = (options: Readonly<Record<string, unknown>>): Changes => ({ 'model.moe.router': options });
/** d 96, top_k 2, width 32: without its head layer the experts become 48 wide, and 8 of them 6. */
export const withoutHead = { ...multiHead, 'model.moe.head_layer': false, 'model.moe.ablation': 'iso_mac' };
export const masked = { 'model.objective': 'masked', 'model.vocabulary': 257 };
export const notComparable = "so this model's perplexity cannot be compared with that of a causal one";

type Options = Readonly<Record<string, unknown>>;

export const attention = (options: Options): Changes => ({ 'model.attention': { heads: 4, ...options } });
export const attentionExperts = (options: Options, more: Options = {}): Changes =>
  attention({ moe: { experts: 4, top_k: 2, ...options }, ...more });
export const dynamic = (options: Options = {}): Changes => router({ select: 'dynamic', ...options });
export const topP = (options: Options = {}): Changes => router({ select: 'top_p', entropy_weight: 0.0001, ...options });
/** In place of the routed layers. */
export const productKeys = (options: Options): Changes => ({
  'model.moe': undefined,
  'model.product_keys': { experts: 64, heads: 2, top_k: 4, key_width: 8, ...options },
});

export interface Case {
  readonly of: string;
  readonly changes: Changes;
  /** What is found, where several things are in the order of the text. */
  readonly says: string | readonly string[];
}
