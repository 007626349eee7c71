import { Worker } from 'node:worker_threads';
import type { Device, Engine, Session, StateTensor } from '../engine';
import { EngineError } from '../engine';
import { batchBuffers, ownBatch, type ThreadError, type ThreadMethod, type ThreadRequests, type ThreadResponse } from './threadProtocol';

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The host's end of an engine's thread: numbered requests, each answered once. */
class EngineThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private ended: EngineError | undefined;
  private requests = 0;

  constructor(entryPath: string, device: Device) {
    // Read by native code when it loads the runtime, from the process's own environment: a thread's copy of it is not seen there.
    process.env.ORT_DISABLE_TELEMETRY = '1';
    this.worker = new Worker(entryPath, { workerData: { device }, name: `engine ${device}` });
    this.worker.on('message', (response: ThreadResponse) => this.settle(response));
    this.worker.on('error', (error) => this.fail(`The engine's thread failed: ${error.message}`, error));
    this.worker.on('exit', (code) => this.fail(`The engine's thread ended with code ${code}.`));
  }

  request<M extends ThreadMethod>(
    method: M,
    payload: ThreadRequests[M]['request'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ThreadRequests[M]['response']> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    const id = ++this.requests;
    return new Promise((resolve, reject) => {
      // The thread answers each method with its own response type; the map cannot carry that.
      this.pending.set(id, { resolve: (result) => resolve(result as ThreadRequests[M]['response']), reject });
      this.worker.postMessage({ id, method, payload }, [...transfer]);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(response: ThreadResponse): void {
    const waiting = this.pending.get(response.id);
    this.pending.delete(response.id);
    if ('error' in response) waiting?.reject(revive(response.error));
    else waiting?.resolve(response.result);
  }

  private fail(message: string, cause?: Error): void {
    this.ended ??= new EngineError(message, 'Start the run again from its last checkpoint.', { cause });
    for (const waiting of this.pending.values()) waiting.reject(this.ended);
    this.pending.clear();
  }
}

function revive({ message, advice, stack }: ThreadError): Error {
  const error = advice === null ? new Error(message) : new EngineError(message, advice);
  if (stack !== null) error.stack = stack;
  return error;
}

class ThreadedSession implements Session {
  constructor(private readonly thread: EngineThread) {}

  step(...[microbatches, scalars]: Parameters<Session['step']>): ReturnType<Session['step']> {
    const owned = microbatches.map(ownBatch);
    return this.thread.request('step', { microbatches: owned, scalars }, owned.flatMap(batchBuffers));
  }

  evaluate(...[batch]: Parameters<Session['evaluate']>): ReturnType<Session['evaluate']> {
    const owned = ownBatch(batch);
    return this.thread.request('evaluate', { batch: owned }, batchBuffers(owned));
  }

  async *exportState(): AsyncIterable<StateTensor> {
    await this.thread.request('exportStart', null);
    for (;;) {
      const tensor = await this.thread.request('exportNext', null);
      if (tensor === null) return;
      yield tensor;
    }
  }

  async importState(tensors: AsyncIterable<StateTensor> | Iterable<StateTensor>): Promise<void> {
    await this.thread.request('importStart', null);
    try {
      for await (const { kind, name, shape, offset, data } of tensors) {
        const owned = data.slice();
        await this.thread.request('importPiece', { piece: { kind, name, shape, offset, data: owned } }, [owned.buffer]);
      }
    } catch (error) {
      // Of what went wrong first, not of the stream that it cut off.
      await this.thread.request('importEnd', null).catch(() => undefined);
      throw error;
    }
    await this.thread.request('importEnd', null);
  }

  async dispose(): Promise<void> {
    await this.thread.request('dispose', null);
    await this.thread.end();
  }
}

/**
 * An engine whose sessions each run in a thread of their own, since the runtime's calls block: the process goes on answering meanwhile.
 * `entryPath` is the bundled threadEntry.ts.
 */
export function createThreadedEngine(entryPath: string, device: Device): Engine {
  return {
    device,
    async compile(program, options) {
      const thread = new EngineThread(entryPath, device);
      try {
        await thread.request('compile', { program, options });
      } catch (error) {
        await thread.end();
        throw error;
      }
      return new ThreadedSession(thread);
    },
  };
}
