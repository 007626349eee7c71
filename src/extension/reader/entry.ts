import { parentPort } from 'node:worker_threads';
import { thisHost } from '../../runs/liveness';
import { ReaderLoop } from './readerLoop';
import type { ToReader } from './readerMessages';

/** Four updates a second at most: what an eye can follow. */
const INTERVAL = 250;

const port = parentPort;
if (port === null) throw new Error('readerThread.js is started by the extension, as a worker thread.');

const loop = new ReaderLoop({
  here: thisHost(),
  interval: INTERVAL,
  send: (message, transfer) => port.postMessage(message, transfer),
});
port.on('message', (message: ToReader) => loop.receive(message));
