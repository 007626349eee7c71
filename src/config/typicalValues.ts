import type { ConfigValue } from './remedy';
import type { KeyPath } from './yamlTree';

/** Where nothing is known: a model that a laptop trains in minutes. */
const WIDTH = 256;
const CONTEXT = 256;
const MICRO_BATCH = 8;

/** Widths of an attention head, most usual first; rope needs even ones. */
const headWidths = [64, 48, 32, 96, 128, 16, 8, 4, 2] as const;

function attentionHeads(width: number): number {
  const each = headWidths.find((candidate) => width % candidate === 0);
  return each === undefined ? 1 : width / each;
}

/** SwiGLU's 8/3 d, to a multiple of 8. */
function feedForwardWidth(width: number): number {
  return Math.max(8, 8 * Math.round(width / 3));
}

/**
 * A value for a key that must be stated and is not, which suits what the rest of the config says. `value` is the whole config as it is
 * stated, whatever is in it. Undefined for keys that need no value.
 */
export function typicalValue(path: KeyPath, value: unknown): ConfigValue | undefined {
  const whole = (...at: string[]): number | undefined => {
    const found = at.reduce<unknown>((part, key) => (isRecord(part) && Object.hasOwn(part, key) ? part[key] : undefined), value);
    return typeof found === 'number' && Number.isInteger(found) && found > 0 ? found : undefined;
  };
  const width = whole('model', 'd_model') ?? WIDTH;
  const context = whole('model', 'context') ?? CONTEXT;
  switch (path.join('.')) {
    case 'model':
      return {
        d_model: WIDTH,
        layers: 4,
        context: CONTEXT,
        attention: { heads: attentionHeads(WIDTH) },
        ffn: { width: feedForwardWidth(WIDTH) },
      };
    case 'model.d_model':
      return 64 * (whole('model', 'attention', 'heads') ?? 4) * (whole('model', 'moe', 'heads') ?? 1);
    case 'model.layers':
      return 4;
    case 'model.context':
      return CONTEXT;
    case 'model.attention':
      return { heads: attentionHeads(width) };
    case 'model.attention.heads':
      return attentionHeads(width);
    case 'model.ffn':
      return { width: feedForwardWidth(width) };
    case 'model.ffn.width':
      return feedForwardWidth(width);
    case 'model.moe.kind':
      return (whole('model', 'moe', 'heads') ?? 1) > 1 ? 'mh-moe' : 'smoe';
    case 'model.moe.experts':
      return Math.max(8, whole('model', 'moe', 'top_k') ?? 0);
    case 'model.moe.top_k':
      return 1;
    case 'model.moe.expert_width':
      return whole('model', 'ffn', 'width') ?? feedForwardWidth(width);
    case 'model.attention.moe.experts':
      return Math.max(4, whole('model', 'attention', 'moe', 'top_k') ?? 0);
    case 'model.attention.moe.top_k':
      return Math.min(2, whole('model', 'attention', 'moe', 'experts') ?? 2);
    case 'model.product_keys.experts':
      return Math.max(64, whole('model', 'product_keys', 'top_k') ?? 0) ** 2;
    case 'model.product_keys.heads':
      return 8;
    case 'model.product_keys.top_k':
      return Math.max(1, Math.min(16, Math.floor(Math.sqrt(whole('model', 'product_keys', 'experts') ?? 256))));
    case 'train.steps':
      return 1000;
    case 'train.batch_tokens':
      return (whole('train', 'micro_batch') ?? MICRO_BATCH) * context;
    case 'data.train':
      return ['corpus/*.txt'];
    default:
      return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
