import { AppendFile } from './appendFile';
import { replaceJson } from './atomicFile';
import { encodeExpertFrame, expertFormat, expertFrameBytes } from './expertFrames';
import {
  SCHEMA_VERSION,
  type EventLine,
  type ExpertFrame,
  type MetricsLine,
  type RunDescription,
  type RunStatus,
  type SketchFrame,
} from './format';
import { encodeFrame, encodeHeader, HEADER_BYTES, REWIND } from './frameFile';
import { runFiles } from './runFiles';
import { encodeSketchFrame, sketchFormat, sketchFrameBytes } from './sketchFrames';

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
  private readonly expertsFile: OpenFrames;
  /** Only where there are retrievals. */
  private readonly sketchesFile: OpenFrames | undefined;
  private readonly retrievals: RunDescription['retrievals'];

  constructor(
    readonly directory: string,
    { routedLayers, retrievals }: Pick<RunDescription, 'routedLayers' | 'retrievals'>,
  ) {
    this.retrievals = retrievals;
    this.metricsFile = openLines(runFiles.metrics(directory));
    this.eventsFile = openLines(runFiles.events(directory));
    const widest = Math.max(0, ...routedLayers.map((layer) => layer.experts));
    this.expertsFile = openFrames(runFiles.experts(directory), expertFormat, expertFrameBytes(widest));
    if (retrievals.length === 0) return;
    const most = Math.max(...retrievals.map(({ experts }) => experts));
    this.sketchesFile = openFrames(runFiles.sketches(directory), sketchFormat, sketchFrameBytes(most));
  }

  metrics(line: MetricsLine): void {
    appendLine(this.metricsFile, line);
  }

  event(line: EventLine): void {
    appendLine(this.eventsFile, line);
  }

  experts(frame: ExpertFrame): void {
    this.expertsFile.file.append(encodeExpertFrame(frame, this.expertsFile.bytesPerFrame));
  }

  /** Throws RangeError where the run has no such retrieval. */
  sketch(frame: SketchFrame): void {
    const retrieval = this.retrievals[frame.layer];
    if (retrieval === undefined || this.sketchesFile === undefined) throw new RangeError(`There is no retrieval ${frame.layer}.`);
    this.sketchesFile.file.append(encodeSketchFrame(frame, retrieval.experts, this.sketchesFile.bytesPerFrame));
  }

  /**
   * The run goes on from the checkpoint of `step`; records of later steps no longer hold. -1: it starts again, and step 0 is void as well.
   */
  rewind(step: number): void {
    appendLine(this.metricsFile, { rewind: step });
    for (const frames of [this.expertsFile, this.sketchesFile]) {
      frames?.file.append(encodeFrame({ step: Math.max(0, step), layer: REWIND }, frames.bytesPerFrame));
    }
  }

  /** Everything so far is safe against a power cut. */
  sync(): void {
    for (const file of this.files) file.sync();
  }

  close(): void {
    for (const file of this.files) file.close();
  }

  private get files(): readonly AppendFile[] {
    const sketches = this.sketchesFile === undefined ? [] : [this.sketchesFile.file];
    return [this.metricsFile, this.eventsFile, this.expertsFile.file, ...sketches];
  }
}

interface OpenFrames {
  readonly file: AppendFile;
  readonly bytesPerFrame: number;
}

/** A file of frames, with its header; a frame that a crash tore is filled up, so that the next one lies where it belongs. */
function openFrames(path: string, format: { readonly magic: string }, bytesPerFrame: number): OpenFrames {
  const file = new AppendFile(path);
  if (file.length < HEADER_BYTES) file.append(encodeHeader(format, bytesPerFrame).subarray(file.length));
  const torn = (file.length - HEADER_BYTES) % bytesPerFrame;
  if (torn > 0) file.append(new Uint8Array(bytesPerFrame - torn));
  return { file, bytesPerFrame };
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
