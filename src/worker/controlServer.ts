import { randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import type { RunStatus } from '../runs/format';
import { MessageLimit } from './messageLimit';
import { MAXIMUM_MESSAGE_BYTES, notifications, PROTOCOL_VERSION, requests, type Changed, type Hello } from './protocol';
import { newAddress } from './socketAddress';

/** What a connection may ask of the worker. */
export interface ControlHandlers {
  status(): RunStatus;
  stop(): void;
  checkpoint(): void;
}

/** A connection that has not said hello by then is closed. */
const helloMilliseconds = 10_000;

/** The worker's end of the protocol: listens in a private folder, and lets in who knows the token. */
export class ControlServer {
  private readonly token = randomBytes(24).toString('hex');
  private readonly subscribers = new Set<MessageConnection>();
  private readonly sockets = new Set<Socket>();
  private renewing: Promise<boolean> = Promise.resolve(false);
  private closed = false;
  private listening: { readonly server: Server; readonly path: string; readonly folder: string | undefined } | undefined;

  constructor(
    private readonly handlers: ControlHandlers,
    private readonly log: (message: string) => void,
  ) {}

  /** What `status.json` says; null while nothing listens. */
  get address(): RunStatus['address'] {
    return this.listening === undefined ? null : { path: this.listening.path, token: this.token };
  }

  /** Listens, and again at a new address if the socket has vanished (temporary folders get cleaned). True if the address is new. */
  ensureListening(): Promise<boolean> {
    // One after the other, or two would each make a folder.
    this.renewing = this.renewing.catch(() => false).then(() => this.renew());
    return this.renewing;
  }

  private async renew(): Promise<boolean> {
    if (this.closed) return false;
    if (this.listening !== undefined && (this.listening.folder === undefined || existsSync(this.listening.path))) return false;
    this.stopListening();
    const { path, folder } = newAddress();
    const server = createServer((socket) => this.welcome(socket));
    this.listening = { server, path, folder };
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
    } catch (error) {
      this.stopListening();
      throw error;
    }
    server.on('error', (error) => this.log(`socket: ${error.message}`));
    return true;
  }

  /** Tells every subscriber. Never throws: whoever trains does not care who listens. */
  changed(change: Changed): void {
    for (const connection of this.subscribers) {
      try {
        void connection.sendNotification(notifications.changed, change).catch(() => undefined);
      } catch {
        // It has closed, and its socket is about to say so.
        this.subscribers.delete(connection);
      }
    }
  }

  /** Ends after what was said last has been sent. */
  async close(): Promise<void> {
    this.closed = true;
    // A renewal at work would leave its folder behind.
    await this.renewing.catch(() => false);
    this.stopListening();
    await Promise.all([...this.sockets].map(flushed));
    for (const socket of this.sockets) socket.destroy();
  }

  private stopListening(): void {
    this.listening?.server.close();
    if (this.listening?.folder !== undefined) rmSync(this.listening.folder, { recursive: true, force: true });
    this.listening = undefined;
  }

  private welcome(socket: Socket): void {
    this.sockets.add(socket);
    const limited = socket.pipe(new MessageLimit(MAXIMUM_MESSAGE_BYTES));
    const connection = createMessageConnection(new StreamMessageReader(limited), new StreamMessageWriter(socket));
    const refuse = (why: string): void => {
      this.log(`connection refused: ${why}`);
      socket.destroy();
    };
    const timer = setTimeout(() => refuse('no hello'), helloMilliseconds);
    limited.on('error', (error) => refuse(error.message));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      this.sockets.delete(socket);
      this.subscribers.delete(connection);
      connection.dispose();
    });
    connection.onError(([error]) => refuse(error.message));

    let known = false;
    const guarded = <T>(answer: () => T): T => {
      if (!known) throw new ResponseError(ErrorCodes.InvalidRequest, 'Say hello with the token first.');
      return answer();
    };
    connection.onRequest(requests.hello, (hello: Hello) => {
      if (!this.isToken(hello?.token)) {
        // After the answer has gone out.
        setTimeout(() => refuse('wrong token'), 100);
        throw new ResponseError(ErrorCodes.InvalidRequest, 'Wrong token.');
      }
      clearTimeout(timer);
      known = true;
      return { version: PROTOCOL_VERSION, pid: process.pid };
    });
    connection.onRequest(requests.status, () => guarded(() => this.handlers.status()));
    connection.onRequest(requests.stop, () => guarded(() => this.handlers.stop()));
    connection.onRequest(requests.checkpoint, () => guarded(() => this.handlers.checkpoint()));
    connection.onRequest(requests.subscribe, () =>
      guarded(() => {
        // Requests wait in a queue: the socket may be gone when their turn comes.
        if (this.sockets.has(socket)) this.subscribers.add(connection);
      }),
    );
    connection.listen();
  }

  private isToken(token: unknown): boolean {
    if (typeof token !== 'string') return false;
    const given = Buffer.from(token);
    const expected = Buffer.from(this.token);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** A peer that does not read may not keep the worker from ending. */
const flushMilliseconds = 500;

function flushed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(resolve, flushMilliseconds);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.once('close', done);
    socket.end(done);
  });
}
