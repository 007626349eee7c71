import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presets } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { writeSampleWorkspace } from '../../src/data/sampleWorkspace';
import { AnalysisStore } from '../../src/language/analysisStore';

/** Configs that people get from here teach by example: what the linter says of them is nothing, or is meant. */

const root = join(__dirname, '..', '..');
let sample: string;

beforeAll(async () => {
  sample = mkdtempSync(join(tmpdir(), 'moe-lab-sample-'));
  await writeSampleWorkspace(sample);
});

afterAll(() => {
  rmSync(sample, { recursive: true, force: true });
});

const environment = (): { severities: Record<string, never>; memory: { host: number } } => ({
  severities: {},
  memory: { host: 8 * 2 ** 30 },
});

function findingsIn(folder: string): string[] {
  const store = new AnalysisStore({ readText: readTextFromDisk, environment });
  const configs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.moe.yaml'));
  expect(configs.length).toBeGreaterThan(0);
  return configs.flatMap((name) => store.get(join(folder, name)).findings.map(({ severity, code }) => `${name} ${severity} ${code}`));
}

it('the sample experiment, compared with its baseline', () => {
  // What cannot be equal, or only as papers count it: worth knowing, and not suppressed, so that a change of sizes is told of.
  expect(findingsIn(sample).toSorted()).toEqual([
    'dense.moe.yaml information parameters-off-parity',
    'mh-moe.moe.yaml information macs-off-parity',
  ]);
});

it('samples/', () => {
  expect(findingsIn(join(root, 'samples'))).toEqual([]);
});

describe('a published model, held against the one of its paper', () => {
  const texts = new Map(presets.map((preset) => [`/lab/${preset.id}.moe.yaml`, presetText(preset)]));

  it.each(presets)('$id', ({ id }) => {
    const store = new AnalysisStore({ readText: (file) => texts.get(file), environment });
    const codes = store.get(`/lab/${id}.moe.yaml`).findings.map(({ code }) => code);
    // Its expert choice is not causal, which no reader should be spared.
    expect(codes).toEqual(id === 'peer/moe' ? ['not-causal'] : []);
  });
});
