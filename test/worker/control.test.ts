import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readBootId } from '../../src/runs/liveness';
import { writeStatus } from '../../src/runs/runWriter';
import { requestCheckpoint, requestStop, RunClient } from '../../src/worker/client';
import { ControlServer } from '../../src/worker/controlServer';
import type { Changed } from '../../src/worker/protocol';
import { leaveRequest, takeRequests } from '../../src/worker/requestFiles';
import { isWorkerAddress, newAddress, socketParent } from '../../src/worker/socketAddress';
import { aStatus, temporaryFolder } from '../runs/fixtures';

async function aServer() {
  const asked: string[] = [];
  const log: string[] = [];
  const status = aStatus();
  const server = new ControlServer(
    { status: () => status, stop: () => void asked.push('stop'), checkpoint: () => void asked.push('checkpoint') },
    (message) => log.push(message),
  );
  await server.ensureListening();
  onTestFinished(() => server.close());
  const address = (): { path: string; token: string } => {
    if (server.address === null) throw new Error('not listening');
    return server.address;
  };
  return { server, asked, log, status, address };
}

async function connected(address: { path: string; token: string }): Promise<RunClient> {
  const client = await RunClient.connectTo(address);
  onTestFinished(() => client.dispose());
  return client;
}

/** The status of a run whose worker is this process. */
function ourStatus(address: { path: string; token: string } | null) {
  return aStatus({ host: hostname(), bootId: readBootId(Date.now()), pid: process.pid, heartbeat: new Date().toISOString(), address });
}

