import type { ExperimentText } from '../../data/experimentOverlap';
import type { TextOverlap } from '../../data/textOverlap';

/** What the thread is given, as its workerData. */
export type OverlapThreadTask = ExperimentText;

/** Its one answer. */
export type OverlapThreadAnswer = { readonly overlaps: readonly TextOverlap[] } | { readonly error: string };
