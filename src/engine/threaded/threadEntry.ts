import { parentPort, workerData } from 'node:worker_threads';
import { createEngine } from '../onnx/createEngine';
import { EngineError, type Device, type Session, type StateTensor } from '../engine';
import { StateImport } from './stateImport';
import type { ThreadError, ThreadRequest, ThreadRequests, ThreadMethod } from './threadProtocol';

/** Entry of the engine's thread: runs one session of an engine, whose calls block, for the process that started it. */

const engine = createEngine((workerData as { readonly device: Device }).device);
let session: Session | undefined;
let exporting: AsyncIterator<StateTensor> | undefined;
let importing: StateImport | undefined;

function current(): Session {
  if (session === undefined) throw new EngineError('The engine has no session.', 'This is a fault of MoE Lab: please report it.');
  return session;
}

interface Answer {
  readonly result: ThreadRequests[ThreadMethod]['response'];
  readonly transfer?: readonly ArrayBuffer[];
}

async function answer(request: ThreadRequest): Promise<Answer> {
  switch (request.method) {
    case 'compile':
      session = await engine.compile(request.payload.program, request.payload.options);
      return { result: null };
    case 'step':
      return { result: await current().step(request.payload.microbatches, request.payload.scalars) };
    case 'evaluate':
      return { result: await current().evaluate(request.payload.batch) };
    case 'exportStart':
      exporting = current().exportState()[Symbol.asyncIterator]();
      return { result: null };
    case 'exportNext': {
      const next = await exporting?.next();
      if (next === undefined || next.done === true) return { result: null };
      return { result: next.value, transfer: [next.value.data.buffer as ArrayBuffer] };
    }
    case 'importStart':
      importing = new StateImport(current());
      return { result: null };
    case 'importPiece':
      await importing?.take(request.payload.piece);
      return { result: null };
    case 'importEnd': {
      const ending = importing;
      importing = undefined;
      await ending?.end();
      return { result: null };
    }
    case 'dispose':
      await session?.dispose();
      session = undefined;
      return { result: null };
  }
}

function describe(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { message: String(error), advice: null, stack: null };
  return { message: error.message, advice: error instanceof EngineError ? error.advice : null, stack: error.stack ?? null };
}

parentPort?.on('message', (request: ThreadRequest) => {
  answer(request).then(
    ({ result, transfer }) => parentPort?.postMessage({ id: request.id, result }, [...(transfer ?? [])]),
    (error: unknown) => parentPort?.postMessage({ id: request.id, error: describe(error) }),
  );
});