/** Sends raw bytes and resolves with what came back once the server has hung up. */
function sendRaw(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = createConnection(path, () => socket.write(text));
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

const message = (body: unknown) => {
  const text = JSON.stringify(body);
  return `Content-Length: ${text.length}\r\n\r\n${text}`;
};

describe('the control socket', () => {
  it('lies in a folder that only its user may enter, under a short path', async () => {
    const { address } = await aServer();
    expect(address().path.length).toBeLessThanOrEqual(103);
    expect(statSync(dirname(address().path)).mode & 0o777).toBe(0o700);
    expect(socketParent('/var/folders/' + 'x'.repeat(100))).toBe('/tmp');
    expect(newAddress('win32').path).toMatch(/^\\\\\.\\pipe\\moe-lab-[0-9a-f]{32}$/);
  });

  it('serves several clients at once: what one asks for, all see', async () => {
    const { server, asked, status, address } = await aServer();
    const [one, other] = [await connected(address()), await connected(address())];
    expect(one.greeting.pid).toBe(process.pid);
    expect(await other.status()).toEqual(status);
    const seen: Changed[] = [];
    const both = new Promise<void>((resolve) => {
      const note = (change: Changed) => seen.push(change) === 2 && resolve();
      void one.subscribe(note);
      void other.subscribe(note).then(() => server.changed({ step: 4, state: 'running' }));
    });
    await both;
    expect(seen).toEqual([
      { step: 4, state: 'running' },
      { step: 4, state: 'running' },
    ]);
    await one.checkpoint();
    await other.stop();
    expect(asked).toEqual(['checkpoint', 'stop']);
  });

  it('refuses a wrong token, and anything before hello', async () => {
    const { asked, log, address } = await aServer();
    await expect(RunClient.connectTo({ ...address(), token: 'x' })).rejects.toThrow('Wrong token');
    await expect(RunClient.connectTo({ ...address(), token: address().token.replace(/./, 'x') })).rejects.toThrow('Wrong token');
    const answer = await sendRaw(
      address().path,
      message({ jsonrpc: '2.0', id: 1, method: 'stop' }) + message({ jsonrpc: '2.0', id: 2, method: 'hello', params: { token: 5 } }),
    );
    expect(answer).toContain('Say hello with the token first');
    expect(asked).toEqual([]);
    expect(log).toContain('connection refused: wrong token');
  });

  it('goes on telling the others while subscribers leave, whatever they still have in the queue', async () => {
    const { server, address } = await aServer();
    const hello = message({ jsonrpc: '2.0', id: 1, method: 'hello', params: { token: address().token, version: 1 } });
    const subscriptions = Array.from({ length: 300 }, (_, id) => message({ jsonrpc: '2.0', id: id + 2, method: 'subscribe' })).join('');
    const staying = await connected(address());
    const last = new Promise<void>((resolve) => void staying.subscribe(({ step }) => step === 2 && resolve()));
    await staying.status();
    for (let time = 0; time < 6; time++) {
      const leaving = createConnection(address().path, () => leaving.write(hello + subscriptions));
      leaving.on('error', () => undefined);
      leaving.once('data', () => (time % 2 === 0 ? leaving.end() : leaving.destroy()));
      // At every turn of the event loop and between its callbacks, also for a while after it has left.
      for (let turn = 0; turn < 400; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        server.changed({ step: 1, state: 'running' });
        await new Promise<void>((resolve) => process.nextTick(resolve));
        server.changed({ step: 1, state: 'running' });
      }
    }
    server.changed({ step: 2, state: 'running' });
    await last;
  });

  it('hangs up on a message that is too long before reading it, and goes on serving', async () => {
    const { log, address } = await aServer();
    expect(await sendRaw(address().path, `Content-Length: ${1 << 30}\r\n\r\n{`)).toBe('');
    expect(await sendRaw(address().path, message({ jsonrpc: '2.0', id: 1, method: 'hello' }).replace('}', ' '))).toBe('');
    expect(log.some((line) => line.includes(`${1 << 30} bytes`))).toBe(true);
    expect((await connected(address())).greeting.version).toBe(1);
  });

  it('comes back at a new address when its folder was cleaned away', async () => {
    const { server, address } = await aServer();
    const first = address();
    expect(await server.ensureListening()).toBe(false);
    rmSync(dirname(first.path), { recursive: true });
    expect(await server.ensureListening()).toBe(true);
    expect(address().path).not.toBe(first.path);
    await expect(RunClient.connectTo(first)).rejects.toThrow();
    await connected(address());
  });

  it('leaves no folder behind when it closes while it makes a new address', async () => {
    const { server, address } = await aServer();
    rmSync(dirname(address().path), { recursive: true });
    const renewals = [server.ensureListening(), server.ensureListening()];
    await Promise.resolve();
    const closing = server.close();
    const [first, second] = await Promise.all(renewals);
    await closing;
    expect([first, second].filter(Boolean).length).toBeLessThanOrEqual(1);
    expect(server.address).toBeNull();
    expect(await server.ensureListening()).toBe(false);
  });

  it('leaves nothing behind, and clients learn that it has gone', async () => {
    const { server, address } = await aServer();
    const { path } = address();
    const client = await connected(address());
    const closed = new Promise<void>((resolve) => client.onClosed(resolve));
    await server.close();
    await closed;
    expect(existsSync(dirname(path))).toBe(false);
    expect(server.address).toBeNull();
  });
});

describe('a request', () => {
  it('goes through the socket where there is one', async () => {
    const { asked, address } = await aServer();
    const run = temporaryFolder();
    writeStatus(run, ourStatus(address()));
    expect(await requestCheckpoint(run)).toBe('socket');
    expect(await requestStop(run)).toBe('socket');
    expect(asked).toEqual(['checkpoint', 'stop']);
    expect(takeRequests(run)).toEqual([]);
  });

  it('lies as a file where the socket has gone, and is taken once', async () => {
    const { server, address } = await aServer();
    const run = temporaryFolder();
    writeStatus(run, ourStatus(address()));
    await server.close();
    expect(await requestStop(run)).toBe('file');
    expect(await requestCheckpoint(run)).toBe('file');
    writeFileSync(join(run, 'requests', 'something-else'), '');
    expect(takeRequests(run)).toEqual(['stop', 'checkpoint']);
    expect(takeRequests(run)).toEqual([]);
  });

  it('is sent to no socket that another host, or another program, listens at', async () => {
    const { asked, address } = await aServer();
    const elsewhere = temporaryFolder();
    writeStatus(elsewhere, { ...ourStatus(address()), host: 'elsewhere' });
    expect(await requestStop(elsewhere)).toBe('file');
    const run = temporaryFolder();
    const foreign = join(run, 'docker.sock');
    const connections: unknown[] = [];
    const server = createServer((socket) => connections.push(socket.destroy()));
    await new Promise<void>((resolve) => server.listen(foreign, resolve));
    onTestFinished(() => void server.close());
    writeStatus(run, ourStatus({ path: foreign, token: 'x' }));
    expect(await requestStop(run)).toBe('file');
    expect([asked, connections]).toEqual([[], []]);
    expect(isWorkerAddress(newAddress('win32').path, 'win32')).toBe(true);
    expect(isWorkerAddress('\\\\elsewhere\\pipe\\moe-lab-0123456789abcdef0123456789abcdef', 'win32')).toBe(false);
  });

  it('says so when it can neither be sent nor left', () => {
    const run = join(temporaryFolder(), 'run');
    writeFileSync(run, '');
    expect(() => leaveRequest(run, 'stop')).toThrow(/a part of the path is a file|a file stands where a folder/);
    expect(takeRequests(run)).toEqual([]);
  });
});
