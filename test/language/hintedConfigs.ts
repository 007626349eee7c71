import { presetOf } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import { AnalysisStore } from '../../src/language/analysisStore';
import type { ConfigAnalysis } from '../../src/language/analysis';

/** Configs in memory by their names under /lab, analysed as an editor does. */
export function analysisOf(texts: Readonly<Record<string, string>>, name: string): ConfigAnalysis {
  const readText = (file: string): string | undefined => (file.startsWith('/lab/') ? texts[file.slice('/lab/'.length)] : undefined);
  return new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) }).get(`/lab/${name}`);
}

export function textOfPreset(id: string): string {
  const preset = presetOf(id);
  if (preset === undefined) throw new Error(`There is no preset ${id}.`);
  return presetText(preset);
}

const head = `model:
  vocabulary: 32000
  d_model: 768
  layers: 12
  context: 2048
  attention: { heads: 12, kv_heads: 4 }
  ffn: { width: 2048 }
`;

/** The models of 2411.16205, and others that have figures of their own; each is a file under /lab. */
export const hintedTexts: Readonly<Record<string, string>> = {
  'smoe.moe.yaml': `${head}  moe: { kind: smoe, every: 2, experts: 8, top_k: 1, expert_width: 2048 }\n`,
  'mh-moe.moe.yaml': `# two sub-tokens
extends: smoe.moe.yaml
parity: smoe.moe.yaml # what it is held against
model:
  moe:
    kind: mh-moe
    heads: 2 # of a token
    experts: 40
    top_k: 2
    expert_width: 768
    router: { capacity_factor: 1 }
train: { steps: 100_000, batch_tokens: 524288, micro_batch: 8, learning_rate: 6.0e-4 }
`.replace('100_000', '100000'),
  'equal.moe.yaml': 'extends: smoe.moe.yaml\nparity: "smoe.moe.yaml"\nname: As the baseline\n',
  'iso.moe.yaml': `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe: { kind: mh-moe, heads: 2, head_layer: false, merge_layer: false, ablation: iso_mac, experts: 40, top_k: 2, expert_width: 768 }
`,
  'dense.moe.yaml': `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe:
`,
  'switch-head.moe.yaml': `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  attention: { heads: 4, kv_heads: 4, head_width: 112, moe: { experts: 4, top_k: 2 } }
`,
  'peer.moe.yaml': `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe:
  "product_keys": { 'experts': 1048576, heads: 8, top_k: 16 }
`,
  'listed.moe.yaml': `extends: smoe.moe.yaml
model:
  moe: { every: , layers: [1, 3], experts: &many 16, top_k: 2 }
  ffn: { width: 1024 }
`,
  'broken.moe.yaml': `${head}  moe: { kind: smoe, experts: 8, top_k: 9, expert_width: 2048 }\n`,
};
