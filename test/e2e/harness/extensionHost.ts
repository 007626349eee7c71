import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './processes';

export interface HostDiagnostic {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
  readonly severity: 'error' | 'warning' | 'information' | 'hint';
  readonly message: string;
  readonly code: string | number | undefined;
  readonly source: string | undefined;
}

export interface HostCodeLens {
  readonly line: number;
  readonly title: string;
  readonly command: string;
}

interface HostFile {
  readonly pid: number;
  readonly port: number;
  readonly startedAt: number;
}

/** The extension host of one window, asked through the probe extension in it. */
export class ExtensionHost {
  constructor(
    readonly pid: number,
    private readonly port: number,
  ) {}

  /** The newest living host among those that announced themselves in the probe folder. */
  static newest(folder: string, notPid?: number): ExtensionHost | undefined {
    const hosts = readdirSync(folder)
      .filter((name) => /^host-\d+\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as HostFile)
      .filter(({ pid }) => pid !== notPid && isAlive(pid))
      .sort((a, b) => b.startedAt - a.startedAt);
    const newest = hosts[0];
    return newest && new ExtensionHost(newest.pid, newest.port);
  }

  private async ask<T>(question: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const body = JSON.stringify({ question, ...parameters });
    const response = await fetch(`http://127.0.0.1:${this.port}/`, { method: 'POST', body });
    const result = (await response.json()) as { answer: T } | { error: string };
    if ('error' in result) throw new Error(result.error);
    return result.answer;
  }

  /** Calls a command directly, past every `when` and `enablement`. `{ $uri: path }` becomes a Uri. */
  execute<T = unknown>(command: string, ...args: readonly unknown[]): Promise<T> {
    return this.ask('execute', { command, args });
  }

  commands(): Promise<readonly string[]> {
    return this.ask('commands');
  }

  isTrusted(): Promise<boolean> {
    return this.ask('trusted');
  }

  extension(id: string): Promise<{ readonly path: string; readonly active: boolean } | null> {
    return this.ask('extension', { id });
  }

  activate(id: string): Promise<boolean> {
    return this.ask('activate', { id });
  }

  /** Paths of the workspace's folders. */
  folders(): Promise<readonly string[]> {
    return this.ask('folders');
  }

  codeLenses(file: string): Promise<readonly HostCodeLens[]> {
    return this.ask('codeLenses', { file });
  }

  diagnostics(file: string): Promise<readonly HostDiagnostic[]> {
    return this.ask('diagnostics', { file });
  }

  /** The messages of all problems that a file has ever had in this window, those that came and went included. */
  problemsEverShown(file: string): Promise<readonly string[]> {
    return this.ask('everShown', { file });
  }

  /** Problems that a file has had and has no more: of a file that nobody has changed since it was there, none should have come and gone. */
  async problemsThatWent(file: string): Promise<readonly string[]> {
    const now = (await this.diagnostics(file)).map(({ message }) => message);
    return (await this.problemsEverShown(file)).filter((message) => !now.includes(message));
  }

  open(file: string): Promise<boolean> {
    return this.ask('open', { file });
  }

  /** Replaces the first occurrence in an open editor, unsaved. Says whether the document is dirty. */
  edit(file: string, from: string, to: string): Promise<boolean> {
    return this.ask('edit', { file, from, to });
  }

  /** The document in the active editor, saved or not; null where it is none of text. */
  activeFile(): Promise<string | null> {
    return this.ask('activeFile');
  }

  /** The text selected in the active editor. */
  selection(): Promise<string> {
    return this.ask('selection');
  }

  /** The text of a document that VS Code has open, saved or not; null where it has not. */
  text(file: string): Promise<string | null> {
    return this.ask('text', { file });
  }

  isDirty(file: string): Promise<boolean> {
    return this.ask('isDirty', { file });
  }

  tabs(): Promise<readonly string[]> {
    return this.ask('tabs');
  }

  setSetting(name: string, value: unknown): Promise<boolean> {
    return this.ask('setting', { name, value });
  }
}
