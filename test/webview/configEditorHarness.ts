/// <reference types="node" />
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { ConfigEditorToHost, ConfigEditorToWebview } from '../../src/extension/panels/configEditor-protocol';
import { configEditorHtml } from '../../src/extension/panels/configEditorHtml';
import { ConfigEditorSession } from '../../src/extension/panels/configEditorSession';
import { AnalysisStore } from '../../src/language/analysisStore';
import { chromiumPath } from './dashboardHarness';
import { MemoryDocument } from './memoryDocument';
import { prepareWindow, type TestWindow } from './testWindow';
import { themes, type EditorTheme } from './themes';

const origin = 'https://config-editor.test';
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'];

/** The page, built as the extension ships it. */
export interface BuiltConfigEditor {
  readonly folder: string;
  readonly browser: Browser;
  close(): Promise<void>;
}

export async function buildConfigEditor(): Promise<BuiltConfigEditor> {
  const folder = mkdtempSync(join(tmpdir(), 'moe-lab-webview-'));
  await build({
    absWorkingDir: resolve(__dirname, '../..'),
    bundle: true,
    outdir: folder,
    logLevel: 'error',
    entryPoints: { configEditor: 'webview/configEditor/main.ts' },
    format: 'iife',
    target: 'es2022',
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
  readonly text: string;
  /** Other files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly theme?: EditorTheme;
  readonly width?: number;
  readonly height?: number;
  /** Device pixels per CSS pixel. */
  readonly scale?: number;
  readonly savedState?: unknown;
}

/** Where the configs of these tests lie; nothing is read from a disk. */
export const folder = resolve('/configs');
export const edited = join(folder, 'edited.moe.yaml');

/** A config editor open in a browser, with the product's own session and analyses as its host, over a document in memory. */
export class OpenConfigEditor {
  readonly sent: ConfigEditorToWebview[] = [];
  readonly received: ConfigEditorToHost[] = [];
  readonly revealed: string[] = [];
  readonly errors: string[] = [];
  readonly document: MemoryDocument;
  /** The next edit finds that the document has changed while it was on its way. */
  refuseNextEdit = false;
  private readonly session: ConfigEditorSession;

  private constructor(
    readonly page: Page,
    options: OpenOptions,
  ) {
    this.document = new MemoryDocument(options.text, () => {
      store.outdate(edited);
      this.session.changed();
    });
    const others = new Map(Object.entries(options.files ?? {}).map(([name, text]) => [join(folder, name), text]));
    const readText = (file: string): string | undefined => (file === edited ? this.document.text : others.get(file));
    const store = new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) });
    this.session = new ConfigEditorSession({
      send: (message) => this.send(message),
      document: () => ({ file: edited, version: this.document.version, text: this.document.text, readOnly: false }),
      analysis: () => store.get(edited),
      readText,
      apply: async (edits) => {
        if (this.refuseNextEdit) {
          this.refuseNextEdit = false;
          return false;
        }
        this.document.apply(edits);
        return true;
      },
      reveal: async (file, range) => {
        this.revealed.push(`${file.slice(folder.length + 1)}:${range === undefined ? '' : range.start.line + 1}`);
      },
      showRule: async (code) => {
        this.revealed.push(`rule ${code}`);
      },
      isVisible: () => true,
      logError: (error) => this.errors.push(error.message),
    });
  }

  static async open(built: BuiltConfigEditor, options: OpenOptions): Promise<OpenConfigEditor> {
    const { width = 1200, height = 1000, scale = 1 } = options;
    const page = await built.browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale });
    const editor = new OpenConfigEditor(page, options);
    page.on('pageerror', (error) => editor.errors.push(error.message));
    await page.route(`${origin}/**`, (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      if (name !== '') return route.fulfill({ path: join(built.folder, name) });
      const urls = { script: `${origin}/configEditor.js`, style: `${origin}/configEditor.css` };
      return route.fulfill({ contentType: 'text/html', body: configEditorHtml({ ...urls, cspSource: origin, nonce: 'c2f1a9' }) });
    });
    await page.exposeFunction('messageToHost', (text: string) => editor.receive(JSON.parse(text)));
    await page.addInitScript(prepareWindow, { theme: options.theme ?? themes.dark, savedState: options.savedState ?? null });
    await page.goto(`${origin}/`);
    await page.waitForSelector('.empty', { state: 'hidden' });
    return editor;
  }

  async setTheme(theme: EditorTheme): Promise<void> {
    await this.page.evaluate((next) => (window as unknown as TestWindow).applyTheme(next), theme);
  }

  savedState(): Promise<unknown> {
    return this.page.evaluate(() => (window as unknown as TestWindow).savedState);
  }

  violations(): Promise<readonly string[]> {
    return this.page.evaluate(() => (window as unknown as TestWindow).violations);
  }

  /** The control of a key: what somebody types into, ticks or chooses from. */
  control(path: string) {
    return this.field(path).locator('vscode-text-field, vscode-text-area, vscode-dropdown, vscode-checkbox').first();
  }

  field(path: string) {
    return this.page.locator(`.field[data-path="${path}"]`);
  }

  async close(): Promise<void> {
    this.session.dispose();
    await this.page.close();
  }

  /** What the page says to the host. */
  receive(message: ConfigEditorToHost): void {
    this.received.push(message);
    this.session.receive(message);
  }

  /** What the page shows of a message of the host. */
  send(message: ConfigEditorToWebview): void {
    this.sent.push(message);
    this.page
      .evaluate((json) => (window as unknown as TestWindow).messageFromHost(json), JSON.stringify(message))
      .catch((error: unknown) => {
        if (!this.page.isClosed()) this.errors.push(String(error));
      });
  }
}
