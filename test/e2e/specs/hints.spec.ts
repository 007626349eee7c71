import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import type { HostDiagnostic } from '../harness/extensionHost';
import { moeLab } from '../harness/product';
import { useSession } from '../harness/suite';

const good = tinyConfig({ name: 'Good' });
const multiHead = good
  .replace('name: Good', 'name: Multi-head\nparity: good.moe.yaml')
  .replace('kind: smoe, every: 2, experts: 4', 'kind: mh-moe, heads: 2, every: 2, experts: 8');

/** A config with one mistake, the text that is at fault and what is said about it. */
const mistakes = [
  {
    name: 'malformed',
    text: good.replace('attention: { heads: 2, position: rope }', 'attention: { heads: 2, position: rope'),
    code: 'yaml-syntax',
    at: undefined,
    says: /YAML|\{/,
  },
  { name: 'unknown-key', text: good.replace('  layers: 2', '  layerz: 2'), code: 'unknown-key', at: 'layerz', says: /layers/ },
  { name: 'wrong-type', text: good.replace('  layers: 2', '  layers: two'), code: 'invalid-value', at: 'two', says: /layers/ },
  {
    name: 'heads',
    text: good.replace('{ heads: 2, position', '{ heads: 5, position'),
    code: undefined,
    at: '5',
    says: /d_model.*divi|divi.*d_model/i,
  },
  { name: 'top-k', text: good.replace('top_k: 1', 'top_k: 9'), code: undefined, at: '9', says: /top_k/ },
];

/** What a machine keeps of its GPU beside its runs, as a first run or a measurement writes it. */
function machineWithGpu(bytes: number): string {
  const machine = { host: hostname(), gpus: [{ name: 'NVIDIA L4', bytes, shared: false }], askedAt: new Date().toISOString() };
  return JSON.stringify({ schemaVersion: 1, measurements: [], machines: [machine] });
}
const machineFile = '.moe-lab/runs/machine.json';

const session = useSession({
  name: 'hints',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'good.moe.yaml', good);
    writeFileIn(workspace, 'multi-head.moe.yaml', multiHead);
    writeFileIn(workspace, 'gpu.moe.yaml', tinyConfig({ name: 'GPU', device: 'webgpu' }));
    writeFileIn(workspace, machineFile, machineWithGpu(2 ** 20));
    for (const { name, text } of mistakes) writeFileIn(workspace, `${name}.moe.yaml`, text);
  },
});
const file = (name: string): string => join(session().workspace, `${name}.moe.yaml`);

/** The part of a text that a diagnostic underlines. */
function underlined(text: string, { start, end }: HostDiagnostic): string {
  const lines = text.split('\n');
  if (start.line === end.line) return (lines[start.line] ?? '').slice(start.character, end.character);
  return [
    (lines[start.line] ?? '').slice(start.character),
    ...lines.slice(start.line + 1, end.line),
    (lines[end.line] ?? '').slice(0, end.character),
  ].join('\n');
}

interface CountJson {
  readonly models: readonly {
    readonly parameters: { readonly total: number };
    readonly macsPerToken: { readonly total: number };
    readonly parity: {
      readonly baseline: string;
      readonly parameters: number;
      readonly macsWithRouter: number;
      readonly compared: { readonly parametersWithRouter: number; readonly macsWithRouter: number };
    } | null;
  }[];
}

/** Percent as the hints write it. */
function percent(fraction = Number.NaN): string {
  const digits = Math.abs(fraction * 100).toFixed(2);
  return `${Number(digits) === 0 ? '' : fraction < 0 ? '−' : '+'}${digits} %`;
}

