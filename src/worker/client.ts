import { createConnection, type Socket } from 'node:net';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter, type MessageConnection } from 'vscode-jsonrpc/node.js';
import type { RunStatus } from '../runs/format';
import { isLive, observe, thisHost } from '../runs/liveness';
import { readStatus } from '../runs/readRun';
import { notifications, PROTOCOL_VERSION, requests, type Changed, type Greeting } from './protocol';
import { leaveRequest, type RequestKind } from './requestFiles';
import { isWorkerAddress } from './socketAddress';

const connectMilliseconds = 3_000;

/** A connection to the worker of one run. Many may watch the same run. */
export class RunClient {
  private constructor(
    private readonly socket: Socket,
    private readonly connection: MessageConnection,
    readonly greeting: Greeting,
  ) {}

  /** Connects to the worker that `status.json` names; undefined where none answers (it is over, or lives on another host). */
  static async connect(run: string): Promise<RunClient | undefined> {
    const status = await readStatus(run);
    const here = thisHost();
    if (status === undefined || status.address === null || !isLive(observe(status, here, Date.now()))) return undefined;
    if (status.host !== here.host || !isWorkerAddress(status.address.path)) return undefined;
    return RunClient.connectTo(status.address).catch(() => undefined);
  }

  /** Throws where nobody listens or the token is refused. */
  static async connectTo(address: NonNullable<RunStatus['address']>): Promise<RunClient> {
    const socket = createConnection(address.path);
    socket.setTimeout(connectMilliseconds, () => socket.destroy(new Error('the worker does not answer')));
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    // A broken connection is told by `onClosed`.
    socket.on('error', () => socket.destroy());
    connection.onError(() => socket.destroy());
    connection.listen();
    const closed = new Promise<never>((_, reject) => socket.once('close', () => reject(new Error('the worker closed the connection'))));
    closed.catch(() => undefined);
    try {
      const greeting = await Promise.race([
        connection.sendRequest(requests.hello, { token: address.token, version: PROTOCOL_VERSION }),
        closed,
      ]);
      socket.setTimeout(0);
      return new RunClient(socket, connection, greeting);
    } catch (error) {
      connection.dispose();
      socket.destroy();
      throw error;
    }
  }

  status(): Promise<RunStatus> {
    return this.connection.sendRequest(requests.status);
  }

  stop(): Promise<void> {
    return this.connection.sendRequest(requests.stop);
  }

  checkpoint(): Promise<void> {
    return this.connection.sendRequest(requests.checkpoint);
  }

  /** Calls `listener` whenever the run directory has grown. */
  async subscribe(listener: (change: Changed) => void): Promise<void> {
    this.connection.onNotification(notifications.changed, listener);
    await this.connection.sendRequest(requests.subscribe);
  }

  /** The worker has gone, or `dispose` was called. */
  onClosed(listener: () => void): void {
    if (this.socket.closed) listener();
    else this.socket.once('close', listener);
  }

  dispose(): void {
    this.connection.dispose();
    this.socket.destroy();
  }
}

/** How a request reached the worker: at once, or as a file it finds within a second or two. */
export type RequestRoute = 'socket' | 'file';

/** Asks the worker of a run to stop with a checkpoint. Throws RunStorageError where neither way is open. */
export function requestStop(run: string): Promise<RequestRoute> {
  return request(run, 'stop');
}

/** Asks the worker of a run for a checkpoint. Throws RunStorageError where neither way is open. */
export function requestCheckpoint(run: string): Promise<RequestRoute> {
  return request(run, 'checkpoint');
}

async function request(run: string, kind: RequestKind): Promise<RequestRoute> {
  const client = await RunClient.connect(run);
  if (client !== undefined) {
    try {
      await client[kind]();
      return 'socket';
    } catch {
      // It vanished meanwhile: the file is still found by a worker that lives.
    } finally {
      client.dispose();
    }
  }
  leaveRequest(run, kind);
  return 'file';
}
