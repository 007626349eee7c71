import { AppendFile } from './appendFile';
import { replaceJson } from './atomicFile';
import { encodeFrame, encodeHeader, frameBytes, HEADER_BYTES, REWIND } from './expertFrames';
import { SCHEMA_VERSION, type EventLine, type ExpertFrame, type MetricsLine, type RunDescription, type RunStatus } from './format';
import { runFiles } from './runFiles';

export function writeDescription(directory: string, description: RunDescription): void {
  replaceJson(runFiles.description(directory), description);
}

export function writeStatus(directory: string, status: RunStatus): void {
  replaceJson(runFiles.status(directory), status);
}

const newline = 0x0a;

/**
 * Appends to the files of one run. One writer at a time: the process that trains. Every method throws RunStorageError when the
 * disk refuses; the record it was about is then not in the file.
 *
 * Files only grow, also over a resume: `rewind` writes that what was recorded after the checkpoint no longer holds, and readers
 * drop it. A record torn by a crash is closed off first, so that it costs nothing but itself.
 */
export class RunWriter {
  private readonly metricsFile: AppendFile;
  private readonly eventsFile: AppendFile;
  private readonly expertsFile: AppendFile;
  private readonly bytesPerFrame: number;

  constructor(
    readonly directory: string,
    routedLayers: RunDescription['routedLayers'],
  ) {
    this.bytesPerFrame = frameBytes(Math.max(0, ...routedLayers.map((layer) => layer.experts)));
    this.metricsFile = openLines(runFiles.metrics(directory));
    this.eventsFile = openLines(runFiles.events(directory));
    this.expertsFile = new AppendFile(runFiles.experts(directory));
    if (this.expertsFile.length < HEADER_BYTES) this.expertsFile.append(encodeHeader(this.bytesPerFrame).subarray(this.expertsFile.length));
    const torn = (this.expertsFile.length - HEADER_BYTES) % this.bytesPerFrame;
    if (torn > 0) this.expertsFile.append(new Uint8Array(this.bytesPerFrame - torn));
  }

  metrics(line: MetricsLine): void {
    appendLine(this.metricsFile, line);
  }

  event(line: EventLine): void {
    appendLine(this.eventsFile, line);
  }

  experts(frame: ExpertFrame): void {
    this.expertsFile.append(encodeFrame(frame, this.bytesPerFrame));
  }

  /** The run goes on from the checkpoint of `step`; records of later steps no longer hold. -1: it starts again, and step 0 is void as well. */
  rewind(step: number): void {
    appendLine(this.metricsFile, { rewind: step });
    this.expertsFile.append(encodeFrame({ step: Math.max(0, step), layer: REWIND, counts: new Float32Array(0) }, this.bytesPerFrame));
  }

  /** Everything so far is safe against a power cut. */
  sync(): void {
    for (const file of [this.metricsFile, this.eventsFile, this.expertsFile]) file.sync();
  }

  close(): void {
    for (const file of [this.metricsFile, this.eventsFile, this.expertsFile]) file.close();
  }
}

function openLines(path: string): AppendFile {
  const file = new AppendFile(path);
  if (file.length === 0) appendLine(file, { schemaVersion: SCHEMA_VERSION });
  else if (file.lastByte() !== newline) file.append(Uint8Array.of(newline));
  return file;
}

function appendLine(file: AppendFile, value: unknown): void {
  file.append(Buffer.from(`${JSON.stringify(value)}\n`));
}
