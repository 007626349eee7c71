import type { Bindings } from '../../graph/dimensions';
import { differentiate, valuesOfGradient } from '../../graph/gradients';
import type { DifferentiatedProgram, Gradient, Program, ValueId } from '../../graph/program';
import type { Batch, Device, SessionOptions } from '../engine';
import { EngineError } from '../engine';
import { lower, type Feed, type LoweringOptions } from './lowering/lower';
import type { RoutingOutputs } from './routingTotals';
import { planStep, type StepPlan } from './stepPlan';

/** A graph for the runtime: its ONNX model and what it is fed with. */
export interface FedGraph {
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
}

/** The output that holds the value of a buffer or statistic; `index` is its place in the program's list. */
export interface IndexedOutput {
  readonly index: number;
  readonly output: string;
}

/**
 * Where the gradient of a parameter comes out, as `Gradient` in graph/program.ts: whole or one output per expert, or as rows of a table.
 */
export type GradientOutputs =
  | { readonly kind: 'dense'; readonly outputs: readonly string[] }
  | {
      readonly kind: 'rows';
      readonly parts: readonly { readonly indices: string; readonly coefficients: string; readonly vectors: string }[];
    };

/** The graph of one microbatch, forward and backward: model bytes and the names of what comes out. */
export interface TrainingGraph extends FedGraph {
  readonly loss: string;
  readonly crossEntropy: string;
  readonly balance: string | null;
  readonly zLoss: string | null;
  readonly dropRate: string | null;
  readonly routing: RoutingOutputs;
  /** The next values of the buffers that every microbatch replaces: those that the next one sees, and its own. */
  readonly bufferUpdates: readonly IndexedOutput[];
  /** Local values of the statistics that only the step's buffers need. */
  readonly statistics: readonly IndexedOutput[];
  /** Per parameter. */
  readonly gradients: readonly GradientOutputs[];
}

/** The forward graph of one microbatch that gives the statistics whose means the training graph reads. */
export interface StatisticsGraph extends FedGraph {
  readonly statistics: readonly IndexedOutput[];
  /** Empty where the statistics depend on no buffer that microbatches replace. */
  readonly bufferUpdates: readonly IndexedOutput[];
}

/** The graph that replaces buffers once a step, out of buffers and means. */
export interface BufferUpdateGraph extends FedGraph {
  readonly bufferUpdates: readonly IndexedOutput[];
}

/** All graphs of a step. */
export interface StepGraphs {
  /** Null where the training graph reads no mean. */
  readonly statistics: StatisticsGraph | null;
  readonly training: TrainingGraph;
  /** Null where no buffer is replaced once a step. */
  readonly bufferUpdate: BufferUpdateGraph | null;
}

/** The forward graph of one evaluation batch. */
export interface EvaluationGraph extends FedGraph {
  readonly negativeLogLikelihood: string;
  readonly dropRate: string | null;
  readonly routing: RoutingOutputs;
  /** The next values of lane buffers. */
  readonly bufferUpdates: readonly IndexedOutput[];
}

/** Where a graph is lowered to. */
interface Target {
  readonly device: Device;
  readonly bindings: Bindings;
}

export function stepGraphs(program: Program, device: Device, bindings: Bindings): StepGraphs {
  const differentiated = differentiate(program);
  const plan = planStep(differentiated);
  const target = { device, bindings };
  return {
    statistics: plan.before.length === 0 ? null : statisticsGraph(program, plan, target),
    training: lowerTraining(differentiated, plan, target),
    bufferUpdate: plan.stepBuffers.length === 0 ? null : bufferUpdateGraph(program, plan, target),
  };
}

export function trainingGraph(program: Program, device: Device, bindings: Bindings): TrainingGraph {
  const differentiated = differentiate(program);
  return lowerTraining(differentiated, planStep(differentiated), { device, bindings });
}

