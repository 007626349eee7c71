import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { applyEdits } from '../../src/config/edit/keyEdits';
import { runCli } from './runCli';

const base = `model:
  d_model: 64
  layers: 2
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 128, router: { balance: switch, balance_weight: 0.01 } }
`;
const wider = `extends: base.moe.yaml
parity: base.moe.yaml
model:
  moe:
    expert_width: 256 # Twice the baseline's.
`;

const position = z.strictObject({ line: z.int(), character: z.int() });
const range = z.strictObject({ start: position, end: position });
/** The published form, key by key: strict, so that a key more or less is a failure. */
const published = z.strictObject({
  schemaVersion: z.literal(1),
  findings: z.array(
    z.strictObject({
      file: z.string(),
      range,
      severity: z.enum(['error', 'warning', 'information']),
      code: z.string(),
      message: z.string(),
      fixes: z.array(z.strictObject({ title: z.string(), edits: z.array(z.strictObject({ range, newText: z.string() })) })),
    }),
  ),
});

const region = z.strictObject({
  startLine: z.int().min(1),
  startColumn: z.int().min(1),
  endLine: z.int().min(1),
  endColumn: z.int().min(1),
});
const artifactLocation = z.strictObject({ uri: z.string(), uriBaseId: z.string().optional() });
const text = z.strictObject({ text: z.string().min(1) });
/** What of SARIF 2.1.0 is written. */
const sarifLog = z.strictObject({
  $schema: z.string(),
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.literal('MoE Lab'),
          version: z.string(),
          semanticVersion: z.string(),
          rules: z.array(
            z.strictObject({
              id: z.string(),
              shortDescription: text,
              defaultConfiguration: z.strictObject({ level: z.enum(['error', 'warning', 'note']) }),
              help: z.strictObject({ text: z.string(), markdown: z.string() }).optional(),
            }),
          ),
        }),
      }),
      columnKind: z.literal('utf16CodeUnits'),
      originalUriBaseIds: z.record(z.string(), z.strictObject({ uri: z.string() })),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(0),
          level: z.enum(['error', 'warning', 'note']),
          message: text,
          locations: z.tuple([z.strictObject({ physicalLocation: z.strictObject({ artifactLocation, region }) })]),
          fixes: z
            .array(
              z.strictObject({
                description: text,
                artifactChanges: z.tuple([
                  z.strictObject({
                    artifactLocation,
                    replacements: z
                      .array(z.strictObject({ deletedRegion: region, insertedContent: z.strictObject({ text: z.string() }) }))
                      .min(1),
                  }),
                ]),
              }),
            )
            .min(1)
            .optional(),
        }),
      ),
    }),
  ]),
});

