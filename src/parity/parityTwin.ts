import { basename, relative, resolve } from 'node:path';
import { Document } from 'yaml';
import type { ReadText } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { readExtendsChain } from '../config/extendsChain';
import { loadConfig } from '../config/loadConfig';
import type { Experiment, MoeConfig } from '../config/schema';
import { modelCost } from './closedForm/modelCost';
import { residuals, type ParityResiduals } from './compareWithBaseline';
import { NoTwin } from './fixedKTwin';
import { formatResidual } from './formatCount';
import { valueAt } from '../config/keyValues';
import { solve, type Choice } from './solver/solve';
import { posix } from './twinConfig';
import { DEFAULT_HEADS, ofSubTokens, twinProblem, type TwinFamily } from './twinFamily';
import { comment } from './twinText';

export interface ParityTwinRequest {
  /** Absolute path of the config whose twin is wanted. */
  readonly configFile: string;
  readonly experiment: Experiment;
  readonly family: TwinFamily;
  /** mh-moe: sub-tokens, and experts of each; 2 where absent. */
  readonly heads?: number;
  /** Where the twin's config is to be. */
  readonly folder: string;
  readonly readText: ReadText;
}

export interface ParityTwin {
  readonly family: TwinFamily;
  /** Ends the name of its file: `smoe`, `fine-grained`, `mh2`. */
  readonly suffix: string;
  /** Values of `moe` that the twin has of its own. */
  readonly changes: Readonly<Record<string, string | number>>;
  /** How far its cost is from its subject's. */
  readonly parity: ParityResiduals;
  /** What the twin is warned of and its subject is not, a sentence each; they stand in `text` too. */
  readonly cautions: readonly string[];
  /** The twin's config, to be saved in `folder`. */
  readonly text: string;
}

/** Beyond this share of its subject's MACs it is no twin. */
const FARTHEST = 0.05;

/** As papers match models: MACs first, parameters as near as whole numbers of experts are (2411.16205 section 3 has 3 % of difference). */
function isAtEqualCompute({ macs, parameters }: Choice): boolean {
  return Math.abs(macs) < 0.002 && Math.abs(parameters) < 0.05;
}

/**
 * The config of another family that costs as much: it extends its subject's, names that as its baseline, and says only what differs. Sizes
 * are those that the solver ranks first among those of the same MACs. Throws NoTwin where there is none.
 */
export function parityTwin(request: ParityTwinRequest): ParityTwin {
  const { configFile, experiment, family, heads = DEFAULT_HEADS } = request;
  const name = experimentName(configFile, experiment);
  const { start, reference } = twinProblem(name, experiment, family, heads);
  const keys = ['experts', 'expert_width'] as const;
  const { choices } = solve(start, reference, { keys: keys.map((key) => `model.moe.${key}`) });
  const best = choices.find(isAtEqualCompute) ?? choices[0];
  if (best === undefined || Math.abs(best.macs) > FARTHEST) {
    throw new NoTwin(
      `No number and width of experts makes a twin (${family}) that costs as much as ${name}.`,
      'Its experts may be too narrow to pay for a head and a merge layer: widen them, or choose another family.',
    );
  }
  const { moe } = start.model;
  const changes = {
    kind: moe.kind,
    ...(moe.kind === 'mh-moe' ? { heads: moe.heads } : {}),
    experts: best.changes['model.moe.experts'] ?? moe.experts,
    top_k: moe.top_k,
    expert_width: best.changes['model.moe.expert_width'] ?? moe.expert_width,
  };
  const suffix = family === 'mh-moe' ? `mh${heads}` : family;
  const title = `${name}, ${family === 'mh-moe' ? `MH-MoE (${heads} heads)` : family === 'smoe' ? 'SMoE' : 'fine-grained'}`;
  return finished(request, { family, suffix, changes }, twinBody(request, title, changes, moe), name);
}

/** Says only what differs from the subject; a key without a value takes away what that says. */
function twinBody(
  { configFile, experiment, folder, readText }: ParityTwinRequest,
  name: string,
  changes: ParityTwin['changes'],
  { kind, router }: MoeConfig,
): string {
  const subject = posix(relative(folder, configFile)) || basename(configFile);
  const { value } = readExtendsChain(configFile, readText(configFile) ?? '', readText);
  const stated = (key: string): boolean => (valueAt(value, ['model', 'moe', key]) ?? null) !== null;
  const idle = kind === 'smoe' ? ofSubTokens.filter(stated).map((key): [string, null] => [key, null]) : [];
  const other = router.balance === (experiment.model.moe?.router.balance ?? router.balance) ? {} : { router: { balance: router.balance } };
  const document = new Document({
    extends: subject,
    name,
    parity: subject,
    model: { moe: { ...changes, ...Object.fromEntries<string | null>(idle), ...other } },
  });
  return document.toString({ lineWidth: 0, nullStr: '' }).replace(/: $/gm, ':');
}

/** With its heading, and read as it will be read once it is saved: what is promised is what that says. */
function finished(
  { configFile, experiment, folder, readText }: ParityTwinRequest,
  twin: Pick<ParityTwin, 'family' | 'suffix' | 'changes'>,
  body: string,
  subject: string,
): ParityTwin {
  // A name that no file has.
  const file = resolve(folder, `.${twin.suffix}-${basename(configFile)}`);
  const loaded = loadConfig(file, (path) => (path === file ? body : readText(path)));
  const broken = loaded.findings.find(({ severity }) => severity === 'error');
  if (loaded.experiment === undefined)
    throw new NoTwin(
      `The twin of ${subject} would have an error: ${broken?.message ?? 'it cannot be read'}`,
      'Change that in its subject.',
    );
  const parity = residuals(basename(configFile), modelCost(loaded.experiment.model), modelCost(experiment.model));
  const known = new Set(loadConfig(configFile, readText).findings.map(({ code }) => code));
  const cautions = loaded.findings.filter(({ severity, code }) => severity === 'warning' && !known.has(code)).map(({ message }) => message);
  const heading = [...headingOf(twin, parity, subject), ...cautions.map((caution) => `Mind: ${caution}`)];
  return { ...twin, parity, cautions, text: `${heading.map(comment).join('\n')}\n${body}` };
}

function headingOf(
  { family, changes }: Pick<ParityTwin, 'family' | 'changes'>,
  { compared, ...model }: ParityResiduals,
  subject: string,
): readonly string[] {
  const names = { smoe: 'SMoE', 'fine-grained': 'Fine-grained', 'mh-moe': 'MH-MoE' } as const;
  const { parameters, parametersWithRouter, macs, macsWithRouter } = compared;
  const layers = compared.scope === 'layers' ? 'the layers that differ' : 'the model';
  return [
    `${names[family]} twin of ${subject} at equal cost: ${changes['experts'] ?? ''} experts of width ${changes['expert_width'] ?? ''}.`,
    `Of ${layers}: ${formatResidual(macs)} MACs (${formatResidual(macsWithRouter)} with routers), ${formatResidual(parameters)} parameters (${formatResidual(parametersWithRouter)} with routers).`,
    `Of the whole model: ${formatResidual(model.macs)} MACs (${formatResidual(model.macsWithRouter)} with routers), ${formatResidual(model.parameters)} parameters.`,
  ];
}
