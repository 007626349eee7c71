import { NotificationType, RequestType, RequestType0 } from 'vscode-jsonrpc/node.js';
import type { RunState, RunStatus } from '../runs/format';

/**
 * What passes between a worker and whoever watches or steers its run: JSON-RPC over a local socket or named pipe whose address and token
 * stand in
 * `status.json`. The first request must be `hello`. Figures do not pass here: they are read from the run directory.
 */
export const PROTOCOL_VERSION = 1;

/** Requests are a few words; a longer message is not one, and closes the connection before it is parsed. */
export const MAXIMUM_MESSAGE_BYTES = 64 * 1024;

export interface Hello {
  readonly token: string;
  readonly version: number;
}

export interface Greeting {
  readonly version: number;
  readonly pid: number;
}

/** The run directory has grown: read it from your cursor. */
export interface Changed {
  readonly step: number;
  readonly state: RunState;
}

export const requests = {
  hello: new RequestType<Hello, Greeting, void>('hello'),
  status: new RequestType0<RunStatus, void>('status'),
  /** Stop after the step at work, with a checkpoint. Answered at once. */
  stop: new RequestType0<void, void>('stop'),
  /** Write a checkpoint after the step at work. Answered at once. */
  checkpoint: new RequestType0<void, void>('checkpoint'),
  /** Send `changed` from now on. */
  subscribe: new RequestType0<void, void>('subscribe'),
} as const;

export const notifications = {
  changed: new NotificationType<Changed>('changed'),
} as const;
