import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Engine } from '../engine/engine';
import { buildLanguageModel } from '../models/languageModel';
import type { RunDescription, RunStatus } from '../runs/format';
import { HEARTBEAT_MILLISECONDS } from '../runs/liveness';
import { readDescription } from '../runs/readRun';
import { runFiles } from '../runs/runFiles';
import { RunWriter } from '../runs/runWriter';
import { latestCheckpoint, type Checkpoint } from '../training/checkpoint/checkpoint';
import { dataFingerprints, prepareCorpora, sessionOptions } from '../training/prepare';
import { trainExperiment } from '../training/train';
import type { TrainingOutcome } from '../training/trainingEvents';
import { ControlServer } from './controlServer';
import { takeRequests } from './requestFiles';
import { RunControl } from './runControl';
import { Diverged, failureOf, LaunchError } from './runFailure';
import { runnableExperiment } from './runnableExperiment';
import { RunRecorder, type RunListener } from './runRecorder';
import { StatusKeeper } from './runStatus';

export interface TrainRunOptions {
  /** A run directory made by `createRun`, or one to take up again. */
  readonly run: string;
  /**
   * Made before anything else, so that a worker's files are all loaded while they are surely there. Disposing of its session ends its
   * thread.
   */
  readonly engine: Engine;
  /** Asks for a stop with a checkpoint when aborted. */
  readonly signal?: AbortSignal;
  /**
   * Told once when somebody asks for a stop, also where the run then ends by itself: at its last checkpoint there is nothing left to be
   * stopped.
   */
  readonly onStopRequested?: () => void;
  readonly listener?: RunListener;
  readonly log: (message: string) => void;
}

const requestMilliseconds = 500;

/**
 * Trains a run in this process, from its newest checkpoint if it has one, and answers its control socket meanwhile. Resolves with the
 * final status, which also stands in status.json: what goes wrong ends as a failed run with a reason, not as a rejection.
 */
export async function trainRun(options: TrainRunOptions): Promise<RunStatus> {
  const description = await readDescription(options.run);
  if (description === undefined) throw new LaunchError(`${options.run} is not a run directory.`, 'Start the experiment again.');
  const attempt = new Attempt(options, description);
  try {
    await attempt.open();
    await attempt.close(await attempt.train());
  } catch (error) {
    options.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    await attempt.fail(error);
  }
  return attempt.status;
}