test('above `model:` stand parameters and MACs per token, above `parity:` the distance from the baseline, as the command line counts them', async () => {
  await session().host.open(file('multi-head'));
  const lens = (part: string): Promise<string> =>
    eventually(`the lens with ${part}`, async () => (await session().window.codeLensTexts()).find((text) => text.includes(part)));
  const count = await lens('MACs/token');
  const parity = await lens('vs good.moe.yaml');
  const counted = await moeLab(session().workspace, 'count', 'multi-head.moe.yaml', '--json');
  expect(counted.code).toBe(0);
  const [model] = (JSON.parse(counted.stdout) as CountJson).models;
  expect(model?.parity?.baseline).toBe('good.moe.yaml');
  expect(count).toContain(`${((model?.parameters.total ?? 0) / 1000).toFixed(2)} k parameters`);
  expect(count).toContain(`${((model?.macsPerToken.total ?? 0) / 1000).toFixed(2)} k MACs/token`);
  expect(count).toMatch(/; trains in [\d.]+ [KM]iB, [\d.]+ k tokens/);
  const { compared, macsWithRouter, parameters } = model?.parity ?? {};
  expect(parity).toBe(
    `vs good.moe.yaml: ${percent(compared?.macsWithRouter)} MACs, ${percent(compared?.parametersWithRouter)} parameters in layers that differ; ${percent(macsWithRouter)}, ${percent(parameters)} in all`,
  );
  const lenses = await session().host.codeLenses(file('multi-head'));
  const lineOf = (part: string): readonly number[] => lenses.filter(({ title }) => title.includes(part)).map(({ line }) => line);
  expect(lineOf('MACs/token')).toEqual([multiHead.split('\n').indexOf('model:')]);
  expect(lineOf('vs good')).toEqual([multiHead.split('\n').indexOf('parity: good.moe.yaml')]);
  await session().window.screenshot('code-lens');
});

test('the lens follows an edit that is not saved', async () => {
  const before = await eventually('a count', async () =>
    (await session().window.codeLensTexts()).find((lens) => lens.includes('MACs/token')),
  );
  await session().host.edit(file('multi-head'), 'experts: 8', 'experts: 16');
  await eventually('another count', async () => {
    const now = (await session().window.codeLensTexts()).find((lens) => lens.includes('MACs/token'));
    return now !== undefined && now !== before;
  });
  await session().host.edit(file('multi-head'), 'experts: 16', 'experts: 8');
  await eventually('the first count again', async () => (await session().window.codeLensTexts()).includes(before));
});

test('a config without mistakes has no squiggle', async () => {
  await session().host.open(file('good'));
  await eventually('the lens', async () => (await session().window.codeLensTexts()).some((lens) => lens.includes('MACs/token')));
  expect(await session().host.problemsEverShown(file('good'))).toEqual([]);
  await session().window.waitForNoSquiggle('error');
});

test.each(mistakes)('$name: one message, underlined where the mistake is', async ({ name, text, code, at, says }) => {
  await session().host.open(file(name));
  const diagnostics = await eventually('a diagnostic', async () => {
    const found = await session().host.diagnostics(file(name));
    return found.length > 0 && found;
  });
  expect(diagnostics).toHaveLength(1);
  const [diagnostic] = diagnostics;
  if (!diagnostic) throw new Error('unreachable');
  expect(diagnostic.severity).toBe('error');
  expect(diagnostic.message).toMatch(says);
  if (code) expect(diagnostic.code).toBe(code);
  if (at) expect(underlined(text, diagnostic)).toBe(at);
  await session().window.squiggles('error').first().waitFor();
  await session().window.screenshot(`diagnostic-${name}`);
});

test('the hover of a squiggle says the same', async () => {
  await session().host.open(file('unknown-key'));
  await session().window.hover(session().window.squiggles('error').first(), 'Unknown key');
});

test('what would be trained on a GPU is held against the one that was found here, also when another is', async () => {
  await session().host.open(file('gpu'));
  const found = await eventually('the finding', async () =>
    (await session().host.diagnostics(file('gpu'))).find(({ code }) => code === 'memory'),
  );
  expect(found.message).toMatch(/^Training needs about [\d.]+ MiB of memory on the GPU \(.*; NVIDIA L4 has 1\.00 MiB\./);
  expect(await session().host.diagnostics(file('good'))).toEqual([]);
  writeFileIn(session().workspace, machineFile, machineWithGpu(24 * 2 ** 30));
  await eventually('no finding', async () => (await session().host.diagnostics(file('gpu'))).length === 0);
});
