import { valuesOfGradient } from '../../graph/gradients';
import type { Buffer, DifferentiatedProgram, Program, ValueId } from '../../graph/program';
import { EngineError } from '../engine';
import { neededValues } from './lowering/needed';

/** In which graph of a step each statistic and each buffer is computed. Numbers are indices into the program's lists. */
export interface StepPlan {
  /** Statistics whose means the training graph reads: a forward pass over all microbatches computes them first. */
  readonly before: readonly number[];
  /** Statistics whose means only `stepBuffers` read: their local values come out of the training graph. */
  readonly during: readonly number[];
  /** Buffers replaced after each microbatch. */
  readonly microbatchBuffers: readonly number[];
  /** The forward pass depends on `microbatchBuffers`, so it replaces them from microbatch to microbatch too, for itself. */
  readonly forwardReadsBuffers: boolean;
  /** Buffers of which every microbatch has, and replaces, its own. */
  readonly laneBuffers: readonly number[];
  /** Buffers replaced once, after the last microbatch. */
  readonly stepBuffers: readonly number[];
}

/** What the training graph computes for every microbatch, apart from statistics. */
function trainingValues({ program, gradients }: DifferentiatedProgram): readonly ValueId[] {
  const { loss, crossEntropy, balance, zLoss, dropRate } = program.outputs;
  return [
    ...[loss, crossEntropy, balance, zLoss, dropRate].filter((value) => value !== null),
    ...program.routedLayers.flatMap(({ counts, taken }) => (taken === null ? [counts] : [counts, taken])),
    ...program.retrievals.flatMap(({ indices, weights }) => [indices, weights]),
    ...[...buffersUpdated(program, 'microbatch'), ...buffersUpdated(program, 'lane')].map(([{ update }]) => update),
    ...gradients.flatMap(valuesOfGradient),
  ];
}

/** Throws EngineError for a program whose statistics or buffers cannot be computed in this order. */
export function planStep(differentiated: DifferentiatedProgram): StepPlan {
  const { program } = differentiated;
  const statistics = program.statistics.map((statistic, index) => ({ ...statistic, index }));
  const microbatchBuffers = buffersUpdated(program, 'microbatch');
  const laneBuffers = buffersUpdated(program, 'lane');
  const stepBuffers = buffersUpdated(program, 'step');
  const updates = (buffers: readonly (readonly [Buffer, number])[]) => buffers.map(([{ update }]) => update);

  const inTraining = neededValues(program.nodes, trainingValues(differentiated));
  const before = statistics.filter(({ mean }) => inTraining.has(mean));
  const inUpdates = neededValues(program.nodes, updates(stepBuffers));
  const during = statistics.filter(({ mean }) => inUpdates.has(mean) && !inTraining.has(mean));
  const locals = before.map(({ local }) => local);
  const inLocals = neededValues(program.nodes, locals);
  const forwardReadsBuffers = microbatchBuffers.some(([{ value }]) => inLocals.has(value));

  const inForward = forwardReadsBuffers ? neededValues(program.nodes, [...locals, ...updates(microbatchBuffers)]) : inLocals;
  const early = statistics.find(({ mean }) => inForward.has(mean));
  if (early !== undefined) throw new EngineError(`The mean of "${early.name}" is read before it can be known.`, fault);
  const lanes = laneBuffers.map(([buffer]) => buffer);
  const perBatch = [...program.inputs, ...program.parameters, ...program.noises, ...lanes].find(({ value }) => inUpdates.has(value));
  if (perBatch !== undefined) {
    throw new EngineError(`A buffer replaced once a step depends on "${perBatch.name}", not on buffers and means alone.`, fault);
  }
  const indices = (list: readonly { readonly index: number }[]) => list.map(({ index }) => index);
  return {
    before: indices(before),
    during: indices(during),
    microbatchBuffers: microbatchBuffers.map(([, index]) => index),
    forwardReadsBuffers,
    laneBuffers: laneBuffers.map(([, index]) => index),
    stepBuffers: stepBuffers.map(([, index]) => index),
  };
}

const fault = 'This is a fault of the model: please report it with the config.';

function buffersUpdated(program: Program, when: Buffer['updated']): readonly (readonly [Buffer, number])[] {
  return program.buffers.flatMap((buffer, index) => (buffer.updated === when ? [[buffer, index] as const] : []));
}
