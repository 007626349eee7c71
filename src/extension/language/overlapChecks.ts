import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { LoadedConfig } from '../../config/configFile';
import type { DataConfig } from '../../config/schema';
import { experimentFiles } from '../../data/experimentOverlap';
import type { TextOverlap } from '../../data/textOverlap';
import { experimentOverlapInThread } from '../../worker/overlapThread/overlapThreadHost';
import { isConfigDocument, openDocument } from './configDocuments';

/** A config whose text is to be looked at. */
interface Asked {
  readonly file: string;
  readonly key: string;
  readonly data: DataConfig;
}

interface Known {
  /** Of the files when they were read. */
  readonly stamp: string;
  readonly overlaps: readonly TextOverlap[];
}

/**
 * Looks for validation text in the training text of the configs that are open, one after the other in a thread, since it reads all of the
 * text. A config that names other files, or is saved after they have changed, is looked at anew. Not in an untrusted workspace, whose
 * configs may name any file.
 */
export class OverlapChecks implements vscode.Disposable {
  private readonly looked = new vscode.EventEmitter<{ readonly file: string }>();
  private readonly known = new Map<string, Known>();
  private readonly fresh = new Set<string>();
  private readonly queue = new Map<string, Asked>();
  private readonly abort = new AbortController();
  private readonly saved: vscode.Disposable;
  private working = false;

  /** Fires when something else was found than before, and when somebody should ask again. */
  readonly onDidLook = this.looked.event;

  constructor(
    private readonly threadFile: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.saved = vscode.workspace.onDidSaveTextDocument((document) => {
      if (!isConfigDocument(document)) return;
      this.fresh.clear();
      this.looked.fire({ file: document.uri.fsPath });
    });
  }

  /** What was found; undefined where nobody has looked yet, which then begins. */
  of({ file, experiment }: Pick<LoadedConfig, 'file' | 'experiment'>): readonly TextOverlap[] | undefined {
    const data = experiment?.data;
    if (data === undefined || Object.keys(data.validation).length === 0) return undefined;
    const key = JSON.stringify([dirname(file), data.train, data.validation]);
    if (!this.fresh.has(key) && vscode.workspace.isTrusted && openDocument(file)?.uri.scheme === 'file') {
      this.queue.set(file, { file, key, data });
      void this.work();
    }
    return this.known.get(key)?.overlaps;
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    try {
      for (let [next] = this.queue.values(); next !== undefined && !this.abort.signal.aborted; [next] = this.queue.values()) {
        this.queue.delete(next.file);
        await this.look(next);
      }
    } finally {
      this.working = false;
    }
  }

  private async look({ file, key, data }: Asked): Promise<void> {
    if (this.fresh.has(key)) return;
    this.fresh.add(key);
    const text = { data, folder: dirname(file) };
    try {
      const { stamp } = await experimentFiles(text);
      const before = this.known.get(key);
      if (before?.stamp === stamp) return;
      const overlaps = await experimentOverlapInThread(this.threadFile, text, this.abort.signal);
      this.known.set(key, { stamp, overlaps });
      if (JSON.stringify(overlaps) !== JSON.stringify(before?.overlaps ?? [])) this.looked.fire({ file });
    } catch (error) {
      // Text that is not there, or cannot be read: whoever trains on it says so.
      if (!this.abort.signal.aborted) this.log.info(`Validation text of ${file} was not looked for in its training text.`, error);
    }
  }

  dispose(): void {
    this.abort.abort();
    this.looked.dispose();
    this.saved.dispose();
  }
}
