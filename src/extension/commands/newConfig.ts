import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { CONFIG_SUFFIX } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { foldersOnDisk } from '../workspaceFolders';

const template = (name: string): string => `name: ${JSON.stringify(name)}
model:
  vocabulary: 256
  d_model: 128
  layers: 4
  context: 128
  attention: { heads: 4, position: rope }
  ffn: { width: 344, activation: swiglu } # the layers that are not routed
  moe:
    kind: smoe # or mh-moe
    every: 2 # every second layer
    experts: 8
    top_k: 1
    expert_width: 344
    router: { balance_weight: 0.01 }
train: { steps: 1000, batch_tokens: 2048, micro_batch: 16, learning_rate: 1.0e-3, min_learning_rate: 1.0e-4, warmup: 50, schedule: cosine }
data:
  tokenizer: bytes
  train: [corpus/train/*.txt] # your text files
  validation: { text: [corpus/validation/*.txt] }
evaluate: { every: 100 }
engine: { device: cpu }
`;

/** Asks for a name and writes a config to start from. An existing file is only replaced if the user says so in the dialog. */
export async function newConfig(): Promise<void> {
  const folder = foldersOnDisk()[0];
  const chosen = await vscode.window.showSaveDialog({
    title: 'New experiment config',
    saveLabel: 'Create',
    ...(folder ? { defaultUri: vscode.Uri.file(join(folder.path, `experiment${CONFIG_SUFFIX}`)) } : {}),
    filters: { 'MoE Lab experiments': [CONFIG_SUFFIX.slice(1)] },
  });
  if (chosen === undefined) throw new Dismissed('No file was named.');
  const uri = chosen.path.endsWith(CONFIG_SUFFIX)
    ? chosen
    : chosen.with({ path: `${chosen.path.replace(/\.ya?ml$/, '')}${CONFIG_SUFFIX}` });
  // The dialog has asked about replacing the name that was typed, not the one with the ending added.
  if (uri !== chosen && existsSync(uri.fsPath)) throw new ExtensionError(`${uri.fsPath} is there already.`, 'Choose another name.');
  await vscode.workspace.fs.writeFile(uri, Buffer.from(template(basename(uri.fsPath, CONFIG_SUFFIX))));
  await vscode.window.showTextDocument(uri);
}
