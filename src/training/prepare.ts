import type { RunnableExperiment } from '../config/schema';
import { type Corpus, loadCorpus } from '../data/corpus';
import { type ConfigPath, DataError } from '../data/dataError';
import { chunksPerLane } from '../data/lanes';
import type { SessionOptions } from '../engine/engine';

export interface Corpora {
  readonly train: Corpus;
  readonly validation: Readonly<Record<string, Corpus>>;
}

/**
 * Loads and checks the text of an experiment, before any engine exists. `folder` is the config's.
 * Throws DataError with the place in the config: files missing, empty, unreadable, not text, fewer than a batch, or outside the vocabulary.
 */
export async function prepareCorpora(experiment: RunnableExperiment, folder: string): Promise<Corpora> {
  microbatchesPerStep(experiment);
  const { data, model, train } = experiment;
  const load = async (name: string, patterns: readonly string[], configPath: ConfigPath) => {
    const corpus = await loadCorpus({ name, patterns, folder, configPath });
    checkVocabulary(corpus, model.vocabulary);
    return corpus;
  };
  const training = await load('train', data.train, ['data', 'train']);
  const validation: Record<string, Corpus> = {};
  for (const [name, patterns] of Object.entries(data.validation)) {
    const corpus = await load(`validation.${name}`, patterns, ['data', 'validation', name]);
    if (corpus.tokens.length < 2) {
      throw new DataError(`The validation text "${name}" has a single byte: nothing predicts it.`, 'Add text to it.', [
        'data',
        'validation',
        name,
      ]);
    }
    validation[name] = corpus;
  }
  if (training.tokens.length <= train.batch_tokens) {
    throw new DataError(
      `The training text has ${training.tokens.length} tokens, fewer than one batch of ${train.batch_tokens} and its next token.`,
      'Add text, or make train.batch_tokens smaller.',
      ['data', 'train'],
    );
  }
  if (model.attention.position === 'xl') chunksPerLane(training.tokens.length, model.context, train.batch_tokens / model.context);
  return { train: training, validation };
}

/** Microbatches whose gradients are averaged into one step. Throws DataError where batch_tokens is no multiple of a microbatch. */
export function microbatchesPerStep({ train, model }: RunnableExperiment): number {
  const count = train.batch_tokens / (train.micro_batch * model.context);
  if (!Number.isInteger(count)) {
    const one = train.micro_batch * model.context;
    throw new DataError(
      `batch_tokens ${train.batch_tokens} is not a multiple of micro_batch x context = ${one}.`,
      `Make it ${Math.max(1, Math.round(count)) * one}, for example.`,
      ['train', 'batch_tokens'],
    );
  }
  return count;
}

/** What a session for this experiment is compiled for. Evaluation takes as many windows at once as a microbatch has. */
export function sessionOptions(experiment: RunnableExperiment): SessionOptions {
  const { train, model, engine } = experiment;
  const microbatches = microbatchesPerStep(experiment);
  return { batch: train.micro_batch, time: model.context, microbatches, seed: train.seed, threads: engine.threads };
}

/** The corpora as `run.json` describes them: `train`, then `validation.<name>`. */
export function dataFingerprints({
  train,
  validation,
}: Corpora): { readonly name: string; readonly files: readonly string[]; readonly bytes: number; readonly sha256: string }[] {
  return [train, ...Object.values(validation)].map(({ name, files, tokens, sha256 }) => ({ name, files, bytes: tokens.length, sha256 }));
}

function checkVocabulary({ name, largestToken }: Corpus, vocabulary: number): void {
  if (largestToken < vocabulary) return;
  throw new DataError(
    `The ${name} text has the byte ${largestToken}, but the vocabulary has only ${vocabulary} tokens.`,
    'Byte tokens need model.vocabulary: 256.',
    ['model', 'vocabulary'],
  );
}
