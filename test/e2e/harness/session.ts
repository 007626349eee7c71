import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { inject } from 'vitest';
import { startCodeServer, type CodeServer, type Workbench } from '../../../scripts/support/codeServer.mjs';
import { eventually } from './eventually';
import { ExtensionHost } from './extensionHost';
import { endWorkers } from './runs';
import { Window } from './window';

declare module 'vitest' {
  interface ProvidedContext {
    workbench: Workbench;
    chromium: string;
    /** Folder with the packaged extension and the probe installed. */
    extensions: string;
    /** test/e2e/.work */
    work: string;
    /** The package under test. */
    vsix: string;
  }
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface SessionOptions {
  /** Of the suite: names its folder under test/e2e/.work, where the server's log stays. */
  readonly name: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Fills the workspace before it is opened. */
  readonly prepare?: (workspace: string) => void | Promise<void>;
}

/** One suite's VS Code: its server, browser and workspace. Ends all of it, workers included, in `close`. */
export class Session {
  readonly folder: string;
  readonly workspace: string;
  private readonly probeFolder: string;
  private current: { readonly page: Page; readonly window: Window; readonly host: ExtensionHost } | undefined;

  private constructor(
    private readonly options: SessionOptions,
    private server: CodeServer,
    private readonly browser: Browser,
    private readonly context: Awaited<ReturnType<Browser['newContext']>>,
  ) {
    this.folder = suiteFolder(options.name);
    this.workspace = join(this.folder, 'workspace');
    this.probeFolder = join(this.folder, 'probe');
  }

  static async start(options: SessionOptions): Promise<Session> {
    const folder = suiteFolder(options.name);
    const workspace = join(folder, 'workspace');
    await endWorkers(workspace);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(workspace, { recursive: true });
    mkdirSync(join(folder, 'probe'));
    await options.prepare?.(workspace);
    const server = await startCodeServer(inject('workbench'), serverOptions(options));
    const browser = await chromium.launch({ executablePath: inject('chromium'), headless: true, args: flags });
    const context = await browser.newContext({
      viewport: { width: 1400, height: 900 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const session = new Session(options, server, browser, context);
    await session.openWindow();
    return session;
  }

  get window(): Window {
    return this.opened.window;
  }

  get host(): ExtensionHost {
    return this.opened.host;
  }

  private get opened() {
    if (!this.current) throw new Error('No window is open.');
    return this.current;
  }

  /** Opens the workspace in a new page and waits for its extension host. */
  async openWindow(): Promise<void> {
    const before = this.current?.host.pid;
    const page = await this.context.newPage();
    const log = join(this.folder, 'browser.log');
    page.on('console', (message) => {
      appendFileSync(log, `${message.type()} ${message.text()}\n`);
      if (message.type() === 'error') this.consoleErrors.push(message.text());
    });
    await page.goto(`${this.server.url}/?folder=${encodeURIComponent(this.workspace)}`);
    await this.attach(page, before);
  }

  /** Opens a `.code-workspace` in place of the folder: another window, with an extension host of its own. */
  async openWorkspaceFile(file: string): Promise<void> {
    const { page } = this.opened;
    await eventually('the folders of the workspace', async () => {
      const before = this.opened.host.pid;
      await page.goto(`${this.server.url}/?workspace=${encodeURIComponent(file)}`);
      await this.attach(page, before);
      // In a browser VS Code at times reads the file before its server's disk is there, and stays without folders.
      return eventually('a folder', async () => (await this.host.folders()).length > 0, 5);
    });
  }

  /** Errors in the browser's console, the webviews' included: a violated content security policy is one. */
  readonly consoleErrors: string[] = [];

  private async attach(page: Page, notPid: number | undefined): Promise<void> {
    await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
    const host = await eventually('the extension host', () => ExtensionHost.newest(this.probeFolder, notPid), 60);
    this.current = { page, window: new Window(page), host };
  }

  /** *Developer: Reload Window*: a new workbench and a new extension host. */
  async reloadWindow(): Promise<void> {
    const { page, window, host } = this.opened;
    const loaded = page.waitForEvent('load', { timeout: 60_000 });
    await window.runCommand('Developer: Reload Window');
    await loaded;
    await this.attach(page, host.pid);
  }

  /** Closes the window and ends the whole server with every process in its group. */
  async endServer(): Promise<void> {
    await this.opened.page.close();
    await this.server.stop();
  }

  /** A new server on the same port, data and workspace, as after closing the laptop; opens the window again. */
  async startServerAgain(): Promise<void> {
    this.server = await startCodeServer(inject('workbench'), { ...serverOptions(this.options), port: this.server.port });
    await this.openWindow();
  }

  /** Keeps what helps to understand a failure: a picture beside the server's log. */
  async keepEvidence(name: string): Promise<void> {
    const file = join(this.folder, `failed-${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 80)}.png`);
    await this.current?.page.screenshot({ path: file, timeout: 20_000 }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
    await endWorkers(this.workspace);
  }
}

function suiteFolder(name: string): string {
  return join(inject('work'), name);
}

function serverOptions(options: SessionOptions) {
  const folder = suiteFolder(options.name);
  return {
    folder,
    extensions: inject('extensions'),
    ...(options.settings && { settings: options.settings }),
    env: { MOE_LAB_PROBE: join(folder, 'probe'), ...options.env },
  };
}

/** Copies a folder of files into a workspace. */
export function copyInto(from: string, workspace: string): void {
  cpSync(from, workspace, { recursive: true });
}
