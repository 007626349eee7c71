import { dirname, resolve } from 'node:path';
import type { ConfigFinding, LoadedConfig, OwnConfig, ReadText } from '../config/configFile';
import { causality as causalityOf, type Causality } from '../config/causality';
import { loadConfig } from '../config/loadConfig';
import type { Experiment } from '../config/schema';
import { countModel } from '../models/count';
import type { ModelCount } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import { comparedResiduals, type ComparedResiduals } from './comparedPart';

/** How far a model is from its baseline, as fractions of the baseline: 0.0052 is half a percent more. */
export interface ParityResiduals {
  /** The baseline as the config names it. */
  readonly baseline: string;
  /** All parameters, routers included. */
  readonly parameters: number;
  /** Without what chooses experts, as `macs`. */
  readonly parametersWithoutRouter: number;
  /**
   * MACs per token without what chooses experts: routers (2411.16205 Eq. 6-10), selections of SwitchHead, queries and keys of product keys.
   */
  readonly macs: number;
  readonly macsWithRouter: number;
  /** Of the part that differs: what papers print, and what the hints and the solver speak of. */
  readonly compared: ComparedResiduals;
  /** Of attention alone, its selections of experts apart; only where it is not the same in both. */
  readonly attention?: { readonly parameters: number; readonly macs: number };
}

export interface CountedConfig {
  /** Undefined if the config has errors. */
  readonly count: ModelCount | undefined;
  /** Null without a baseline, or if it cannot be counted; then `findings` say why. */
  readonly parity: ParityResiduals | null;
  /** Undefined where nothing was counted. */
  readonly causality: Causality | undefined;
  /** The config's own, and one where its baseline has errors. */
  readonly findings: readonly ConfigFinding[];
}

/** Counts a config, and the baseline that its `parity` names. The baseline's own `parity` plays no part. */
export function compareWithBaseline(config: LoadedConfig, readText: ReadText): CountedConfig {
  const { experiment, findings } = config;
  if (!experiment) return { count: undefined, parity: null, causality: undefined, findings };
  const count = countExperiment(experiment);
  const causality = causalityOf(experiment);
  if (experiment.parity === undefined) return { count, parity: null, causality, findings };
  const baseline = loadConfig(baselineFile(config.file, experiment.parity), readText);
  if (!baseline.experiment)
    return { count, parity: null, causality, findings: [...findings, ...brokenBaseline(config, experiment.parity, baseline.findings)] };
  return { count, parity: residuals(experiment.parity, count, countExperiment(baseline.experiment)), causality, findings };
}

function countExperiment(experiment: Experiment): ModelCount {
  return countModel(buildLanguageModel(experiment), experiment.model);
}

export function residuals(baseline: string, ours: ModelCount, theirs: ModelCount): ParityResiduals {
  const macsOf = ({ macsPerToken }: ModelCount): number => macsPerToken.total - macsPerToken.router;
  const parametersOf = ({ parameters }: ModelCount): number => parameters.total - parameters.router;
  return {
    baseline,
    parameters: ours.parameters.total / theirs.parameters.total - 1,
    parametersWithoutRouter: parametersOf(ours) / parametersOf(theirs) - 1,
    macs: macsOf(ours) / macsOf(theirs) - 1,
    macsWithRouter: ours.macsPerToken.total / theirs.macsPerToken.total - 1,
    compared: comparedResiduals(ours, theirs),
    ...attentionResiduals(ours, theirs),
  };
}

function attentionResiduals(ours: ModelCount, theirs: ModelCount): Pick<ParityResiduals, 'attention'> {
  const parametersOf = ({ parameters }: ModelCount): number => parameters.attention + parameters.position;
  const macsOf = ({ macsPerToken }: ModelCount): number => macsPerToken.attention + macsPerToken.attentionCore + macsPerToken.position;
  const attention = { parameters: parametersOf(ours) / parametersOf(theirs) - 1, macs: macsOf(ours) / macsOf(theirs) - 1 };
  return attention.parameters === 0 && attention.macs === 0 ? {} : { attention };
}

/** The file that a config in `file` names as its baseline. */
export function baselineFile(file: string, parity: string): string {
  return resolve(dirname(file), parity);
}

/** Says at `parity` that the baseline has errors, the first of its findings. */
export function brokenBaseline(config: OwnConfig, name: string, ofBaseline: readonly ConfigFinding[]): ConfigFinding[] {
  const first = ofBaseline.find((finding) => finding.severity === 'error');
  // A baseline that is not there has been reported with the config itself.
  if (!first || first.code === 'missing-file') return [];
  const start = { line: 0, character: 0 };
  return [
    {
      file: config.file,
      range: config.rangeOf(['parity']) ?? { start, end: start },
      severity: 'warning',
      code: 'parity-invalid',
      message: `The baseline ${name} has errors, so there is nothing to compare with; the first, in line ${first.range.start.line + 1}: ${first.message}`,
    },
  ];
}
