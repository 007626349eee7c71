import type { Causality } from '../config/causality';
import type { Experiment } from '../config/schema';
import type { FamilyTable } from '../language/familyTable';
import type { ModelCount } from '../models/count';
import type { AttentionCosts } from '../parity/attentionCosts';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import type { RunNeeds } from '../worker/runNeeds';

/** A config as `moe-lab count` has counted it. */
export interface CountedFile {
  /** As given on the command line. */
  readonly file: string;
  readonly name: string;
  readonly experiment: Experiment;
  readonly count: ModelCount;
  readonly parity: ParityResiduals | null;
  readonly causality: Causality | undefined;
  /** Of SwitchHead, counted three ways; null for attention without experts. */
  readonly attention: AttentionCosts | null;
  /** What training it takes; null for a config that only counts. */
  readonly needs: RunNeeds | null;
  /** What the members of its sweep cost; null without one. */
  readonly family: FamilyTable | null;
}
