import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  DASHBOARD_PROTOCOL_VERSION,
  type DashboardRequest,
  type DashboardToHost,
  type DashboardToWebview,
} from '../../../src/extension/panels/dashboard-protocol';
import { DashboardSession } from '../../../src/extension/panels/dashboardSession';
import { ReaderThread } from '../../../src/extension/reader/readerThread';
import { WrittenRun } from '../reader/writtenRun';

/** Waits until the assertion holds; generous, since the machine may have more to do. */
const eventually = (assertion: () => void) => vi.waitFor(assertion, { timeout: 60_000, interval: 50 });

/** The host's side with the product's own reader thread: what a webview would be sent. */
describe('a dashboard session', () => {
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'moe-lab-session-'));
    await build({
      absWorkingDir: resolve(__dirname, '../../..'),
      entryPoints: { readerThread: 'src/extension/reader/entry.ts' },
      outdir: folder,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function open(runs: string[], perform: (request: DashboardRequest) => Promise<void> = () => Promise.resolve()) {
    const sent: DashboardToWebview[] = [];
    const errors: string[] = [];
    const session = new DashboardSession({
      send: (message) => sent.push(message),
      startReader: (events) => new ReaderThread(join(folder, 'readerThread.js'), events),
      runs: () => runs,
      isVisible: () => true,
      perform,
      logError: (error) => errors.push(error.message),
    });
    onTestFinished(() => session.dispose());
    const say = (message: DashboardToHost) => session.receive(message);
    return { session, sent, errors, say };
  }
  const view: DashboardToHost = {
    type: 'view',
    view: { width: 512, quantity: 'perplexity', smoothed: false, hidden: [], heatmap: null, retrieval: null, baseline: null },
  };
  const updates = (sent: readonly DashboardToWebview[]) => sent.flatMap((message) => (message.type === 'update' ? [message] : []));

  function write(steps: number): WrittenRun {
    const run = new WrittenRun({ experts: [4] });
    onTestFinished(() => run.close());
    run.train(steps);
    return run;
  }

  test('greets, sends a snapshot, then what is new', async () => {
    const run = write(20);
    const { sent, say } = open([run.directory]);
    say({ type: 'ready', version: DASHBOARD_PROTOCOL_VERSION });
    say(view);
    expect(sent).toEqual([{ type: 'welcome', version: DASHBOARD_PROTOCOL_VERSION }]);
    await eventually(() => expect(updates(sent)[0]).toMatchObject({ snapshot: true, summaries: [{ step: 20 }] }));
    run.train(1);
    await eventually(() => expect(updates(sent).at(-1)).toMatchObject({ snapshot: false, summaries: [{ step: 21 }] }));
  });

  test('a page that is seen again gets a snapshot, not a queue', async () => {
    const run = write(20);
    const { session, sent, say } = open([run.directory]);
    say({ type: 'ready', version: DASHBOARD_PROTOCOL_VERSION });
    say(view);
    await eventually(() => expect(updates(sent)).not.toHaveLength(0));
    session.hidden();
    // The thread answers in order: once this is back, it knows that it is paused.
    say({ type: 'request', id: 1, request: { kind: 'expertsAt', run: run.directory, step: 1 } });
    await eventually(() => expect(sent.at(-1)).toMatchObject({ type: 'response', id: 1 }));
    const before = updates(sent).length;
    for (let round = 0; round < 3; round++) run.train(5);
    say({ type: 'ready', version: DASHBOARD_PROTOCOL_VERSION });
    say(view);
    await eventually(() => expect(updates(sent).length).toBeGreaterThan(before));
    expect(updates(sent)[before]).toMatchObject({ snapshot: true, summaries: [{ step: 35 }] });
  });

  test('another version is told so and gets nothing', () => {
    const { sent, say } = open([]);
    say({ type: 'ready', version: 999 });
    expect(sent).toEqual([{ type: 'versionMismatch', version: DASHBOARD_PROTOCOL_VERSION }]);
  });

  test('a request is answered, a failed one with its reason, a cancelled one not at all', async () => {
    const { sent, errors, say } = open([], async (request) => {
      if (request.kind === 'stopRun') throw new Error('The worker does not answer.');
    });
    say({ type: 'request', id: 1, request: { kind: 'openConfig', run: '/a' } });
    say({ type: 'request', id: 2, request: { kind: 'stopRun', run: '/a' } });
    say({ type: 'request', id: 3, request: { kind: 'openConfig', run: '/a' } });
    say({ type: 'cancel', id: 3 });
    say({ type: 'request', id: 4, request: { kind: 'expertsAt', run: '/a', step: 1 } });
    await eventually(() => expect(sent).toHaveLength(3));
    expect(sent).toEqual([
      { type: 'response', id: 1, result: { kind: 'done' } },
      { type: 'error', id: 2, message: 'The worker does not answer.', advice: expect.any(String) as string },
      { type: 'response', id: 4, result: { kind: 'experts', frame: null } },
    ]);
    expect(errors).toEqual(['The worker does not answer.']);
  });

  test('a malformed message is logged and changes nothing', () => {
    const { session, sent, errors } = open([]);
    session.receive({ type: 'view', view: { width: 'wide' } });
    expect(sent).toEqual([]);
    expect(errors[0]).toContain('not understood');
  });
});
