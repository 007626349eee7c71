import { Worker } from 'node:worker_threads';
import type { DashboardUpdate, ExpertsFrame, RunKey } from '../panels/dashboard-protocol';
import type { FromReader, ToReader } from './readerMessages';

export interface ReaderEvents {
  readonly update: (update: DashboardUpdate) => void;
  /** The thread has ended by itself, with all it held; `start` again to go on. */
  readonly failed: (error: Error) => void;
}

/** The extension host's end of the reader thread. Dispose it to end the thread. */
export class ReaderThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, { resolve: (frame: ExpertsFrame | null) => void; reject: (error: Error) => void }>();
  private nextId = 1;
  private ended = false;

  /** `script`: path of the bundle dist/readerThread.js. */
  constructor(script: string, events: ReaderEvents) {
    this.worker = new Worker(script, { name: 'MoE Lab reader' });
    this.worker.on('message', (message: FromReader) => {
      if (message.type === 'update') events.update(message.update);
      else this.settle(message.id, message.frame);
    });
    this.worker.on('error', (error) => this.end(error, events));
    this.worker.on('exit', (code) => this.end(new Error(`The reader thread ended with code ${code}.`), events));
    this.worker.unref();
  }

  post(message: Exclude<ToReader, { readonly type: 'expertsAt' }>): void {
    if (!this.ended) this.worker.postMessage(message);
  }

  /** Null when the run has no expert counts. Rejects when the thread has ended. */
  expertsAt(run: RunKey, step: number): Promise<ExpertsFrame | null> {
    if (this.ended) return Promise.reject(new Error('The reader thread has ended.'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ type: 'expertsAt', id, run, step } satisfies ToReader);
    });
  }

  dispose(): void {
    this.ended = true;
    this.rejectPending(new Error('The dashboard was closed.'));
    void this.worker.terminate();
  }

  private settle(id: number, frame: ExpertsFrame | null): void {
    this.pending.get(id)?.resolve(frame);
    this.pending.delete(id);
  }

  private end(error: unknown, events: ReaderEvents): void {
    if (this.ended) return;
    this.ended = true;
    const reason = error instanceof Error ? error : new Error(String(error));
    this.rejectPending(reason);
    events.failed(reason);
  }

  private rejectPending(reason: Error): void {
    for (const { reject } of this.pending.values()) reject(reason);
    this.pending.clear();
  }
}