export function evaluationGraph(program: Program, device: Device, bindings: Bindings): EvaluationGraph {
  const { negativeLogLikelihood, dropRate } = program.outputs;
  const lanes = program.buffers.flatMap(({ updated }, index) => (updated === 'lane' ? [index] : []));
  const { graph, names } = lowerGroups(
    program,
    { device, bindings, mode: 'evaluation' },
    {
      negativeLogLikelihood: [negativeLogLikelihood],
      dropRate: present(dropRate),
      ...routingValues(program),
      buffers: updatesOf(program, lanes),
    },
  );
  return {
    ...graph,
    negativeLogLikelihood: names('negativeLogLikelihood')[0] ?? '',
    dropRate: names('dropRate')[0] ?? null,
    routing: routingOutputs(program, names),
    bufferUpdates: indexed(lanes, names('buffers')),
  };
}

function lowerTraining({ program, gradients }: DifferentiatedProgram, plan: StepPlan, target: Target): TrainingGraph {
  const { loss, crossEntropy, balance, zLoss, dropRate } = program.outputs;
  const replaced = [...plan.microbatchBuffers, ...plan.laneBuffers];
  const { graph, names, parts } = lowerGroups(
    program,
    { ...target, mode: 'training' },
    {
      loss: [loss],
      crossEntropy: [crossEntropy],
      balance: present(balance),
      zLoss: present(zLoss),
      dropRate: present(dropRate),
      ...routingValues(program),
      buffers: updatesOf(program, replaced),
      statistics: localsOf(program, plan.during),
      gradients: gradients.flatMap(valuesOfGradient),
    },
  );
  return {
    ...graph,
    loss: names('loss')[0] ?? '',
    crossEntropy: names('crossEntropy')[0] ?? '',
    balance: names('balance')[0] ?? null,
    zLoss: names('zLoss')[0] ?? null,
    dropRate: names('dropRate')[0] ?? null,
    routing: routingOutputs(program, names),
    bufferUpdates: indexed(replaced, names('buffers')),
    statistics: indexed(plan.during, names('statistics')),
    gradients: gradientOutputs(gradients, parts('gradients')),
  };
}

function statisticsGraph(program: Program, plan: StepPlan, target: Target): StatisticsGraph {
  const carried = plan.forwardReadsBuffers ? plan.microbatchBuffers : [];
  const { graph, names } = lowerGroups(
    program,
    { ...target, mode: 'training' },
    { statistics: localsOf(program, plan.before), buffers: updatesOf(program, carried) },
  );
  return { ...graph, statistics: indexed(plan.before, names('statistics')), bufferUpdates: indexed(carried, names('buffers')) };
}

function bufferUpdateGraph(program: Program, plan: StepPlan, target: Target): BufferUpdateGraph {
  const buffers = updatesOf(program, plan.stepBuffers);
  const { graph, names } = lowerGroups(program, { ...target, mode: 'training' }, { buffers });
  return { ...graph, bufferUpdates: indexed(plan.stepBuffers, names('buffers')) };
}

/**
 * Lowers the program as far as named groups of values need it. `names`: a group's outputs, one each; `parts`: where a value may be one per
 * expert.
 */
function lowerGroups<K extends string>(
  program: Program,
  options: Omit<LoweringOptions, 'wanted'>,
  groups: Readonly<Record<K, readonly ValueId[]>>,
) {
  const entries = Object.entries(groups) as [K, readonly ValueId[]][];
  const { model, feeds, outputs } = lower(program, { ...options, wanted: entries.flatMap(([, values]) => values) });
  let start = 0;
  const grouped = new Map(entries.map(([group, values]) => [group, outputs.slice(start, (start += values.length))]));
  const parts = (group: K): readonly (readonly string[])[] => grouped.get(group) ?? [];
  return { graph: { model, feeds }, parts, names: (group: K) => parts(group).map(([name = '']) => name) };
}

/** The values behind RoutingOutputs, as groups. */
function routingValues({ routedLayers, retrievals }: Program) {
  return {
    counts: routedLayers.map(({ counts }) => counts),
    taken: routedLayers.flatMap(({ taken }) => present(taken)),
    retrieved: retrievals.map(({ indices }) => indices),
    retrievalWeights: retrievals.map(({ weights }) => weights),
  };
}