describe('moe-lab check', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'moe-check-'));
    writeFileSync(join(folder, 'base.moe.yaml'), base);
    writeFileSync(join(folder, 'wider.moe.yaml'), wider);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const check = (...args: string[]) => runCli(folder, 'check', ...args);
  const findingsOf = async (...args: string[]) => {
    const { code, stdout } = await check(...args, '--json');
    return { code, findings: published.parse(JSON.parse(stdout)).findings };
  };

  it('says nothing of a fair config, and refuses an unfair one with the choices that mend it', async () => {
    expect(await check('base.moe.yaml')).toEqual({ code: 0, stdout: '', stderr: '1 config: nothing found.\n' });
    const { code, stdout, stderr } = await check('base.moe.yaml', 'wider.moe.yaml');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^wider\.moe\.yaml:5:5: warning macs-off-parity: .+ 2\.00 times the MACs of base\.moe\.yaml/m);
    expect(stdout).toMatch(/^ {4}fix: .*expert_width 128.*: MACs 0\.00 %/m);
    expect(stderr).toBe('2 configs: 2 warnings.\n');
  });

  it('publishes findings with edits that mend them and keep the comments', async () => {
    const { code, findings } = await findingsOf('wider.moe.yaml');
    expect(code).toBe(1);
    expect(findings.map((finding) => finding.code)).toEqual(['macs-off-parity', 'parameters-off-parity']);
    const [fix] = findings[0]?.fixes ?? [];
    expect(findings[0]).toMatchObject({
      file: 'wider.moe.yaml',
      range: { start: { line: 4, character: 4 }, end: { line: 4, character: 16 } },
      severity: 'warning',
    });
    const mended = applyEdits(wider, fix?.edits ?? []);
    expect(mended).toContain("# Twice the baseline's.");
    writeFileSync(join(folder, 'wider.moe.yaml'), mended);
    expect(await findingsOf('wider.moe.yaml')).toEqual({ code: 0, findings: [] });
  });

  it('sets severities, and says from which one on it fails', async () => {
    const off = ['--severity', 'macs-off-parity=off', '--severity', 'parameters-off-parity=information'];
    const { code, findings } = await findingsOf('wider.moe.yaml', ...off);
    expect(findings.map(({ code: rule, severity }) => [rule, severity])).toEqual([['parameters-off-parity', 'information']]);
    expect(code).toBe(0);
    expect((await findingsOf('wider.moe.yaml', ...off, '--fail-on', 'information')).code).toBe(1);
    expect((await findingsOf('wider.moe.yaml', '--fail-on', 'error')).code).toBe(0);
    expect((await findingsOf('wider.moe.yaml', '--severity', 'macs-off-parity=error', '--fail-on', 'error')).code).toBe(1);
  });

  it('heeds suppressions with a reason', async () => {
    const reason = '# moe-lab-disable macs-off-parity, parameters-off-parity -- an ablation of width\n';
    writeFileSync(join(folder, 'wider.moe.yaml'), `${reason}${wider}`);
    expect(await findingsOf('wider.moe.yaml')).toEqual({ code: 0, findings: [] });
  });

  it('takes a config once that links give several names', async () => {
    // Junctions need no rights on Windows.
    symlinkSync(folder, join(folder, 'again'), 'junction');
    const { findings } = await findingsOf('.');
    expect(findings.map(({ file }) => file)).toEqual(['wider.moe.yaml', 'wider.moe.yaml']);
  });

  it('names the root of the disk where that is what was checked from', async () => {
    const { root } = parse(folder);
    const { stdout } = await runCli(root, 'check', join(folder, 'wider.moe.yaml'), '--format', 'sarif');
    const [run] = sarifLog.parse(JSON.parse(stdout)).runs;
    expect(run.originalUriBaseIds).toEqual({ CHECKED: { uri: pathToFileURL(root).href } });
  });

  it('goes through folders, and reports a base that two configs extend once', async () => {
    mkdirSync(join(folder, 'node_modules/x'), { recursive: true });
    mkdirSync(join(folder, '.moe-lab'));
    for (const hidden of ['node_modules/x', '.moe-lab']) writeFileSync(join(folder, hidden, 'broken.moe.yaml'), 'model: 1\n');
    writeFileSync(join(folder, 'base.moe.yaml'), base.replace('layers: 2', 'layer: 2'));
    const { code, findings } = await findingsOf('.');
    expect(code).toBe(1);
    const keyed = findings.map(({ file, code: rule, range: { start } }) => `${file}:${start.line} ${rule}`);
    expect(keyed).toContain('base.moe.yaml:2 unknown-key');
    expect(new Set(keyed).size).toBe(keyed.length);
    expect(findings.every(({ file }) => !/node_modules|\.moe-lab/.test(file))).toBe(true);
  });

  it('finds validation text in the training text, by what the files hold', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => `Line ${index} says ${Math.sin(index)} and ${Math.cos(index * 7)}.`).join('\n');
    writeFileSync(join(folder, 'train.txt'), `Before.\n${lines}\nAfter.\n`);
    writeFileSync(join(folder, 'valid.txt'), lines);
    writeFileSync(
      join(folder, 'run.moe.yaml'),
      `${base}train: { steps: 10, batch_tokens: 256, warmup: 1 }\ndata: { train: [train.txt], validation: { prose: [valid.txt] } }\n`,
    );
    const { findings } = await findingsOf('run.moe.yaml');
    expect(findings.map((finding) => finding.code)).toEqual(['validation-in-training']);
  });

  it('writes SARIF: rules with their pages, one-based regions, replacements', async () => {
    const { code, stdout } = await check('wider.moe.yaml', '--format', 'sarif');
    expect(code).toBe(1);
    const [run] = sarifLog.parse(JSON.parse(stdout)).runs;
    expect(run.originalUriBaseIds).toEqual({ CHECKED: { uri: `${pathToFileURL(folder).href}/` } });
    const [result] = run.results;
    expect(run.tool.driver.rules[result?.ruleIndex ?? -1]?.id).toBe(result?.ruleId);
    expect(result?.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'wider.moe.yaml', uriBaseId: 'CHECKED' },
      region: { startLine: 5, startColumn: 5, endLine: 5, endColumn: 17 },
    });
    expect(result?.fixes?.length).toBeGreaterThan(0);
    for (const { id, help, shortDescription } of run.tool.driver.rules) {
      expect(shortDescription.text).toMatch(/^(?:[A-Z]|`[a-z]).*\.$/);
      expect(help?.markdown).toBe(readFileSync(join(import.meta.dirname, `../../media/rules/${id}.md`), 'utf8'));
    }
  });

  it.each([
    [[], /Name at least one config/],
    [['--format', 'xml', 'base.moe.yaml'], /--format is one of text, json, sarif/],
    [['--format', 'sarif', '--json', 'base.moe.yaml'], /two formats/],
    [['--severity', 'macs-of-parity=off', 'base.moe.yaml'], /There is no rule macs-of-parity; did you mean macs-off-parity\?/],
    [['--severity', 'unknown-key=off', 'base.moe.yaml'], /stays an error/],
    [['--severity', 'macs-off-parity=loud', 'base.moe.yaml'], /takes one of off, information, warning, error/],
    [['--fail-on', 'never', 'base.moe.yaml'], /--fail-on is one of/],
  ])('refuses %j in one sentence', async (args, message) => {
    const { code, stdout, stderr } = await check(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('refuses a folder without configs, and finds that a file is not there', async () => {
    mkdirSync(join(folder, 'empty'));
    expect((await check('empty')).code).toBe(2);
    const { code, findings } = await findingsOf('missing.moe.yaml');
    expect({ code, codes: findings.map((finding) => finding.code) }).toEqual({ code: 1, codes: ['missing-file'] });
  });
});
