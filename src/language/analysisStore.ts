import { causality } from '../config/causality';
import type { ConfigFinding, LoadedConfig, OwnConfig, ReadText, SweepMember } from '../config/configFile';
import type { PathFinding } from '../config/pathFinding';
import type { Experiment } from '../config/schema';
import { adjusted, type Adjustment } from '../config/severities';
import { atOnce, type Steps } from '../config/steps';
import type { ModelCount } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import { baselineFile, brokenBaseline, residuals } from '../parity/compareWithBaseline';
import { parityFindings, parityFindingsOfMembers } from '../parity/rules/parityRules';
import type { AnalysisEnvironment, ConfigAnalysis, OwnAnalysis } from './analysis';
import { CostCache, type ExperimentCost } from './costCache';
import { environmentFindings } from './environmentRules';
import { memberCount } from './familyTable';
import { inOrder, located } from './located';
import { ReadConfigs, type ReadConfig } from './readConfigs';
import { ruleList } from './ruleList';

/** Where a store takes from what it analyses. */
export interface AnalysisSources {
  /** Open editors first, where there are any. */
  readonly readText: ReadText;
  /** Of the config in a file: settings may differ from folder to folder. */
  environment(file: string): AnalysisEnvironment;
}

/** How often the dear parts of an analysis were done; tests hold it against how often they had to be. */
export interface AnalysisCounters {
  readonly programsBuilt: number;
  readonly analysesMade: number;
  /** Members of sweeps that were held against their baseline. */
  readonly membersCompared: number;
}

interface Kept {
  readonly own: OwnAnalysis;
  /** What it read, so that a file that was touched and says the same makes nothing anew. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  stale: boolean;
  /** The members and what is found in all: done once, by whoever asks for it. */
  readonly rest: Steps<ConfigAnalysis>;
  whole: ConfigAnalysis | undefined;
}

/**
 * Analyses of configs, each made once per content by whoever asks first. An analysis holds until a file that it read says something else;
 * what a model costs holds for every config of the same content, so an unchanged baseline is not counted again. The members of a sweep come
 * last: what is shown of the config itself does not wait for them.
 */
export class AnalysisStore {
  readonly #kept = new Map<string, Kept>();
  readonly #costs = new CostCache();
  readonly #configs: ReadConfigs;
  #analysesMade = 0;
  #membersCompared = 0;
  /** Each time that texts, and that environments, are said to have changed. */
  #changes = 0;
  #environments = 0;

  constructor(private readonly sources: AnalysisSources) {
    this.#configs = new ReadConfigs(sources.readText);
  }

  get counters(): AnalysisCounters {
    return { programsBuilt: this.#costs.programsBuilt, analysesMade: this.#analysesMade, membersCompared: this.#membersCompared };
  }

  /** The analysis of a config by its absolute path; the same object for as long as nothing that it read has changed. Never throws. */
  get(file: string): ConfigAnalysis {
    return atOnce(this.steps(file));
  }

  /** What is known of a config without the members of its sweep, none of which is tried for it. */
  own(file: string): OwnAnalysis {
    return atOnce(this.#ofItself(file)).own;
  }

  /**
   * The same as `get`, with breaks. What has changed in one of them is taken in, and what somebody else has asked for meanwhile is not done
   * again: an analysis holds when the last step is done.
   */
  *steps(file: string): Steps<ConfigAnalysis> {
    for (;;) {
      const kept = yield* this.#ofItself(file);
      while (kept.whole === undefined) {
        const step = this.#next(file, kept);
        if (step.done === true) kept.whole = step.value;
        else {
          yield;
          if (this.#holding(file) !== kept) break;
        }
      }
      if (kept.whole !== undefined) return kept.whole;
    }
  }

  /** The analysis that was made last, whether or not it still holds. */
  known(file: string): ConfigAnalysis | undefined {
    return this.#kept.get(file)?.whole;
  }

  /** A file may say something else now. Returns the configs that have to be asked for again: itself, and those that read it. */
  outdate(file: string): readonly string[] {
    this.#changes += 1;
    this.#configs.outdate(file);
    const outdated: string[] = [];
    for (const [config, kept] of this.#kept) {
      if (!kept.own.files.has(file)) continue;
      kept.stale = true;
      outdated.push(config);
    }
    return outdated;
  }

  /** The environment has changed: every analysis is made anew when it is asked for; what models cost still holds. */
  outdateAll(): readonly string[] {
    this.#environments += 1;
    const configs = [...this.#kept.keys()];
    this.#kept.clear();
    return configs;
  }

  /** Nobody looks at this config any more. */
  forget(file: string): void {
    this.#kept.delete(file);
  }

  /** Work that has failed is begun anew when somebody asks again. */
  #next(file: string, { rest }: Kept): IteratorResult<undefined, ConfigAnalysis> {
    try {
      return rest.next();
    } catch (error) {
      this.#kept.delete(file);
      throw error;
    }
  }

  #holding(file: string): Kept | undefined {
    const kept = this.#kept.get(file);
    if (kept?.stale === true && this.#says(kept.texts)) kept.stale = false;
    return kept?.stale === true ? undefined : kept;
  }

  #says(texts: ReadonlyMap<string, string | undefined>): boolean {
    for (const [file, text] of texts) if (this.sources.readText(file) !== text) return false;
    return true;
  }

  *#ofItself(file: string): Steps<Kept> {
    for (;;) {
      const known = this.#holding(file);
      if (known !== undefined) return known;
      const [changes, environments] = [this.#changes, this.#environments];
      const made = yield* this.#analyse(file);
      const byOthers = this.#holding(file);
      if (byOthers !== undefined) return byOthers;
      if (this.#environments !== environments || (this.#changes !== changes && !this.#says(made.texts))) continue;
      this.#kept.set(file, made);
      return made;
    }
  }

  *#analyse(file: string): Steps<Kept> {
    this.#analysesMade += 1;
    const texts = new Map<string, string | undefined>();
    const configs = this.#configs;
    const load: Load = function* (path) {
      const read = yield* configs.load(path);
      // What was read first has been used: a later text of the same file does not make up for that.
      for (const [name, text] of read.texts) if (!texts.has(name)) texts.set(name, text);
      return read;
    };
    const read = yield* load(file);
    yield;
    const counted = yield* this.#counted(read.own, load);
    yield;
    const environment = this.sources.environment(file);
    const beside = findingsBeside(read.own, counted, environment, (path) => atOnce(load(path)).own);
    const { ofBaseline, ...figures } = counted;
    const own: OwnAnalysis = {
      file,
      text: read.own.text,
      loaded: read.own,
      listed: read.listed,
      ...figures,
      files: new Set(texts.keys()),
      program: programOf(read.own.experiment),
    };
    const rest = this.#rest(own, read, [...ofBaseline, ...beside], {
      texts: (path) => texts.get(path),
      severities: environment.severities,
    });
    return { own, texts, stale: false, rest, whole: undefined };
  }

