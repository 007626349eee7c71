import { describe, expect, it } from 'vitest';
import { agreement } from '../../src/parity/publishedFigure';
import { parityTable } from '../../src/parity/parityTable';

const table = parityTable();

// `npm run generate` runs this file with --update, which writes it anew.
it('docs/parity-table.md is what the presets count to', async () => {
  await expect(table).toMatchFileSnapshot('../../docs/parity-table.md');
});

describe('the table', () => {
  const lines = table.split('\n');
  const cells = (id: string, index: number): string[] =>
    (lines.filter((line) => line.includes(`\`${id}\` |`))[index] ?? '')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());

  it('says that two heads have 3.125 % fewer and three heads 3.125 % more parameters than SMoE, at equal MACs', () => {
    expect(cells('mh-moe/table-1/mh-moe-2', 2).slice(2)).toEqual([
      '−3.125 %',
      expect.stringMatching(/^−3\.1/),
      '0.000 %',
      expect.stringMatching(/^\+0\.52/),
      expect.any(String),
      expect.any(String),
    ]);
    expect(cells('mh-moe/table-1/mh-moe-3', 2)[2]).toBe('+3.125 %');
    expect(cells('mh-moe/table-1/mh-moe-2', 3).slice(1)).toEqual([
      'parameters equal to Table 1: SMoE',
      "Table 1's caption",
      '**not so**: −3.125 %',
    ]);
    expect(cells('mh-moe/table-1/mh-moe-2', 4).slice(1)).toEqual(['MACs equal to Table 1: SMoE', "Table 1's caption", 'so: 0.000 %']);
  });

  it('counts the layers of Tables 4 and 5 as their MACs were inferred', () => {
    const macs = (id: string): string | undefined => cells(id, 1)[3];
    expect(['smoe-without', 'fine-grained-without', 'mh-moe-2-without'].map((id) => macs(`mh-moe/table-4/${id}`))).toEqual(
      Array.from({ length: 3 }, () => '4,718,592'),
    );
    expect(['smoe-with', 'fine-grained-with', 'mh-moe-2-with'].map((id) => macs(`mh-moe/table-4/${id}`))).toEqual(
      Array.from({ length: 3 }, () => '5,898,240'),
    );
    expect(['neither', 'head', 'merge', 'head-and-merge'].map((id) => macs(`mh-moe/table-5/${id}`))).toEqual([
      '3,538,944',
      '4,128,768',
      '4,128,768',
      '4,718,592',
    ]);
  });

  it('finds every published count of the models whose configs are public, as rounded', () => {
    for (const id of ['mixtral-8x7b', 'olmoe-1b-7b', 'qwen3-30b-a3b', 'deepseek-moe-16b']) {
      // Qwen3's 3.3 B are 3.35 B, rounded down.
      const active = id.startsWith('qwen3') ? expect.stringMatching(/^\+1\.\d+ %$/) : 'none, as rounded';
      expect([cells(id, 0)[3], cells(id, 0)[6]]).toEqual(['none, as rounded', active]);
    }
  });

  it('says that dense is not matched, that the original is not cheaper, and which cells of Table 2 were swapped', () => {
    expect(cells('mh-moe/table-1/dense', 3)[3]).toBe('**not so**: −87.500 %');
    expect(cells('mh-moe-original/mh-moe-8', 3).slice(1)).toEqual([
      'MACs less than X-MoE, 8 experts',
      'appendix D.1',
      expect.stringMatching(/^\*\*not so\*\*: \+/),
    ]);
    expect(table).toMatch(/10\.41 and 10\.66; v3 prints 10\.66 and 10\.41\. \(Table 2: SMoE.*; Table 2: Fine-grained SMoE/);
  });
});

describe('a figure in print', () => {
  it('agrees with what rounds to it', () => {
    const printed = (text: string) => ({ printed: text, where: '' });
    expect(agreement(46_702_792_704, printed('46.7 B'))).toMatchObject({ rounds: true });
    expect(agreement(46_640_000_000, printed('46.7 B'))).toMatchObject({ rounds: false });
    expect(agreement(4_718_592, printed('4,718,592'))).toEqual({ residual: 0, rounds: true });
    expect(() => agreement(1, printed('about 3'))).toThrow(RangeError);
  });
});
