import { execFileSync } from 'node:child_process';
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { temporaryFolder } from '../runs/fixtures';

describe('reading a config', () => {
  it('leaves a byte order mark out', () => {
    const file = join(temporaryFolder(), 'a.moe.yaml');
    writeFileSync(file, '\uFEFFname: a\n');
    expect(readTextFromDisk(file)).toBe('name: a\n');
  });

  it('takes only a file of sensible length: no folder, and nothing without an end', () => {
    const folder = temporaryFolder();
    const long = join(folder, 'long.moe.yaml');
    writeFileSync(long, '');
    truncateSync(long, 1 << 30);
    expect([join(folder, 'missing'), folder, long].map(readTextFromDisk)).toEqual([undefined, undefined, undefined]);
    if (process.platform === 'win32') return;
    const [device, pipe] = [join(folder, 'device'), join(folder, 'pipe')];
    symlinkSync('/dev/zero', device);
    execFileSync('mkfifo', [pipe]);
    expect([device, pipe].map(readTextFromDisk)).toEqual([undefined, undefined]);
  });
});
