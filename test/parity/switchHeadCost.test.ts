import { describe, expect, it } from 'vitest';
import type { AttentionSize, ExpertsOfHead } from '../../src/parity/switchHeadCost';
import { authorsScript, moaEquation, moaScript, paperEquation } from '../../src/parity/switchHeadCost';

/** Value and output with experts, as in every table but Table 6. */
const valueAndOutput = (experts: number, k: number): ExpertsOfHead => ({ experts, k, projections: 2, sides: 2 });
const xl = (heads: number, headWidth: number, width: number, time: number): AttentionSize => ({
  heads,
  headWidth,
  width,
  time,
  chunks: 2,
  relative: true,
});
const rope = (heads: number, headWidth: number, width: number, time: number): AttentionSize => ({
  ...xl(heads, headWidth, width, time),
  chunks: 1,
  relative: false,
});

/** `453 M`, `5.4 G`: with as many decimals as are printed. */
function printed(value: number, like: string): string {
  const [, decimals = '', unit = ''] = /^\d+(?:\.(\d+))? ([MG])$/.exec(like) ?? [];
  return `${(value / (unit === 'G' ? 1e9 : 1e6)).toFixed(decimals.length)} ${unit}`;
}

interface Row {
  readonly of: string;
  readonly size: AttentionSize;
  readonly moe?: ExpertsOfHead;
  /** MACs and memory in floats. */
  readonly published: readonly [string, string];
  readonly equation: readonly [string, string];
  readonly script: readonly [string, string];
}

const rows: readonly Row[] = [
  {
    of: 'C4, WikiText-103, peS2o 47 M, 10 heads',
    size: xl(10, 41, 412, 256),
    published: ['453 M', '3.5 M'],
    equation: ['453.4 M', '3.46 M'],
    script: ['453.4 M', '3.46 M'],
  },
  {
    of: 'C4, peS2o 47 M SwitchHead',
    size: xl(2, 76, 412, 256),
    moe: valueAndOutput(5, 3),
    published: ['203 M', '0.8 M'],
    equation: ['232.5 M', '0.84 M'],
    script: ['202.5 M', '0.76 M'],
  },
  {
    of: 'C4, WikiText-103, peS2o 47 M, 2 heads',
    size: xl(2, 205, 412, 256),
    published: ['453 M', '1.4 M'],
    equation: ['453.4 M', '1.36 M'],
    script: ['453.4 M', '1.36 M'],
  },
  {
    of: 'C4, WikiText-103, peS2o 262 M, 16 heads',
    size: xl(16, 64, 1024, 512),
    published: ['5.4 G', '21 M'],
    equation: ['5368.7 M', '20.97 M'],
    script: ['5368.7 M', '20.97 M'],
  },
  {
    of: 'C4, peS2o 262 M SwitchHead',
    size: xl(4, 112, 1024, 512),
    moe: valueAndOutput(4, 2),
    published: ['2.4 G', '5.6 M'],
    equation: ['2819.5 M', '6.03 M'],
    script: ['2358.1 M', '5.58 M'],
  },
  {
    of: 'C4, peS2o 262 M, 4 heads',
    size: xl(4, 256, 1024, 512),
    published: ['5.4 G', '8.4 M'],
    equation: ['5368.7 M', '8.39 M'],
    script: ['5368.7 M', '8.39 M'],
  },
  {
    of: 'WikiText-103 47 M SwitchHead',
    size: xl(2, 76, 412, 256),
    moe: valueAndOutput(5, 2),
    published: ['170 M', '0.8 M'],
    equation: ['200.3 M', '0.84 M'],
    script: ['170.4 M', '0.76 M'],
  },
  {
    of: 'WikiText-103 262 M SwitchHead',
    size: xl(2, 132, 1024, 512),
    moe: valueAndOutput(8, 4),
    published: ['2.0 G', '2.9 M'],
    equation: ['2215.7 M', '3.18 M'],
    script: ['1955.6 M', '2.92 M'],
  },
  {
    of: 'WikiText-103 262 M, 2 heads',
    size: xl(2, 512, 1024, 512),
    published: ['5.4 G', '6.3 M'],
    equation: ['5368.7 M', '6.29 M'],
    script: ['5368.7 M', '6.29 M'],
  },
  {
    of: 'Enwik8, 8 heads',
    size: xl(8, 64, 512, 512),
    published: ['1.6 G', '10 M'],
    equation: ['1610.6 M', '10.49 M'],
    script: ['1610.6 M', '10.49 M'],
  },
  {
    of: 'Enwik8 SwitchHead',
    size: xl(2, 112, 512, 512),
    moe: valueAndOutput(4, 2),
    published: ['709 M', '2.8 M'],
    equation: ['822.5 M', '3.01 M'],
    script: ['709.3 M', '2.79 M'],
  },
  {
    of: 'Enwik8, 2 heads',
    size: xl(2, 256, 512, 512),
    published: ['1.6 G', '4.2 M'],
    equation: ['1610.6 M', '4.19 M'],
    script: ['1610.6 M', '4.19 M'],
  },
  {
    of: 'RoPE 45 M, 10 heads',
    size: rope(10, 41, 412, 512),
    published: ['560.9 M', '6.1 M'],
    equation: ['560.9 M', '6.08 M'],
    script: ['560.9 M', '6.08 M'],
  },
  {
    of: 'RoPE 45 M SwitchHead',
    size: rope(2, 64, 412, 512),
    moe: valueAndOutput(5, 3),
    published: ['285.6 M', '1.3 M'],
    equation: ['283.5 M', '1.31 M'],
    script: ['285.6 M', '1.32 M'],
  },
  {
    of: 'RoPE 45 M, 2 heads',
    size: rope(2, 205, 412, 512),
    published: ['560.9 M', '1.9 M'],
    equation: ['560.9 M', '1.89 M'],
    script: ['560.9 M', '1.89 M'],
  },
  {
    of: 'RoPE 244 M, 16 heads',
    size: rope(16, 64, 1024, 1024),
    published: ['6.4 G', '37.7 M'],
    equation: ['6442.5 M', '37.75 M'],
    script: ['6442.5 M', '37.75 M'],
  },
  {
    of: 'RoPE 244 M, 2 heads',
    size: rope(2, 512, 1024, 1024),
    published: ['6.4 G', '8.4 M'],
    equation: ['6442.5 M', '8.39 M'],
    script: ['6442.5 M', '8.39 M'],
  },
];

