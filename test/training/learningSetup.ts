import type { TextEntropy } from '../../reproduce/entropy';
import { spreadOf } from '../../reproduce/statistics';
import { experimentSchema, type ExperimentInput, type RunnableExperiment } from '../../src/config/schema';
import type { Session } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { buildLanguageModel } from '../../src/models/languageModel';
import { scoreText, scoringOf } from '../../src/training/evaluation';
import { sessionOptions, type Corpora } from '../../src/training/prepare';
import { trainExperiment } from '../../src/training/train';
import { Recorder, TestControl } from './recorder';

/** An experiment whose text is in memory: it trains on one thread, so that the same machine gives the same figures. */
export function experimentOf(model: ExperimentInput['model'], train: NonNullable<ExperimentInput['train']>): RunnableExperiment {
  const never = train.steps + 1;
  const {
    train: parsed,
    data,
    ...rest
  } = experimentSchema.parse({
    model,
    train,
    data: { train: ['in memory'] },
    evaluate: { every: never },
    checkpoint: { every: never },
    engine: { threads: 1 },
  });
  if (parsed === undefined || data === undefined) throw new Error('It can be run.');
  return { ...rest, train: parsed, data };
}

export function corporaOf(train: Uint8Array, validation: Readonly<Record<string, Uint8Array>> = {}): Corpora {
  const corpus = (name: string, tokens: Uint8Array) => ({ name, files: [], tokens, sha256: '', largestToken: 255 });
  return {
    train: corpus('train', train),
    validation: Object.fromEntries(Object.entries(validation).map(([name, tokens]) => [name, corpus(`validation.${name}`, tokens)])),
  };
}

/** Trains to the end; the caller disposes of the session. */
export async function learn(experiment: RunnableExperiment, corpora: Corpora): Promise<{ session: Session; recorder: Recorder }> {
  const session = await createEngine('cpu').compile(buildLanguageModel(experiment), sessionOptions(experiment));
  const recorder = new Recorder();
  const outcome = await trainExperiment({ experiment, corpora, session, observer: recorder, control: new TestControl() });
  if (outcome.kind !== 'finished') throw new Error(`The training ended ${outcome.kind} at step ${outcome.step}.`);
  return { session, recorder };
}

/** Nats per scored token. */
export async function lossOn(session: Session, experiment: RunnableExperiment, text: Uint8Array): Promise<number> {
  return (await scoreText(session, text, scoringOf(experiment)))?.loss ?? Number.NaN;
}

/**
 * Takes the routed experts out of a trained model, by its exported state: their output matrices become zero. Returns how many tensors those
 * were.
 */
export async function silenceExperts(session: Session): Promise<number> {
  const silenced = [];
  for await (const tensor of session.exportState()) {
    if (tensor.kind === 'parameter' && tensor.name.endsWith('.moe.experts.w2')) silenced.push({ ...tensor, data: tensor.data.fill(0) });
  }
  await session.importState(silenced);
  return silenced.length;
}

export interface RouterTrial {
  /** Validation loss of the trained models by seed, nats per byte; without their experts; and with routers frozen at random. */
  readonly trained: readonly number[];
  readonly silenced: readonly number[];
  readonly frozen: readonly number[];
}

/**
 * What trained routers and experts are worth: the same model over several seeds, and again with its routers left as they were initialised.
 */
export async function routerTrial(
  experimentFor: (router: { readonly frozen: boolean }, seed: number) => RunnableExperiment,
  seeds: readonly number[],
  train: Uint8Array,
  validation: Uint8Array,
): Promise<RouterTrial> {
  const [trained, silenced, frozen]: [number[], number[], number[]] = [[], [], []];
  for (const seed of seeds) {
    const learnt = experimentFor({ frozen: false }, seed);
    const { session } = await learn(learnt, corporaOf(train));
    trained.push(await lossOn(session, learnt, validation));
    if ((await silenceExperts(session)) !== learnt.model.layers) throw new Error('Every layer of this experiment is routed.');
    silenced.push(await lossOn(session, learnt, validation));
    await session.dispose();
    const still = experimentFor({ frozen: true }, seed);
    const { session: stillSession } = await learn(still, corporaOf(train));
    frozen.push(await lossOn(stillSession, still, validation));
    await stillSession.dispose();
  }
  return { trained, silenced, frozen };
}

export function trialText({ trained, silenced, frozen }: RouterTrial, entropy: TextEntropy): string {
  const list = (losses: readonly number[]) => `${spreadOf(losses).mean.toFixed(3)} (${losses.map((loss) => loss.toFixed(3)).join(', ')})`;
  return (
    `bigram entropy ${entropy.bigram.toFixed(3)} nats per byte; validation loss ${list(trained)}; ` +
    `without the experts ${list(silenced)}; routers frozen at random ${list(frozen)}`
  );
}
