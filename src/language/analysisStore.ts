import { causality } from '../config/causality';
import type { ConfigFinding, LoadedConfig, ReadText } from '../config/configFile';
import type { Experiment } from '../config/schema';
import { adjusted } from '../config/severities';
import { buildLanguageModel } from '../models/languageModel';
import { baselineFile, brokenBaseline, residuals } from '../parity/compareWithBaseline';
import { parityFindings } from '../parity/rules/parityRules';
import type { AnalysisEnvironment, ConfigAnalysis } from './analysis';
import { CostCache, type ExperimentCost } from './costCache';
import { environmentFindings } from './environmentRules';
import { inOrder, located } from './located';
import { ReadConfigs } from './readConfigs';
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
}

interface Kept {
  readonly analysis: ConfigAnalysis;
  /** What it read, so that a file that was touched and says the same makes nothing anew. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  stale: boolean;
}

/**
 * Analyses of configs, each made once per content by whoever asks first. An analysis holds until a file that it read says something else; what a
 * model costs holds for every config of the same content, so an unchanged baseline is not counted again.
 */
export class AnalysisStore {
  readonly #kept = new Map<string, Kept>();
  readonly #costs = new CostCache();
  readonly #configs: ReadConfigs;
  #analysesMade = 0;

  constructor(private readonly sources: AnalysisSources) {
    this.#configs = new ReadConfigs(sources.readText);
  }

  get counters(): AnalysisCounters {
    return { programsBuilt: this.#costs.programsBuilt, analysesMade: this.#analysesMade };
  }

  /** The analysis of a config by its absolute path; the same object for as long as nothing that it read has changed. Never throws. */
  get(file: string): ConfigAnalysis {
    const kept = this.#kept.get(file);
    if (kept !== undefined && (!kept.stale || this.#saysTheSame(kept))) return kept.analysis;
    return this.#analyse(file);
  }

  /** The analysis that was made last, whether or not it still holds. */
  known(file: string): ConfigAnalysis | undefined {
    return this.#kept.get(file)?.analysis;
  }

  /** A file may say something else now. Returns the configs that have to be asked for again: itself, and those that read it. */
  outdate(file: string): readonly string[] {
    this.#configs.outdate(file);
    const outdated: string[] = [];
    for (const [config, kept] of this.#kept) {
      if (!kept.analysis.files.has(file)) continue;
      kept.stale = true;
      outdated.push(config);
    }
    return outdated;
  }

  /** The environment has changed: every analysis is made anew when it is asked for; what models cost still holds. */
  outdateAll(): readonly string[] {
    const configs = [...this.#kept.keys()];
    this.#kept.clear();
    return configs;
  }

  /** Nobody looks at this config any more. */
  forget(file: string): void {
    this.#kept.delete(file);
  }

  #saysTheSame(kept: Kept): boolean {
    for (const [file, text] of kept.texts) if (this.sources.readText(file) !== text) return false;
    kept.stale = false;
    return true;
  }

  #analyse(file: string): ConfigAnalysis {
    this.#analysesMade += 1;
    const texts = new Map<string, string | undefined>();
    const load: Load = (path) => {
      const read = this.#configs.load(path);
      for (const [name, text] of read.texts) texts.set(name, text);
      return read.loaded;
    };
    const loaded = load(file);
    const counted = this.#counted(loaded, load);
    const environment = this.sources.environment(file);
    const found = [...loaded.findings, ...counted.ofBaseline, ...findingsBeside(loaded, counted, environment, load)];
    const { ofBaseline: _, ...figures } = counted;
    const analysis: ConfigAnalysis = {
      file,
      text: loaded.text,
      loaded,
      ...figures,
      findings: adjusted(inOrder(found, file), {
        loaded,
        severities: environment.severities,
        texts: (path) => texts.get(path),
        codes: ruleList,
      }),
      files: new Set(texts.keys()),
      program: programOf(loaded.experiment),
    };
    this.#kept.set(file, { analysis, texts, stale: false });
    return analysis;
  }

  #counted(loaded: LoadedConfig, load: Load): Counted {
    const { experiment } = loaded;
    const nothing = { count: undefined, parity: null, baseline: undefined, causality: undefined, needs: null, ofBaseline: [] };
    const cost = experiment && this.#cost(experiment);
    if (experiment === undefined || cost === undefined) return nothing;
    const own = { ...nothing, ...cost, causality: causality(experiment) };
    if (experiment.parity === undefined) return own;
    const { baseline, ofBaseline } = this.#baseline(loaded, experiment.parity, load);
    return { ...own, baseline, ofBaseline, parity: baseline === undefined ? null : residuals(baseline.name, cost.count, baseline.count) };
  }

  #baseline(loaded: LoadedConfig, name: string, load: Load): Pick<Counted, 'baseline' | 'ofBaseline'> {
    const file = baselineFile(loaded.file, name);
    const { experiment, findings } = load(file);
    if (experiment === undefined) return { baseline: undefined, ofBaseline: brokenBaseline(loaded, name, findings) };
    const cost = this.#cost(experiment);
    return { baseline: cost && { name, file, experiment, count: cost.count }, ofBaseline: [] };
  }

  /** A config without errors can be counted; should it not be so, its findings still stand. */
  #cost(experiment: Experiment): ExperimentCost | undefined {
    try {
      return this.#costs.of(experiment);
    } catch {
      return undefined;
    }
  }
}

type Load = (file: string) => LoadedConfig;

interface Counted extends Pick<ConfigAnalysis, 'count' | 'parity' | 'baseline' | 'causality' | 'needs'> {
  /** What is found of a baseline that cannot be counted. */
  readonly ofBaseline: readonly ConfigFinding[];
}

/** What is found of a config beside its baseline, and in its surroundings. */
function findingsBeside(loaded: LoadedConfig, counted: Counted, environment: AnalysisEnvironment, load: Load): readonly ConfigFinding[] {
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