describe('attention of 2312.07987', () => {
  it.each(rows)('$of', ({ size, moe, published, equation, script }) => {
    const byEquation = paperEquation(size, moe);
    const byScript = authorsScript(size, moe);
    expect([byEquation.macs, byEquation.memory].map((value, index) => printed(value, equation[index] ?? ''))).toEqual(equation);
    expect([byScript.macs, byScript.memory].map((value, index) => printed(value, script[index] ?? ''))).toEqual(script);
    expect([byScript.macs, byScript.memory].map((value, index) => printed(value, published[index] ?? ''))).toEqual(published);
  });

  it('gives 44 % of the compute and 27 % of the memory by the script, 52.5 % and 28.75 % by the equations: 262 M on C4', () => {
    const [switchHead, dense] = [xl(4, 112, 1024, 512), xl(16, 64, 1024, 512)];
    const moe = valueAndOutput(4, 2);
    const script = authorsScript(switchHead, moe);
    const equation = paperEquation(switchHead, moe);
    const { macs, memory } = paperEquation(dense);
    expect([(script.macs / macs) * 100, (script.memory / memory) * 100].map((share) => share.toFixed(1))).toEqual(['43.9', '26.6']);
    expect([(equation.macs / macs) * 100, (equation.memory / memory) * 100].map((share) => share.toFixed(2))).toEqual(['52.52', '28.75']);
    // With the selections that the equations leave out: 2 n E d T on each side.
    expect(equation.selections).toBe(2 * 2 * 4 * 4 * 1024 * 512);
    expect((((equation.macs + equation.selections) / macs) * 100).toFixed(1)).toBe('53.1');
  });

  it('RoPE 243 M with experts: the published cells are the script of Table 9 with a cached chunk, which the run was not said to have', () => {
    const size = rope(4, 100, 1024, 1024);
    const moe = valueAndOutput(4, 2);
    const cached = authorsScript({ ...size, chunks: 2 }, moe);
    expect([printed(cached.macs, '4.2 G'), printed(cached.memory, '18.4 M')]).toEqual(['4.2 G', '18.4 M']);
    const [script, equation] = [authorsScript(size, moe), paperEquation(size, moe)];
    expect([printed(script.macs, '1.0 M'), printed(script.memory, '1.00 M')]).toEqual(['3365.5 M', '10.04 M']);
    expect([printed(equation.macs, '1.0 M'), printed(equation.memory, '1.00 M')]).toEqual(['3357.1 M', '10.03 M']);
    // Eight heads of width 50 with k = 3 would come out as well, and are in no table or sweep.
    const other = authorsScript(rope(8, 50, 1024, 1024), valueAndOutput(4, 3));
    expect([printed(other.macs, '1.0 M'), printed(other.memory, '1.00 M')]).toEqual(['4205.2 M', '18.42 M']);
  });
});

describe('MoA of Table 1', () => {
  /** Neither widths nor experts are printed: 88 and 10 are inferred from the cells. */
  it.each([
    [2, '140.1 M', '0.7 M'],
    [4, '223.5 M', '1.3 M'],
    [6, '306.8 M', '1.9 M'],
    [8, '390.2 M', '2.6 M'],
  ] as const)('47 M, %i heads', (heads, macs, memory) => {
    const script = moaScript(xl(heads, 88, 412, 256), { experts: 10, k: 2 });
    expect([printed(script.macs, macs), printed(script.memory, memory)]).toEqual([macs, memory]);
    // What equation 14 leaves out: the scores of the experts and the weighting of outputs.
    expect(script.macs - moaEquation(xl(heads, 88, 412, 256))).toBe(10 * 412 * 256 + heads * 2 * 256 * 88);
  });

  /** 143 to 146 fit, and any usual number of experts. */
  it.each([
    [2, '1.1 G', '2.7 M'],
    [4, '1.7 G', '5.1 M'],
    [8, '2.9 G', '9.9 M'],
    [12, '4.1 G', '14.7 M'],
  ] as const)('262 M, %i heads', (heads, macs, memory) => {
    const script = moaScript(xl(heads, 144, 1024, 512), { experts: 10, k: 2 });
    expect([printed(script.macs, macs), printed(script.memory, memory)]).toEqual([macs, memory]);
  });
});

describe('both formulas', () => {
  it('count single and all projections with experts as equation 13 does two', () => {
    const size = xl(2, 112, 412, 256);
    const dense = paperEquation(size).macs;
    const with1 = paperEquation(size, { experts: 5, k: 2, projections: 1, sides: 1 });
    const with4 = paperEquation(size, { experts: 5, k: 2, projections: 4, sides: 2 });
    const each = 2 * 256 * 112 * (2 * 413 - 412);
    expect([with1.macs - dense, with4.macs - dense]).toEqual([each, 4 * each]);
    expect([with1.selections, with4.selections]).toEqual([2 * 2 * 5 * 412 * 256, 2 * 2 * 2 * 5 * 412 * 256]);
  });
});
