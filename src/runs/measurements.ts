import { hostname } from 'node:os';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import { readMachineFile } from './machineFile';
import { readDescription } from './readRun';
import type { RunSummary } from './runIndex';
import { trainedAs, type Measurement } from './throughput';

/** Steps after which a run's mean says how fast it trains. */
const SETTLED_STEPS = 5;

/**
 * What runs and measurements say of how fast this host trains. A run is read once: what it trained does not change. Runs of other hosts say
 * nothing of this one.
 */
export class Measurements {
  /** What a run trained, by its directory; null where this version does not understand it. */
  readonly #trained = new Map<string, Pick<Measurement, 'trained' | 'device' | 'macsPerToken'> | null>();

  constructor(private readonly host: string = hostname()) {}

  /** `runs`: those of the same folder, as its index lists them. */
  async read(runsDirectory: string, runs: readonly RunSummary[]): Promise<readonly Measurement[]> {
    const measured = readMachineFile(runsDirectory).filter(({ host }) => host === this.host);
    const ofRuns: Measurement[] = [];
    for (const { directory, host, step, tokensPerSecond, createdAt } of runs) {
      if (host !== this.host || step < SETTLED_STEPS || tokensPerSecond === null || !(tokensPerSecond > 0)) continue;
      const trained = await this.#trainedBy(directory);
      if (trained !== null) ofRuns.push({ ...trained, host, tokensPerSecond, measuredAt: createdAt });
    }
    return [...measured, ...ofRuns];
  }

  async #trainedBy(directory: string): Promise<Pick<Measurement, 'trained' | 'device' | 'macsPerToken'> | null> {
    const known = this.#trained.get(directory);
    if (known !== undefined) return known;
    const description = await readDescription(directory);
    const experiment = description && readResolvedExperiment(description.experiment).experiment;
    const trained =
      description === undefined || experiment?.train === undefined || !(description.macsPerToken > 0)
        ? null
        : {
            trained: trainedAs({ ...experiment, train: experiment.train }),
            device: description.engine.device,
            macsPerToken: description.macsPerToken,
          };
    this.#trained.set(directory, trained);
    return trained;
  }
}
