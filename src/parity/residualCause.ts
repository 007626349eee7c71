import type { LoadedConfig } from '../config/configFile';
import type { ConfigValue } from '../config/remedy';
import type { Experiment, ModelConfig } from '../config/schema';
import type { KeyPath } from '../config/yamlTree';
import type { ModelCount } from '../models/count';
import { modelCost } from './closedForm/modelCost';
import { comparedResiduals } from './comparedPart';
import { valueAt, withValue } from '../config/keyValues';
import { sizeKeys, type SizeKey } from './sizeKeys';

export interface CauseInput {
  readonly loaded: Pick<LoadedConfig, 'experiment' | 'rangeOf'>;
  readonly count: ModelCount;
  readonly baseline: { readonly experiment: Experiment; readonly count: ModelCount };
}

/** What changing one key alone does to the residuals. */
interface Effect {
  readonly path: KeyPath;
  /** What is left of both residuals, together, at the best value of this key. */
  readonly left: number;
  /** By how much they change where this key is what the baseline says. */
  readonly moved: number;
}

/** Effects that differ by less are equal: a hundredth of a percent is not shown either. */
const EQUAL = 1e-4;
/** What whole numbers of experts leave of a residual. */
const NEARLY_NONE = 0.01;

/**
 * The key where a residual is best mended, so where hints and findings about it stand: of the size keys that the file itself states and
 * that are not what the baseline says, the one that, changed alone, leaves the least of both residuals; of equals the one that moves them
 * most. Where sizes are matched and only routers make a difference, it is the number of experts. Undefined where the file states none of
 * them.
 */
export function residualCause(input: CauseInput): KeyPath | undefined {
  const { loaded, count, baseline } = input;
  const known = causes.get(loaded);
  if (known?.count === count && known.theirs === baseline.count) return known.cause;
  const cause = found(input);
  causes.set(loaded, { count, theirs: baseline.count, cause });
  return cause;
}

/** Two rules and the hints ask about the same pair at every keystroke. */
const causes = new WeakMap<
  CauseInput['loaded'],
  { readonly count: ModelCount; readonly theirs: ModelCount; readonly cause: KeyPath | undefined }
>();

function found({ loaded: { experiment, rangeOf }, count, baseline }: CauseInput): KeyPath | undefined {
  if (experiment === undefined) return undefined;
  const differing = sizeKeys.filter(
    ({ path }) =>
      rangeOf(path) !== undefined &&
      // Of a section that is taken away no size is the cause.
      valueAt(experiment, path.slice(0, -1)) !== undefined &&
      !same(valueAt(experiment, path), valueAt(baseline.experiment, path)),
  );
  const choosing = isOfRouters(count, baseline.count) ? differing.find(({ path }) => path.at(-1) === 'experts') : undefined;
  if (choosing !== undefined) return choosing.path;
  const effects = differing.map((key) => effectOf(key, experiment.model, count, baseline));
  return effects.reduce<Effect | undefined>((best, effect) => (best === undefined || isBetter(effect, best) ? effect : best), undefined)
    ?.path;
}

/** Whether no size is left to mend, and what is left comes from what chooses experts, which costs as much as there are of them. */
function isOfRouters(ours: ModelCount, theirs: ModelCount): boolean {
  const { parameters, macs, macsWithRouter } = comparedResiduals(ours, theirs);
  return Math.abs(macs) < NEARLY_NONE && Math.abs(parameters) < NEARLY_NONE && Math.abs(macsWithRouter - macs) > EQUAL;
}

function isBetter(one: Effect, other: Effect): boolean {
  return Math.abs(one.left - other.left) < EQUAL ? one.moved > other.moved + EQUAL : one.left < other.left;
}

function effectOf(key: SizeKey, model: ModelConfig, count: ModelCount, baseline: CauseInput['baseline']): Effect {
  const now = axes(count, baseline.count);
  const at = (value: ConfigValue): Axes => axes(modelCost(withValue({ model }, key.path, value).model), baseline.count);
  const theirs = valueAt(baseline.experiment, key.path) as ConfigValue | undefined;
  const asBaseline = theirs === undefined ? undefined : at(theirs);
  const current = valueAt({ model }, key.path);
  const tried = key.linear && typeof current === 'number' ? bestValues(key, model, current, now, at).map(at) : [];
  return {
    path: key.path,
    left: Math.min(...[now, ...tried, ...(asBaseline === undefined ? [] : [asBaseline])].map(size)),
    moved: asBaseline === undefined ? 0 : Math.abs(asBaseline.parameters - now.parameters) + Math.abs(asBaseline.macs - now.macs),
  };
}

/** Residuals without what chooses experts: what a size is chosen by. */
interface Axes {
  readonly parameters: number;
  readonly macs: number;
}

function axes(ours: ModelCount, theirs: ModelCount): Axes {
  const { parameters, macs } = comparedResiduals(ours, theirs);
  return { parameters, macs };
}

function size({ parameters, macs }: Axes): number {
  return Math.abs(parameters) + Math.abs(macs);
}

/**
 * Whole values of a key at which one of the residuals is nearest to zero: both are straight lines of it, given by where they are now and at
 * twice the value.
 */
function bestValues({ path }: SizeKey, model: ModelConfig, now: number, here: Axes, at: (value: number) => Axes): readonly number[] {
  const step = Math.max(1, now);
  const there = at(now + step);
  const most = path.at(-1) === 'top_k' ? valueAt({ model }, [...path.slice(0, -1), 'experts']) : undefined;
  return (['parameters', 'macs'] as const).flatMap((axis) => {
    const slope = (there[axis] - here[axis]) / step;
    if (slope === 0) return [];
    const value = Math.max(1, Math.round(now - here[axis] / slope));
    return [typeof most === 'number' ? Math.min(most, value) : value];
  });
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
