/** The configs of the sample workspace. Small enough that each trains in a minute or so on two CPU cores (400 steps of 1,536 tokens). */

const smoe = `# A sparse mixture of experts (SMoE): in every second layer each token goes to one of 8 experts.
name: SMoE
model:
  vocabulary: 256
  d_model: 96
  layers: 4
  context: 128
  attention: { heads: 4, position: rope }
  ffn: { width: 256, activation: swiglu } # the layers that are not routed
  moe:
    kind: smoe
    every: 2
    experts: 8
    top_k: 1
    expert_width: 256
    router: { balance_weight: 0.01 }
train:
  steps: 400
  batch_tokens: 1536
  micro_batch: 12
  learning_rate: 3.0e-3
  min_learning_rate: 3.0e-4
  warmup: 30
  schedule: cosine
  betas: [0.9, 0.95]
  weight_decay: 0.1
  clip: 1.0
  seed: 1
data:
  tokenizer: bytes
  train: [corpus/train/*.txt]
  validation:
    prose: [corpus/validation/prose.txt]
    arithmetic: [corpus/validation/arithmetic.txt]
    lists: [corpus/validation/lists.txt]
    code: [corpus/validation/code.txt]
evaluate: { every: 50 }
checkpoint: { every: 200, keep: 2 }
engine: { device: cpu }
`;

const multiHead = `# The multi-head twin (MH-MoE) of smoe.moe.yaml: each token is split into 2 sub-tokens,
# and each sub-token goes to 2 of 40 smaller experts. By equal MACs, expert_width =
# (256 * 1 - 2 * 96 / 3) / 2 = 96: what the head and the merge layer cost, the experts save.
extends: smoe.moe.yaml
name: MH-MoE (heads=2)
parity: smoe.moe.yaml # the baseline that the hints compare with
model:
  moe:
    kind: mh-moe
    heads: 2
    experts: 40
    top_k: 2
    expert_width: 96
`;

const dense = `# The dense model of the same MACs per token: no routed layers, so fewer parameters.
name: Dense
parity: smoe.moe.yaml
model:
  vocabulary: 256
  d_model: 96
  layers: 4
  context: 128
  attention: { heads: 4, position: rope }
  ffn: { width: 256, activation: swiglu }
${smoe.slice(smoe.indexOf('train:'))}`;

export const sampleConfigs: Readonly<Record<string, string>> = {
  'smoe.moe.yaml': smoe,
  'mh-moe.moe.yaml': multiHead,
  'dense.moe.yaml': dense,
};
