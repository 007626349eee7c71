import { Worker } from 'node:worker_threads';
import type { DashboardUpdate, ExpertsFrame, RetrievalFigures, RunKey } from '../panels/dashboard-protocol';
import type { FromReader, Question, ToReader } from './readerMessages';

export interface ReaderEvents {
  readonly update: (update: DashboardUpdate) => void;
  /** The thread has ended by itself, with all it held; `start` again to go on. */
  readonly failed: (error: Error) => void;
}

type Answer = Extract<FromReader, { readonly id: number }>;

/** The extension host's end of the reader thread. Dispose it to end the thread. */
export class ReaderThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  private nextId = 1;
  private ended = false;

  /** `script`: path of the bundle dist/readerThread.js. */
  constructor(script: string, events: ReaderEvents) {
    this.worker = new Worker(script, { name: 'MoE Lab reader' });
    this.worker.on('message', (message: FromReader) => {
      if (message.type === 'update') events.update(message.update);
      else this.settle(message.id, message);
    });
    this.worker.on('error', (error) => this.end(error, events));
    this.worker.on('exit', (code) => this.end(new Error(`The reader thread ended with code ${code}.`), events));
    this.worker.unref();
  }

  post(message: Exclude<ToReader, Question>): void {
    if (!this.ended) this.worker.postMessage(message);
  }

  /** Null when the run has no expert counts. Rejects when the thread has ended. */
  async expertsAt(run: RunKey, step: number): Promise<ExpertsFrame | null> {
    const answer = await this.ask((id) => ({ type: 'expertsAt', id, run, step }));
    return answer.type === 'experts' ? answer.frame : null;
  }

  /** Null when the run has no such retrieval, or nothing of it yet. Rejects when the thread has ended. */
  async sketchAt(run: RunKey, layer: number, step: number): Promise<RetrievalFigures | null> {
    const answer = await this.ask((id) => ({ type: 'sketchAt', id, run, layer, step }));
    return answer.type === 'sketch' ? answer.figures : null;
  }

  private ask(question: (id: number) => Question): Promise<Answer> {
    if (this.ended) return Promise.reject(new Error('The reader thread has ended.'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage(question(id));
    });
  }

  dispose(): void {
    this.ended = true;
    this.rejectPending(new Error('The dashboard was closed.'));
    void this.worker.terminate();
  }

  private settle(id: number, answer: Answer): void {
    this.pending.get(id)?.resolve(answer);
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