  /** The members, and what is found in all. */
  *#rest(
    own: OwnAnalysis,
    read: ReadConfig,
    beside: readonly ConfigFinding[],
    as: Pick<Adjustment, 'texts' | 'severities'>,
  ): Steps<ConfigAnalysis> {
    const loaded = yield* read.whole();
    const ofMembers = yield* this.#membersBeside(own, loaded);
    const found = inOrder([...loaded.findings, ...beside, ...ofMembers.map((finding) => located(finding, loaded))], own.file);
    return { ...own, loaded, findings: adjusted(found, { ...as, loaded, codes: ruleList }) };
  }

  *#membersBeside({ count, baseline }: OwnAnalysis, loaded: LoadedConfig): Steps<readonly PathFinding[]> {
    const { members } = loaded;
    if (members.length === 0 || count === undefined || baseline === undefined) return [];
    const countOf = (member: SweepMember): ModelCount | undefined => {
      this.#membersCompared += 1;
      return memberCount(member);
    };
    return yield* parityFindingsOfMembers({ loaded, count, baseline, members, countOf });
  }

  *#counted(loaded: OwnConfig, load: Load): Steps<Counted> {
    const { experiment } = loaded;
    const nothing = { count: undefined, parity: null, baseline: undefined, causality: undefined, needs: null, ofBaseline: [] };
    const cost = experiment && (yield* this.#cost(experiment));
    if (experiment === undefined || cost === undefined) return nothing;
    const own = { ...nothing, ...cost, causality: causality(experiment) };
    if (experiment.parity === undefined) return own;
    yield;
    const { baseline, ofBaseline } = yield* this.#baseline(loaded, experiment.parity, load);
    return { ...own, baseline, ofBaseline, parity: baseline === undefined ? null : residuals(baseline.name, cost.count, baseline.count) };
  }

  *#baseline(loaded: OwnConfig, name: string, load: Load): Steps<Pick<Counted, 'baseline' | 'ofBaseline'>> {
    const file = baselineFile(loaded.file, name);
    const { experiment, findings } = (yield* load(file)).own;
    if (experiment === undefined) return { baseline: undefined, ofBaseline: brokenBaseline(loaded, name, findings) };
    const cost = yield* this.#cost(experiment);
    return { baseline: cost && { name, file, experiment, count: cost.count }, ofBaseline: [] };
  }

  /** A config without errors can be counted; should it not be so, its findings still stand. */
  *#cost(experiment: Experiment): Steps<ExperimentCost | undefined> {
    try {
      return yield* this.#costs.of(experiment);
    } catch {
      return undefined;
    }
  }
}

type Load = (file: string) => Steps<ReadConfig>;

interface Counted extends Pick<OwnAnalysis, 'count' | 'parity' | 'baseline' | 'causality' | 'needs'> {
  /** What is found of a baseline that cannot be counted. */
  readonly ofBaseline: readonly ConfigFinding[];
}

/** What is found of a config beside its baseline, and in its surroundings. */
function findingsBeside(
  loaded: OwnConfig,
  counted: Counted,
  environment: AnalysisEnvironment,
  load: (file: string) => OwnConfig,
): readonly ConfigFinding[] {
  const { count, baseline, parity, needs } = counted;
  const baselineOf = (file: string): string | undefined => {
    const named = load(file).experiment?.parity;
    return named === undefined ? undefined : baselineFile(file, named);
  };
  const found = [
    ...parityFindings({ loaded, count, baseline, residuals: parity, baselineOf }),
    ...environmentFindings({ loaded, needs, memory: environment.memory, overlaps: environment.overlaps?.(loaded) }),
  ];
  return found.map((finding) => located(finding, loaded));
}

function programOf(experiment: Experiment | undefined): ConfigAnalysis['program'] {
  let built: ReturnType<ConfigAnalysis['program']>;
  return () => (built ??= experiment && buildLanguageModel(experiment));
}