function routingOutputs(program: Program, names: (group: keyof ReturnType<typeof routingValues>) => readonly string[]): RoutingOutputs {
  const taken = [...names('taken')];
  const weights = names('retrievalWeights');
  return {
    expertCounts: names('counts'),
    taken: program.routedLayers.map((layer) => (layer.taken === null ? null : (taken.shift() ?? ''))),
    retrievals: names('retrieved').map((indices, place) => ({ indices, weights: weights[place] ?? '' })),
  };
}

/** `outputs` are those of all values of all gradients, in order. */
function gradientOutputs(gradients: readonly Gradient[], outputs: readonly (readonly string[])[]): readonly GradientOutputs[] {
  let next = 0;
  const take = (): readonly string[] => outputs[next++] ?? [];
  const one = (): string => take()[0] ?? '';
  return gradients.map((gradient) =>
    gradient.kind === 'dense'
      ? { kind: 'dense', outputs: take() }
      : { kind: 'rows', parts: gradient.parts.map(() => ({ indices: one(), coefficients: one(), vectors: one() })) },
  );
}

function present(value: ValueId | null): readonly ValueId[] {
  return value === null ? [] : [value];
}

function updatesOf(program: Program, indices: readonly number[]): readonly ValueId[] {
  return indices.map((index) => program.buffers[index]?.update ?? -1);
}

function localsOf(program: Program, indices: readonly number[]): readonly ValueId[] {
  return indices.map((index) => program.statistics[index]?.local ?? -1);
}

function indexed(indices: readonly number[], outputs: readonly string[]): readonly IndexedOutput[] {
  return indices.map((index, place) => ({ index, output: outputs[place] ?? '' }));
}

/** The batch's data for a program input and the shape that it has there. */
export function inputData(batch: Batch, name: string): { readonly data: Int32Array; readonly shape: readonly number[] } {
  const windows = [batch.batch, batch.time];
  if (name === 'tokens') return { data: batch.tokens, shape: windows };
  if (name === 'targets') return { data: batch.targets, shape: windows };
  if (name === 'resets') {
    if (batch.resets !== undefined) return { data: batch.resets, shape: [batch.batch] };
    throw new EngineError(
      'The model goes on from window to window, and a batch does not say which of its windows do.',
      'Give `resets`: 1 for each window that begins anew, else 0.',
    );
  }
  throw new EngineError(
    `The program wants an input "${name}", which a batch does not have.`,
    'Inputs of a program are tokens, targets and resets.',
  );
}

export function checkBatch(batch: Batch): void {
  const size = batch.batch * batch.time;
  if (batch.tokens.length !== size || batch.targets.length !== size) {
    throw new EngineError(
      `A batch of ${batch.batch} x ${batch.time} has ${batch.tokens.length} tokens and ${batch.targets.length} targets.`,
      'Give batch x time of each.',
    );
  }
  if (batch.resets === undefined || batch.resets.length === batch.batch) return;
  throw new EngineError(`A batch of ${batch.batch} windows has ${batch.resets.length} resets.`, 'Give one for each window.');
}

/**
 * A session's training graph has static shapes: the microbatches must have the one it was compiled for, and each lane buffer one of them.
 */
export function checkMicrobatches(program: Program, microbatches: readonly Batch[], options: SessionOptions): void {
  for (const batch of microbatches) {
    checkBatch(batch);
    if (batch.batch === options.batch && batch.time === options.time) continue;
    throw new EngineError(
      `A microbatch of ${batch.batch} x ${batch.time} came to a session compiled for ${options.batch} x ${options.time}.`,
      'Compile a session for this shape.',
    );
  }
  if (microbatches.length === options.microbatches || program.buffers.every(({ updated }) => updated !== 'lane')) return;
  throw new EngineError(
    `A step of ${microbatches.length} microbatches came to a session compiled for ${options.microbatches}, each of which has buffers of its own.`,
    'Compile a session for this number of microbatches.',
  );
}
