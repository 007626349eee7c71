import { describe, expect, it } from 'vitest';
import type { ConfigFinding } from '../../src/config/configFile';
import { FindingBoard } from '../../src/language/findingBoard';

const at = (file: string, line: number, code: string, severity: ConfigFinding['severity'] = 'warning'): ConfigFinding => ({
  file,
  range: { start: { line, character: 0 }, end: { line, character: 5 } },
  severity,
  code,
  message: `${code} in line ${line}`,
});

describe('the board of findings', () => {
  it('names a file once for its first findings, and not again for equal ones', () => {
    const board = new FindingBoard();
    expect(board.put('a', [at('a', 3, 'top-k'), at('a', 1, 'warmup')])).toEqual(['a']);
    expect(board.of('a').map(({ code }) => code)).toEqual(['warmup', 'top-k']);
    // Made anew by another keystroke.
    expect(board.put('a', [at('a', 3, 'top-k'), at('a', 1, 'warmup')])).toEqual([]);
    expect(board.put('b', [])).toEqual([]);
  });

  it('names a file whose finding moves, changes its severity, or goes', () => {
    const board = new FindingBoard();
    board.put('a', [at('a', 1, 'warmup')]);
    expect(board.put('a', [at('a', 2, 'warmup')])).toEqual(['a']);
    expect(board.put('a', [at('a', 2, 'warmup', 'error')])).toEqual(['a']);
    expect(board.put('a', [])).toEqual(['a']);
    expect(board.of('a')).toEqual([]);
    expect(board.put('a', [])).toEqual([]);
  });

  it('shows what two variants find in their base once, in the base, for as long as one of them finds it', () => {
    const board = new FindingBoard();
    expect(board.put('one', [at('base', 4, 'top-k'), at('one', 0, 'warmup')])).toEqual(['base', 'one']);
    expect(board.put('two', [at('base', 4, 'top-k')])).toEqual([]);
    expect(board.of('base')).toHaveLength(1);
    expect(board.remove('one')).toEqual(['one']);
    expect(board.of('base')).toHaveLength(1);
    expect(board.put('two', [])).toEqual(['base']);
  });

  it('of a keystroke in a base names only what looks different', () => {
    const board = new FindingBoard();
    for (const config of ['one', 'two', 'three']) board.put(config, [at(config, 0, 'macs-off-parity')]);
    board.put('base', [at('base', 4, 'top-k')]);
    const renamed = [
      ...board.put('base', []),
      ...board.put('one', [at('one', 0, 'macs-off-parity')]),
      ...board.put('two', [at('two', 0, 'parameters-off-parity')]),
      ...board.put('three', [at('three', 0, 'macs-off-parity')]),
    ];
    expect(renamed).toEqual(['base', 'two']);
  });
});
