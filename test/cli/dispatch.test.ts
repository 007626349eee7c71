import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/dispatch';
import { version } from '../../package.json';
import { runCli } from './runCli';

const models = join(import.meta.dirname, '../fixtures/tables-1-and-2');

describe('moe-lab', () => {
  it.each([
    [[], 'No command given; use one of count'],
    [['cuont'], 'There is no command cuont; did you mean count?'],
    [['toString'], 'There is no command toString; use one of count'],
    [['--json', 'count'], 'Options follow the command, as in moe-lab count --json'],
    [['count'], 'Name at least one config'],
    [['count', '--colour', 'a.moe.yaml'], 'moe-lab count has no option --colour; it has --layers, --json, --help.'],
    [['count', '--json=yes', 'a.moe.yaml'], 'The option --json of moe-lab count takes no value.'],
  ])('%j is wrong use: one sentence and exit 2', async (args, sentence) => {
    const { code, stdout, stderr } = await runCli(models, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(`moe-lab: ${sentence}`)).toBe(true);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('--version and --help are no failure', async () => {
    expect(await runCli(models, '--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await runCli(models, '--help');
    expect(help.code).toBe(0);
    for (const name of Object.keys(commands)) expect(help.stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    expect((await runCli(models, 'count', '-h')).stdout).toMatch(/^usage: moe-lab count FILE\.\.\./);
    expect((await runCli(models, 'stop', '--help')).stdout).toMatch(/^--sweep: drop them/m);
  });

  it.each(Object.entries(commands))('%s says the same of itself in the overview and in its own help', async (name, entry) => {
    const command = await entry.load();
    expect(entry.summary).toBe(command.summary);
    expect(command.usage.split(' ')[0]).toBe(name);
    for (const [option = ''] of (command.notes ?? []).join('\n').matchAll(/--[a-z-]+/g)) expect(command.usage).toContain(option);
  });
});
