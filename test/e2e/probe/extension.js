/**
 * Answers questions of the end-to-end tests from inside the extension host. Writes `host-PID.json` with its port into the folder that
 * MOE_LAB_PROBE names, so that after a reload the tests find the new host and can compare process ids. Never packaged with the product.
 */
/* eslint-disable @typescript-eslint/no-require-imports */
const { createServer } = require('node:http');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const vscode = require('vscode');

/** URIs and ranges travel as plain JSON; arguments that are `{ "$uri": path }` become URIs. */
const revive = (value) => {
  if (Array.isArray(value)) return value.map(revive);
  return value && typeof value === 'object' && typeof value.$uri === 'string' ? vscode.Uri.file(value.$uri) : value;
};

/** Every problem that a file has ever been shown with, by its path: what comes and goes at once is seen too. */
const everShown = new Map();

const remember = ({ uris }) => {
  for (const uri of uris) {
    const messages = vscode.languages.getDiagnostics(uri).map(({ message }) => message);
    if (messages.length > 0) everShown.set(uri.fsPath, [...new Set([...(everShown.get(uri.fsPath) ?? []), ...messages])]);
  }
};

/** Of an open document, which may be untitled, or of the file of that name. */
const addressOf = (file) => vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === file)?.uri ?? vscode.Uri.file(file);

const questions = {
  pid: () => process.pid,
  trusted: () => vscode.workspace.isTrusted,
  folders: () => (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath),
  commands: () => vscode.commands.getCommands(true),
  execute: ({ command, args }) => vscode.commands.executeCommand(command, ...(args ?? []).map(revive)),
  extension: ({ id }) => {
    const extension = vscode.extensions.getExtension(id);
    return extension && { path: extension.extensionPath, active: extension.isActive };
  },
  activate: async ({ id }) => {
    await vscode.extensions.getExtension(id)?.activate();
    return true;
  },
  codeLenses: async ({ file }) => {
    const lenses = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', vscode.Uri.file(file), 100);
    return lenses.map(({ range, command }) => ({ line: range.start.line, title: command?.title ?? '', command: command?.command ?? '' }));
  },
  diagnostics: ({ file }) =>
    vscode.languages.getDiagnostics(addressOf(file)).map(({ range, severity, message, code, source }) => ({
      start: { line: range.start.line, character: range.start.character },
      end: { line: range.end.line, character: range.end.character },
      severity: ['error', 'warning', 'information', 'hint'][severity],
      message,
      code: typeof code === 'object' ? code.value : code,
      source,
    })),
  everShown: ({ file }) => everShown.get(file) ?? [],
  open: async ({ file }) => {
    await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
    return true;
  },
  /** Replaces text in an open editor and leaves the document dirty. */
  edit: async ({ file, from, to }) => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
    const editor = await vscode.window.showTextDocument(document, { preview: false });
    const at = document.getText().indexOf(from);
    if (at < 0) throw new Error(`no ${from} in ${file}`);
    const range = new vscode.Range(document.positionAt(at), document.positionAt(at + from.length));
    await editor.edit((builder) => builder.replace(range, to));
    return document.isDirty;
  },
  activeFile: () => vscode.window.activeTextEditor?.document.uri.fsPath,
  selection: () => {
    const editor = vscode.window.activeTextEditor;
    return editor ? editor.document.getText(editor.selection) : '';
  },
  text: ({ file }) => vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === file)?.getText(),
  isDirty: ({ file }) => vscode.workspace.textDocuments.some(({ uri, isDirty }) => uri.fsPath === file && isDirty),
  tabs: () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label)),
  setting: async ({ name, value }) => {
    await vscode.workspace.getConfiguration().update(name, value, vscode.ConfigurationTarget.Global);
    return true;
  },
};

exports.activate = (context) => {
  const folder = process.env.MOE_LAB_PROBE;
  if (!folder) return;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += data));
    request.on('end', async () => {
      try {
        const { question, ...parameters } = JSON.parse(body);
        const answer = await questions[question](parameters);
        response.end(JSON.stringify({ answer: answer ?? null }));
      } catch (error) {
        response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
      }
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    writeFileSync(join(folder, `host-${process.pid}.json`), JSON.stringify({ pid: process.pid, port, startedAt: Date.now() }));
  });
  context.subscriptions.push(vscode.languages.onDidChangeDiagnostics(remember), { dispose: () => server.close() });
};
