import type { LoadedConfig, ReadText } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { choicesVary, isIsoMac, meantChoices, resultingExperts } from '../config/moeShape';
import type { Experiment, MoeConfig, ModelConfig } from '../config/schema';
import { countModel, macsAtMeanK } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import { twinConfig } from './twinConfig';
import { averageText, comment, costSentence, poorControl, twinCautions } from './twinText';

/** What has no twin, with what the user can do. */
export class NoTwin extends Error {
  override readonly name = 'NoTwin';
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** A model whose units take different numbers of experts, as it was trained or is to be. */
export interface TwinSubject {
  /** The config that says so; it need not be there any more, nor be as it was. */
  readonly configFile: string;
  readonly experiment: Experiment;
  /** The mean number of experts per unit, and where it was measured: `in the run X`; null where it is only meant, by the config. */
  readonly mean: { readonly k: number; readonly measured: string | null };
}

export interface FixedKTwin {
  /** Experts of every unit: the nearest whole number to the mean. */
  readonly k: number;
  readonly macsPerToken: number;
  /** Of the model that it is the twin of, at its mean. */
  readonly macsAtMeanK: number;
  /** The twin's config, to be saved in `folder`. */
  readonly text: string;
  /** `0.031`: how much more a token costs. */
  readonly difference: number;
  /** Where it is a poor control, a sentence each; they stand in `text` too. */
  readonly cautions: readonly string[];
}

/** The subject as a config states it: its mean is what that means it to be. Throws NoTwin. */
export function configSubject({ file, experiment, findings }: LoadedConfig): TwinSubject {
  if (experiment === undefined) {
    const first = findings.find(({ severity }) => severity === 'error');
    throw new NoTwin(`${file} cannot be read: ${first?.message ?? 'it has errors'}`, 'Correct the config first.');
  }
  return { configFile: file, experiment, mean: { k: meantChoices(experiment.model), measured: null } };
}

/**
 * The twin with the same number of experts for every unit, to compare with at equal cost. `folder`: where its config is to be. It extends
 * the subject's config where that still says what the subject is, else it stands alone. Throws NoTwin where K does not vary.
 */
export function fixedKTwin({ configFile, experiment, mean }: TwinSubject, folder: string, readText: ReadText): FixedKTwin {
  const { model } = experiment;
  const { moe } = model;
  const subject = experimentName(configFile, experiment);
  if (moe === undefined || !choicesVary(moe)) {
    const why =
      moe === undefined
        ? 'has no routed layers'
        : `gives every unit ${moe.top_k} ${moe.top_k === 1 ? 'expert' : 'experts'} already (select: ${moe.router.select})`;
    throw new NoTwin(`${subject} ${why}.`, 'A twin is for models with select: dynamic or top_p.');
  }
  const shape = resultingExperts(model, moe);
  const k = Math.max(1, Math.min(shape.experts, Math.round(mean.k)));
  const changed = { top_k: k, ...fixedExperts(model, moe) };
  const twin: Experiment = { ...experiment, model: { ...model, moe: { ...moe, ...changed, router: fixedRouter(moe) } } };
  const macs = {
    twin: countModel(buildLanguageModel(twin), twin.model).macsPerToken.total,
    mean: macsAtMeanK(countModel(buildLanguageModel(experiment), model), model, mean.k),
  };
  const cautions = twinCautions(experiment, twin);
  const heading = [
    `Twin of ${subject} with ${k} ${k === 1 ? 'expert' : 'experts'} for every unit, where that ${averageText(mean, model, moe)}.`,
    costSentence(macs.twin, macs.mean),
    ...(isIsoMac(moe)
      ? [
          `Its ${shape.experts} experts of width ${shape.width} are those that \`ablation: iso_mac\` gives that model, which would resize them for another \`top_k\`.`,
        ]
      : []),
    ...cautions.map(poorControl),
  ];
  const body = twinConfig({ configFile, experiment, twin, name: `${subject}, k = ${k}`, changed, folder }, readText);
  return {
    k,
    macsPerToken: macs.twin,
    macsAtMeanK: macs.mean,
    difference: macs.twin / macs.mean - 1,
    text: `${heading.map(comment).join('\n')}\n${body}`,
    cautions,
  };
}

/**
 * `ablation: iso_mac` widens experts by top_k (see `resultingExperts`): the twin states what came of it, so that it has the very same
 * experts.
 */
function fixedExperts(model: ModelConfig, moe: MoeConfig): Partial<Pick<MoeConfig, 'experts' | 'expert_width' | 'ablation'>> {
  if (!isIsoMac(moe)) return {};
  const { experts, width } = resultingExperts(model, moe);
  return { experts, expert_width: width, ablation: 'remove_only' };
}

function fixedRouter({ router: { k_max: _, ...router } }: MoeConfig): MoeConfig['router'] {
  return { ...router, select: 'top_k', entropy_weight: 0 };
}
