import type { ReadText } from '../config/configFile';
import type { Experiment } from '../config/schema';
import { NoTwin } from '../parity/fixedKTwin';
import { formatResidual } from '../parity/formatCount';
import { parityTwin, type ParityTwin } from '../parity/parityTwin';
import type { TwinFamily } from '../parity/twinFamily';

/** A twin to choose, as a list shows it. */
export interface TwinChoice {
  /** `MH-MoE, 2 heads: 41 experts of width 768`. */
  readonly label: string;
  /** `0.00 % MACs (+0.54 % with routers), −0.78 % parameters`. */
  readonly detail: string;
  readonly twin: ParityTwin;
}

interface Offered {
  readonly family: TwinFamily;
  readonly heads?: number;
  readonly title: string;
}

/** 2411.16205 has two and three heads, 2404.15045 four. */
const offered: readonly Offered[] = [
  { family: 'smoe', title: 'SMoE' },
  { family: 'fine-grained', title: 'Fine-grained SMoE' },
  ...[2, 3, 4].map((heads): Offered => ({ family: 'mh-moe', heads, title: `MH-MoE, ${heads} heads` })),
];

export interface TwinSubject {
  readonly configFile: string;
  readonly experiment: Experiment;
  /** Where the twin is to be. */
  readonly folder: string;
  readonly readText: ReadText;
}

/** The twins at equal cost that a config has, in every other family. Throws NoTwin where it has none, with the reason that stands first. */
export function twinChoices(subject: TwinSubject): readonly TwinChoice[] {
  const reasons: NoTwin[] = [];
  const choices = offered.flatMap(({ title, family, heads }): TwinChoice[] => {
    try {
      return [choiceOf(title, parityTwin({ ...subject, family, ...(heads === undefined ? {} : { heads }) }))];
    } catch (error) {
      if (!(error instanceof NoTwin)) throw error;
      reasons.push(error);
      return [];
    }
  });
  const [reason] = reasons;
  if (choices.length === 0 && reason !== undefined) throw reason;
  return choices;
}

function choiceOf(title: string, twin: ParityTwin): TwinChoice {
  const { macs, macsWithRouter, parameters } = twin.parity.compared;
  return {
    label: `${title}: ${twin.changes['experts'] ?? ''} experts of width ${twin.changes['expert_width'] ?? ''}`,
    detail: `${formatResidual(macs)} MACs (${formatResidual(macsWithRouter)} with routers), ${formatResidual(parameters)} parameters`,
    twin,
  };
}