/** One process's work on a run: from taking it in hand to its final status. */
class Attempt {
  private readonly keeper: StatusKeeper;
  private readonly control: RunControl;
  private readonly server: ControlServer;
  private recorder: RunRecorder | undefined;
  private writer: RunWriter | undefined;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly options: TrainRunOptions,
    private readonly description: RunDescription,
  ) {
    const { run, log, signal } = options;
    this.keeper = new StatusKeeper(run, description.totalSteps);
    this.control = new RunControl(() => {
      options.onStopRequested?.();
      // Once over, the state is what it is.
      if (this.timers.length > 0) this.attend(() => this.keeper.change({ state: 'stopping' }));
    });
    this.server = new ControlServer(
      { status: () => this.keeper.status, stop: () => this.control.stop(), checkpoint: () => this.control.checkpoint() },
      log,
    );
    if (signal?.aborted === true) this.control.stop();
    signal?.addEventListener('abort', () => this.control.stop(), { once: true });
  }

  get status(): RunStatus {
    return this.keeper.status;
  }

  async open(): Promise<void> {
    // Without a socket the run is steered by request files.
    await this.server.ensureListening().catch((error: unknown) => this.options.log(`no control socket: ${String(error)}`));
    this.keeper.change({ address: this.server.address });
    this.timers = [
      setInterval(() => this.attend(() => this.keeper.heartbeat()), HEARTBEAT_MILLISECONDS),
      setInterval(() => takeRequests(this.options.run).forEach((kind) => this.control[kind]()), requestMilliseconds),
      setInterval(() => void this.renewSocket(), HEARTBEAT_MILLISECONDS),
    ];
  }

  async train(): Promise<TrainingOutcome> {
    const { run, engine, log } = this.options;
    const experiment = runnableExperiment(this.description);
    const program = buildLanguageModel(experiment);
    const corpora = await prepareCorpora(experiment, dirname(this.description.configFile));
    const session = await engine.compile(program, sessionOptions(experiment));
    try {
      const resumed = existsSync(runFiles.metrics(run));
      this.writer = new RunWriter(run, this.description);
      this.recorder = new RunRecorder({
        writer: this.writer,
        program,
        routedLayers: this.description.routedLayers,
        sizes: sessionOptions(experiment),
        keep: experiment.checkpoint.keep,
        totalSteps: experiment.train.steps,
        listeners: [this.progress, ...(this.options.listener === undefined ? [] : [this.options.listener])],
        clock: Date.now,
      });
      const { checkpoint, ignored } = await latestCheckpoint(runFiles.checkpoints(run));
      for (const { path, reason } of ignored) log(`${path}: ${reason}`);
      const step = checkpoint?.state.step ?? 0;
      if (resumed) this.writer.rewind(checkpoint === undefined ? -1 : step);
      if (step > 0) await this.recorder.resume(step);
      this.keeper.change({ state: this.control.stopRequested ? 'stopping' : 'running', step });
      this.recorder.event(
        step,
        resumed ? 'resumed' : 'started',
        `${resumed ? 'Goes on from' : 'Starts at'} step ${step} on ${engine.device}.`,
      );
      const instead = checkpoint === undefined ? 'There is no older one, so the run starts again.' : 'An older one is used.';
      for (const { reason } of ignored) this.recorder.event(step, 'warning', `${reason} ${instead}`);
      for (const name of changedCorpora(this.description, dataFingerprints(corpora))) {
        this.recorder.event(step, 'warning', `The text of ${name} is not what it was when the run began.`);
      }
      return await trainExperiment({
        experiment,
        corpora,
        session,
        observer: this.recorder,
        control: this.control,
        ...resumeFrom(checkpoint),
      });
    } finally {
      await session.dispose();
    }
  }

  /** The run is over as training says. */
  async close(outcome: TrainingOutcome): Promise<void> {
    const { step } = outcome;
    if (outcome.kind === 'diverged') {
      await this.fail(new Diverged(outcome.reason), step);
      return;
    }
    this.recorder?.event(step, outcome.kind, outcome.kind === 'finished' ? `Finished at step ${step}.` : `Stopped at step ${step}.`);
    await this.end(() => this.keeper.change({ state: outcome.kind, step, address: null }));
  }

  async fail(error: unknown, step = this.keeper.status.step): Promise<void> {
    const failure = failureOf(error, step);
    this.attend(() => this.recorder?.event(step, 'failed', failure.message));
    await this.end(() => this.attend(() => this.keeper.change({ state: 'failed', failure, address: null })));
  }

  private async end(settle: () => void): Promise<void> {
    this.timers.forEach(clearInterval);
    this.timers = [];
    this.attend(() => this.writer?.sync());
    settle();
    this.server.changed({ step: this.status.step, state: this.status.state });
    this.writer?.close();
    this.writer = undefined;
    await this.server.close();
  }

  private readonly progress: RunListener = {
    onMetrics: ({ step }) => {
      this.keeper.advance(step);
      this.server.changed({ step, state: this.keeper.status.state });
    },
    onEvent: ({ step }) => this.server.changed({ step, state: this.keeper.status.state }),
  };

  private async renewSocket(): Promise<void> {
    try {
      if (await this.server.ensureListening()) this.keeper.change({ address: this.server.address });
    } catch (error) {
      this.options.log(`control socket: ${String(error)}`);
    }
  }

  /** What fails here must not end the training: the training's own writes will say so if it is serious. */
  private attend(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.options.log(error instanceof Error ? error.message : String(error));
    }
  }
}

function resumeFrom(checkpoint: Checkpoint | undefined) {
  return checkpoint === undefined ? {} : { resume: { state: checkpoint.state, tensors: checkpoint.tensors() } };
}

function changedCorpora(description: RunDescription, now: RunDescription['data']): readonly string[] {
  return description.data
    .filter(({ name, sha256 }) => now.find((corpus) => corpus.name === name)?.sha256 !== sha256)
    .map(({ name }) => name);
}
