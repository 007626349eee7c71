import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import type { Position, SourceRange } from '../../src/config/configFile';

export interface ServerDiagnostic {
  readonly range: SourceRange;
  readonly message: string;
  readonly severity: number;
}

export interface ServerCompletion {
  readonly label: string;
  readonly insertText?: string;
}

/** The language server that Red Hat's YAML extension runs, as a process, with the schema that package.json gives it. */
export interface YamlLanguageServer {
  diagnostics(name: string, text: string): Promise<readonly ServerDiagnostic[]>;
  hover(name: string, text: string, position: Position): Promise<string | undefined>;
  completions(name: string, text: string, position: Position): Promise<readonly ServerCompletion[]>;
  stop(): Promise<void>;
}

interface HoverAnswer {
  readonly contents: { readonly value: string } | string;
}

export async function startYamlLanguageServer(schema: string): Promise<YamlLanguageServer> {
  const root = join(createRequire(import.meta.url).resolve('yaml-language-server/package.json'), '..');
  const server = spawn(process.execPath, [join(root, 'bin', 'yaml-language-server'), '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  const settings: Readonly<Record<string, unknown>> = {
    yaml: {
      validate: true,
      hover: true,
      completion: true,
      schemaStore: { enable: false },
      schemas: { [pathToFileURL(schema).href]: '*.moe.yaml' },
    },
  };
  const waiting = new Map<string, (diagnostics: readonly ServerDiagnostic[]) => void>();
  connection.onRequest('workspace/configuration', ({ items }: { items: readonly { section?: string }[] }) =>
    items.map(({ section = '' }) => settings[section] ?? {}),
  );
  connection.onRequest('client/registerCapability', () => null);
  connection.onNotification('textDocument/publishDiagnostics', (sent: { uri: string; diagnostics: readonly ServerDiagnostic[] }) => {
    waiting.get(sent.uri)?.(sent.diagnostics);
  });
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {
      workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } },
      textDocument: { hover: { contentFormat: ['markdown'] }, completion: { completionItem: { snippetSupport: true } } },
    },
  });
  await connection.sendNotification('initialized', {});
  await connection.sendNotification('workspace/didChangeConfiguration', { settings });

  let opened = 0;
  /** Each text is a document of its own, so that none waits for what another was told. */
  const open = async (name: string, text: string): Promise<{ uri: string; diagnosed: Promise<readonly ServerDiagnostic[]> }> => {
    opened += 1;
    const uri = pathToFileURL(`/lab/${opened}/${name}`).href;
    const diagnosed = new Promise<readonly ServerDiagnostic[]>((resolve) => waiting.set(uri, resolve));
    await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    return { uri, diagnosed };
  };
  return {
    diagnostics: async (name, text) => (await open(name, text)).diagnosed,
    hover: async (name, text, position) => {
      const { uri } = await open(name, text);
      const answer = await connection.sendRequest<HoverAnswer | null>('textDocument/hover', { textDocument: { uri }, position });
      return answer === null ? undefined : typeof answer.contents === 'string' ? answer.contents : answer.contents.value;
    },
    completions: async (name, text, position) => {
      const { uri } = await open(name, text);
      const answer = await connection.sendRequest<{ items: readonly ServerCompletion[] } | readonly ServerCompletion[] | null>(
        'textDocument/completion',
        { textDocument: { uri }, position },
      );
      return answer === null ? [] : 'items' in answer ? answer.items : answer;
    },
    stop: async () => {
      const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      await ended;
      connection.dispose();
    },
  };
}
