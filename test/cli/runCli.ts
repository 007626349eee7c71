import { Writable } from 'node:stream';
import { dispatch } from '../../src/cli/dispatch';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line inside this process. */
export async function runCli(cwd: string, ...args: string[]): Promise<CliResult> {
  const stdout = new Collector();
  const stderr = new Collector();
  const code = await dispatch(args, { stdout, stderr, cwd });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
