/// <reference types="node" />
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { DashboardRequest, DashboardToHost, DashboardToWebview } from '../../src/extension/panels/dashboard-protocol';
import { dashboardHtml } from '../../src/extension/panels/dashboardHtml';
import { DashboardSession } from '../../src/extension/panels/dashboardSession';
import { ReaderThread } from '../../src/extension/reader/readerThread';
import { prepareWindow, type TestWindow } from './testWindow';
import { themes, type EditorTheme } from './themes';

export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
if (chromiumPath === undefined) process.stderr.write('Tests of the pages in a browser skipped: there is no Chromium.\n');
export const screenshots = resolve(__dirname, '../e2e/screenshots');

const origin = 'https://dashboard.test';
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'];

/** The page and the reader thread, built as the extension ships them. */
export interface BuiltDashboard {
  readonly folder: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

export async function buildDashboard(): Promise<BuiltDashboard> {
  const folder = mkdtempSync(join(tmpdir(), 'moe-lab-webview-'));
  const root = resolve(__dirname, '../..');
  const common = { absWorkingDir: root, bundle: true, outdir: folder, logLevel: 'error' } as const;
  await build({ ...common, entryPoints: { dashboard: 'webview/dashboard/main.ts' }, format: 'iife', target: 'es2022' });
  await build({
    ...common,
    entryPoints: { readerThread: 'src/extension/reader/entry.ts' },
    platform: 'node',
    format: 'cjs',
    target: 'node20',
  });
  const browser = await chromium.launch({ executablePath: chromiumPath ?? '', args: flags });
  return {
    folder,
    browser,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface OpenOptions {
  readonly runs: readonly string[];
  readonly theme?: EditorTheme;
  readonly width?: number;
  readonly height?: number;
  /** Device pixels per CSS pixel. */
  readonly scale?: number;
  readonly savedState?: unknown;
}

/** A dashboard open in a browser, with the product's own session and reader thread as its host. */
export class OpenDashboard {
  readonly sent: DashboardToWebview[] = [];
  readonly received: DashboardToHost[] = [];
  readonly performed: DashboardRequest[] = [];
  readonly errors: string[] = [];
  private readonly session: DashboardSession;
  private runs: readonly string[];

  private constructor(
    readonly page: Page,
    built: BuiltDashboard,
    options: OpenOptions,
  ) {
    this.runs = options.runs;
    this.session = new DashboardSession({
      send: (message) => this.send(message),
      startReader: (events) => new ReaderThread(join(built.folder, 'readerThread.js'), events),
      runs: () => this.runs,
      isVisible: () => true,
      perform: (request) => this.perform(request),
      logError: (error) => this.errors.push(error.message),
    });
  }

  static async open(built: BuiltDashboard, options: OpenOptions): Promise<OpenDashboard> {
    const { width = 1100, height = 1000, scale = 1 } = options;
    const page = await built.browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale });
    const dashboard = new OpenDashboard(page, built, options);
    page.on('pageerror', (error) => dashboard.errors.push(error.message));
    await page.route(`${origin}/**`, (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      if (name !== '') return route.fulfill({ path: join(built.folder, name) });
      const urls = { script: `${origin}/dashboard.js`, style: `${origin}/dashboard.css` };
      return route.fulfill({ contentType: 'text/html', body: dashboardHtml({ ...urls, cspSource: origin, nonce: 'c2f1a9' }) });
    });
    await page.exposeFunction('messageToHost', (text: string) => dashboard.receive(JSON.parse(text)));
    await page.addInitScript(prepareWindow, { theme: options.theme ?? themes.dark, savedState: options.savedState ?? null });
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => document.querySelector('.empty')?.textContent !== 'Reading runs…');
    return dashboard;
  }

  showRuns(runs: readonly string[]): void {
    this.runs = runs;
    this.session.runsChanged(runs);
  }

  async setTheme(theme: EditorTheme): Promise<void> {
    await this.page.evaluate((next) => (window as unknown as TestWindow).applyTheme(next), theme);
  }

  /** What the page has kept for its next life. */
  savedState(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as TestWindow).savedState);
  }

  violations(): Promise<readonly string[]> {
    return this.page.evaluate(() => (window as unknown as TestWindow).violations);
  }

  /** Points of all curves in the updates sent so far. */
  get pointsSent(): number {
    return this.sent.reduce((sum, message) => {
      if (message.type !== 'update') return sum;
      return sum + message.curves.reduce((points, curve) => points + curve.points.byteLength / 32, 0);
    }, 0);
  }

  async close(): Promise<void> {
    this.session.dispose();
    await this.page.close();
  }

  private receive(message: DashboardToHost): void {
    this.received.push(message);
    this.session.receive(message);
  }

  private async perform(request: DashboardRequest): Promise<void> {
    this.performed.push(request);
    if (request.kind === 'toggleRun') this.showRuns(this.runs.filter((run) => run !== request.run));
  }

  private send(message: DashboardToWebview): void {
    this.sent.push(message);
    const text = JSON.stringify(message, (_, value: unknown) =>
      value instanceof ArrayBuffer ? { base64: Buffer.from(value).toString('base64') } : value,
    );
    this.page
      .evaluate((json) => (window as unknown as TestWindow).messageFromHost(json), text)
      .catch((error: unknown) => {
        if (!this.page.isClosed()) this.errors.push(String(error));
      });
  }
}

export function fileBytes(path: string): number {
  return readFileSync(path).length;
}
