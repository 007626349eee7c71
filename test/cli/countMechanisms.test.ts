import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { published } from './publishedCount';
import { runCli } from './runCli';

describe('mechanisms that are counted in ways of their own', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'count-'));
    const model = (more: string): string =>
      `model: { d_model: 64, layers: 2, context: 32, attention: { heads: 2${more.includes('ATT') ? ', head_width: 32, moe: { experts: 4, top_k: 2 }' : ''} }, ffn: { width: 128 }${more.replace('ATT', '')} }\n`;
    const trained = 'train: { steps: 10, batch_tokens: 64, micro_batch: 2 }\ndata: { train: [a.txt], validation: { text: [b.txt] } }\n';
    writeFileSync(join(folder, 'switch-head.moe.yaml'), model('ATT'));
    writeFileSync(join(folder, 'peer.moe.yaml'), model(', product_keys: { experts: 1024, heads: 2, top_k: 4, key_width: 16 }') + trained);
    writeFileSync(
      join(folder, 'dynamic.moe.yaml'),
      model(', moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 64, router: { select: dynamic } }'),
    );
    writeFileSync(
      join(folder, 'whole-sum.moe.yaml'),
      model(', moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 64, router: { select: top_p, top_p: 1, k_max: 4 } }'),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('SwitchHead: the graph, the equations of the paper and the script of its authors', async () => {
    const { stdout, stderr, code } = await runCli(folder, 'count', 'switch-head.moe.yaml');
    expect([code, stderr]).toEqual([0, '']);
    // n (2 T h d + 2 T k h (d + 1) + 2 T^2 h), T = 32, n = 2, h = 32, d = 64, k = 2; selections 2 n E d T, the script 2 E d T.
    const equation = 2 * (2 * 32 * 32 * 64 + 2 * 32 * 2 * 32 * 65 + 2 * 32 ** 2 * 32);
    const selections = 2 * 2 * 4 * 64 * 32;
    const digits = (value: number): string => value.toLocaleString('en-US');
    expect(stdout).toMatch(new RegExp(`^2312.07987 Eq. 11-13 +${digits(equation)} +${digits(equation + selections)} +12,288$`, 'm'));
    expect(stdout).toMatch(new RegExp(`its authors' script +${digits(equation + selections / 2)} `));
    expect(stdout).toMatch(/^graph +[\d,]+ +[\d,]+$/m);
    const { attentionCosts } =
      published.parse(JSON.parse((await runCli(folder, 'count', 'switch-head.moe.yaml', '--json')).stdout)).models[0] ?? {};
    expect(attentionCosts).toMatchObject({
      paperEquation: { macs: equation, selections },
      authorsScript: { macs: equation + selections / 2 },
    });
  });

  it('SwitchHead: its sides, layer by layer, and how far its attention is from the baseline', async () => {
    writeFileSync(join(folder, 'sides.moe.yaml'), 'extends: switch-head.moe.yaml\nparity: peer.moe.yaml\n');
    const { stdout } = await runCli(folder, 'count', 'sides.moe.yaml', '--layers');
    // Query and key are dense, 2 n h d; value and output have n E experts of h d, k of them used per head; each side selects by d n E.
    for (const layer of [0, 1]) {
      expect(stdout).toMatch(new RegExp(`^layers\\.${layer}\\.attention +dense +8,192 +8,192 +0 +0$`, 'm'));
      for (const side of ['source', 'destination'])
        expect(stdout).toMatch(new RegExp(`^layers\\.${layer}\\.attention\\.${side} +switchhead +16,384 +8,192 +512 +512$`, 'm'));
    }
    // The baseline has 4 d^2 parameters, and 2 T d for scores and values as SwitchHead has: 40,960 / 16,384; (24,576 + 4,096) / (16,384 +
    // 4,096).
    expect(stdout).toContain('; attention +150.00 % parameters, +40.00 % MACs (without selections) vs peer.moe.yaml');
    const dense = await runCli(folder, 'count', 'peer.moe.yaml', '--layers');
    expect(dense.stdout).not.toContain('.attention');
  });

  it('product keys, and what it takes to train them', async () => {
    const { stdout } = await runCli(folder, 'count', 'peer.moe.yaml', '--layers');
    // d h dk + h n dk for queries and keys, 2 h k d for the experts.
    expect(stdout).toMatch(/^layers\.0\.product_keys +peer +131,072 +1,024 +2,560 +3,072$/m);
    expect(stdout).toMatch(/^peer: training takes about \d+ MiB of memory, and up to [\d.]+ MiB of disk$/m);
    const [peer] = published.parse(JSON.parse((await runCli(folder, 'count', 'peer.moe.yaml', '--json')).stdout)).models;
    // The tables and their moments, for each of the checkpoints.
    expect(peer?.training?.disk.checkpoints).toBeGreaterThan(131_072 * 4 * 3 * 3);
    expect(peer?.training?.memory.parts.find(({ name }) => name === 'moments')?.host).toBe(2 * 4 * (peer?.parameters.total ?? 0));
    expect(stdout).toContain('or heads that retrieve for it');
  });

  it('a varying number of experts: at which it is counted, and what one more costs', async () => {
    const { stdout } = await runCli(folder, 'count', 'dynamic.moe.yaml');
    expect(stdout).toMatch(/^dynamic: units take up to 4 experts; counted at 2, one more on average costs 12,288 MACs\/token$/m);
    const [dynamic] = published.parse(JSON.parse((await runCli(folder, 'count', 'dynamic.moe.yaml', '--json')).stdout)).models;
    expect(dynamic?.varyingK).toEqual({ counted: 2, most: 4 });
    const whole = await runCli(folder, 'count', 'whole-sum.moe.yaml');
    expect(whole.stdout).toContain('units take always 4 experts (top_p: 1); counted at 2, one more');
    expect(dynamic?.layers[1]?.macsPerChoice).toBe(3 * 64 * 64);
    expect(dynamic?.training).toBeNull();
  });
});
