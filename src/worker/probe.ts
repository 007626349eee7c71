import { execFile } from 'node:child_process';
import * as z from 'zod';
import type { RunDescription } from '../runs/format';
import { gpuSchema, type KnownGpu } from '../runs/machineFile';
import { errorLine, lastLine } from './errorLine';
import { workerEnvironment, type Rung } from './ladder';
import { gpusText } from './memoryRooms';

/** Loading the runtime and one tiny step take about a second; a cold disk or a first shader compilation far longer. */
const probeMilliseconds = 120_000;

/** What a probe says where a device is all that is missing. */
export interface NoAdapterReport {
  readonly message: string;
  readonly advice: string;
}

export interface Probed {
  readonly holds: boolean;
  readonly reason: string;
  readonly noAdapter: NoAdapterReport | null;
  /** Of a rung that holds on WebGPU. */
  readonly gpus?: readonly KnownGpu[];
}

export interface ProbedLadder {
  /** Undefined where no rung holds. */
  readonly chosen: Rung | undefined;
  /** Where none holds as a Node found nothing that WebGPU could compute on: one sentence, and what to do. */
  readonly noAdapter: NoAdapterReport | null;
  /** For run.json: what was tried, up to the one that was chosen, and what each said. */
  readonly report: RunDescription['launch'];
  /** Where one holds on WebGPU: the GPUs of this machine whose memory is known. */
  readonly gpus?: readonly KnownGpu[];
}

/** Tries rung after rung with a short child that loads the runtime and does one tiny step on `device`; the first that holds is taken. */
export async function climb(rungs: readonly Rung[], probeScript: string, device: string): Promise<ProbedLadder> {
  const report: { rung: string; executable: string; chosen: boolean; reason: string }[] = [];
  let missing: NoAdapterReport | null = null;
  for (const rung of rungs) {
    const { holds, reason, noAdapter, gpus } = await probe(rung, probeScript, device);
    report.push({ rung: rung.rung, executable: rung.executable, chosen: holds, reason });
    if (holds) return { chosen: rung, noAdapter: null, report, ...(gpus === undefined ? {} : { gpus }) };
    missing ??= noAdapter;
  }
  return { chosen: undefined, noAdapter: missing, report };
}

/** Never throws: why a rung does not hold is an answer. `largestTensor`: bytes of a tensor that the device is to hold, on WebGPU. */
export function probe(rung: Rung, probeScript: string, device: string, largestTensor = 0): Promise<Probed> {
  const env = workerEnvironment(process.env, rung.environment);
  return new Promise((resolve) => {
    execFile(
      rung.executable,
      [probeScript, device, String(largestTensor)],
      { env, timeout: probeMilliseconds, windowsHide: true },
      (error, stdout, stderr) => {
        const report = reportIn(stdout);
        if (error === null && report !== undefined) {
          const { available: holds, detail, noAdapter = null, gpus } = report;
          const reason = [detail, gpusText(gpus ?? [])].filter((text) => text !== '').join('; ');
          resolve({ holds, reason: reason.replace(/\s+/g, ' '), noAdapter, ...(gpus === undefined ? {} : { gpus }) });
        } else {
          const reason = error === null ? `it said ${stdout.trim() || 'nothing'}` : whyEnded(error, stderr);
          resolve({ holds: false, reason, noAdapter: null });
        }
      },
    );
  });
}

const reportSchema = z.object({
  available: z.boolean(),
  detail: z.string(),
  noAdapter: z.object({ message: z.string(), advice: z.string() }).optional(),
  gpus: z.array(gpuSchema).optional(),
});

/** The report that probeEntry prints as its last line. */
function reportIn(stdout: string): z.infer<typeof reportSchema> | undefined {
  try {
    return reportSchema.safeParse(JSON.parse(lastLine(stdout))).data;
  } catch {
    return undefined;
  }
}

function whyEnded(error: { readonly code?: unknown; readonly signal?: unknown; readonly killed?: boolean }, stderr: string): string {
  if (error.killed === true) return `it did not answer within ${probeMilliseconds / 1000} s`;
  if (error.code === 'ENOENT') return 'there is no such program';
  if (error.code === 'EACCES') return 'it may not be executed';
  const said = errorLine(stderr);
  const how = typeof error.signal === 'string' ? `it was ended by ${error.signal}` : `it ended with code ${String(error.code)}`;
  return said === '' ? how : `${how}: ${said}`;
}
