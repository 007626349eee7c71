import { loadConfig } from '../../src/config/loadConfig';
import type { ConfigFinding, LoadedConfig, SourceRange } from '../../src/config/configFile';

/** Loads `/lab/a.moe.yaml` from texts in memory, keyed by their names under /lab. */
export function load(texts: Readonly<Record<string, string>> | string, name = 'a.moe.yaml'): LoadedConfig {
  const files = typeof texts === 'string' ? { [name]: texts } : texts;
  return loadConfig(`/lab/${name}`, (file) => (file.startsWith('/lab/') ? files[file.slice('/lab/'.length)] : undefined));
}

/** The text that a range covers, with line breaks as they are. */
export function textIn(text: string, { start, end }: SourceRange): string {
  const lines = text.split('\n');
  if (start.line === end.line) return (lines[start.line] ?? '').slice(start.character, end.character);
  const between = lines.slice(start.line + 1, end.line);
  return [(lines[start.line] ?? '').slice(start.character), ...between, (lines[end.line] ?? '').slice(0, end.character)].join('\n');
}

/** `3:5 [top_kk] error unknown-key: ...`: where, what is underlined, and what is said. */
export function shown(finding: ConfigFinding, texts: Readonly<Record<string, string>>): string {
  const name = finding.file.slice('/lab/'.length);
  const { start } = finding.range;
  const underlined = textIn(texts[name] ?? '', finding.range);
  return `${name} ${start.line + 1}:${start.character + 1} [${underlined}] ${finding.severity} ${finding.code}: ${finding.message}`;
}

export const valid = `name: MH-MoE (head=2)
model:
  vocabulary: 256
  d_model: 256
  layers: 4
  context: 256
  attention: { heads: 4, position: rope }
  ffn: { width: 684, activation: swiglu }
  moe:
    kind: mh-moe
    every: 2
    heads: 2
    experts: 40
    top_k: 2
    expert_width: 256
train: { steps: 2000, batch_tokens: 8192, micro_batch: 8, learning_rate: 1.0e-3, min_learning_rate: 1.0e-4, warmup: 100, schedule: cosine,
         betas: [0.9, 0.95], epsilon: 1.0e-8, weight_decay: 0.1, clip: 1.0, seed: 1 }
data: { tokenizer: bytes, train: [corpus/*.txt], validation: { prose: [valid/*.txt] } }
evaluate: { every: 250 }
engine: { device: cpu }
`;
