import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { readMachineFile } from '../../src/runs/machineFile';
import { temporaryFolder } from '../runs/fixtures';
import { builtBundles } from '../worker/bundles';
import { writeTinyExperiment } from '../worker/experiments';
import { experimentOverlapInThread } from '../../src/worker/overlapThread/overlapThreadHost';
import { measureMachine } from '../../src/worker/measureMachine';

const bundleFolder = builtBundles();

function cli(cwd: string, ...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(bundleFolder, 'cli.js'), ...args], { cwd }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe('moe-lab measure', () => {
  it('trains in a process of its own, keeps how fast that was, and makes no run', async () => {
    const folder = temporaryFolder();
    writeTinyExperiment(folder, { steps: 1000 });
    const { code, stdout, stderr } = await cli(folder, 'measure', 'tiny.moe.yaml', '--seconds', '0.3', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const said = JSON.parse(stdout) as { tokensPerSecond: number; tokens: number; secondsToFinish: number; steps: number };
    expect(said).toMatchObject({ schemaVersion: 1, device: 'cpu', tokens: 64_000 });
    expect(said.steps).toBeGreaterThan(0);
    expect(said.secondsToFinish).toBeCloseTo(said.tokens / said.tokensPerSecond, 9);
    const runs = join(folder, '.moe-lab', 'runs');
    expect(readMachineFile(runs)).toMatchObject([{ host: hostname(), device: 'cpu', tokensPerSecond: said.tokensPerSecond }]);
    expect(readdirSync(runs).toSorted()).toEqual(['.gitignore', 'machine.json']);
  });

  it('says what a person wants to know', async () => {
    const folder = temporaryFolder();
    writeTinyExperiment(folder);
    const { stdout } = await cli(folder, 'measure', 'tiny.moe.yaml', '--seconds', '0.1');
    expect(stdout).toMatch(/^tiny\.moe\.yaml: [\d,]+ tokens\/s on cpu \(\d+ steps?\); 384 tokens to the end take about \d+:\d\d\n$/);
  });

  it('needs a training, and a sensible time', async () => {
    const folder = temporaryFolder();
    writeTinyExperiment(folder);
    expect(await cli(folder, 'measure', 'tiny.moe.yaml', '--seconds', 'soon')).toMatchObject({ code: 2 });
    writeFileSync(join(folder, 'counted.moe.yaml'), 'extends: tiny.moe.yaml\ntrain:\n');
    const { code, stderr } = await cli(folder, 'measure', 'counted.moe.yaml');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/There is no `train:` section/)]);
  });

  it('is ended with its process when it is told to', async () => {
    const folder = temporaryFolder();
    const file = writeTinyExperiment(folder);
    const { experiment } = loadConfig(file, readTextFromDisk);
    if (experiment === undefined) throw new Error('The tiny experiment has no errors.');
    const stop = new AbortController();
    const measuring = measureMachine({
      experiment,
      runsDirectory: join(folder, 'runs'),
      seconds: 3600,
      bundleFolder,
      signal: stop.signal,
      onStep: () => stop.abort(new Error('Enough.')),
    });
    await expect(measuring).rejects.toThrow('Enough.');
    expect(readMachineFile(join(folder, 'runs'))).toEqual([]);
  });
});

describe('moe-lab scale', () => {
  it('measures what it must, and writes a pair that trains as it says', async () => {
    const folder = temporaryFolder();
    writeTinyExperiment(folder, {
      steps: 1_000_000,
      model: 'moe: { kind: smoe, every: 2, experts: 4, top_k: 1, expert_width: 1024 }',
    });
    const text = readFileSync(join(folder, 'tiny.moe.yaml'), 'utf8');
    const large = text.replace('d_model: 16', 'd_model: 512').replace('{ width: 16 }', '{ width: 1024 }').replace('layers: 2', 'layers: 8');
    writeFileSync(join(folder, 'tiny.moe.yaml'), large);
    writeFileSync(
      join(folder, 'mh.moe.yaml'),
      'extends: tiny.moe.yaml\nparity: tiny.moe.yaml\nmodel: { moe: { kind: mh-moe, heads: 2, top_k: 2, experts: 20, expert_width: 320 } }\n',
    );
    const { code, stdout, stderr } = await cli(folder, 'scale', 'mh.moe.yaml', '--time', '1m', '--json');
    expect(stderr).toMatch(/^moe-lab: measuring how fast this machine trains d_model \d+, 5 s\n/);
    expect(code).toBe(0);
    const said = JSON.parse(stdout) as { seconds: number; subject: string; residuals: { macs: number } };
    expect(said.seconds).toBeLessThanOrEqual(60);
    const { experiment, findings } = loadConfig(said.subject, readTextFromDisk);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(experiment?.model.d_model).toBeLessThan(512);
    // The warm-up and text of the tiny experiment hold for both.
    expect(readMachineFile(join(folder, '.moe-lab', 'runs')).length).toBeGreaterThanOrEqual(1);
    const again = await cli(folder, 'scale', 'mh.moe.yaml', '--time', 'soon');
    expect([again.code, again.stderr]).toEqual([2, 'moe-lab: --time takes a time such as 30m or 2h, not soon.\n']);
    const none = await cli(folder, 'scale', 'tiny.moe.yaml', '--memory', '1GiB');
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/names no baseline/)]);
  });
});

describe('validation text, looked for in a thread', () => {
  it('is found as it is in this one', async () => {
    const folder = temporaryFolder();
    writeTinyExperiment(folder);
    const data = { train: ['corpus/train.txt'], validation: { prose: ['corpus/valid.txt'], same: ['corpus/train.txt'] } };
    const overlaps = await experimentOverlapInThread(join(bundleFolder, 'overlapThread.js'), { data, folder });
    // Its validation text is the beginning of what it trains on.
    expect(overlaps).toMatchObject([
      { set: 'same', sameFile: true },
      { set: 'prose', sameFile: false, windows: 1, found: 1 },
    ]);
    const aborted = experimentOverlapInThread(
      join(bundleFolder, 'overlapThread.js'),
      { data, folder },
      AbortSignal.abort(new Error('Enough.')),
    );
    await expect(aborted).rejects.toThrow('Enough.');
  });
});
