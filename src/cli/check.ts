import { totalmem } from 'node:os';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { ruleSeverities, type RuleSeverities, type RuleSeverity } from '../config/lintSchema';
import { didYouMean } from '../config/editDistance';
import { bytesIn } from '../language/budgetTexts';
import { ruleList } from '../language/ruleList';
import { readGpus, type KnownGpu } from '../runs/machineFile';
import { memoryLimit } from '../worker/machineRoom';
import { largestGpu, statedGpu, type MachineMemory } from '../worker/memoryRooms';
import { checkFiles } from './check/checkFiles';
import { checkedJson } from './check/checkedJson';
import { checkedText } from './check/checkedText';
import { configFiles } from './check/configFiles';
import { sarif } from './check/sarif';
import { exitCode, WrongUse, type Command, type OptionValues } from './command';
import { runsDirectoryOf } from './runArgument';

const formats = ['text', 'json', 'sarif'] as const;
type Format = (typeof formats)[number];

/** Least severe first. */
const severities = ['information', 'warning', 'error'] as const;
type Severity = (typeof severities)[number];

export const command: Command = {
  summary: 'Check configs by the rules of the editor, so that a build can refuse an unfair comparison.',
  notes: [
    '--fail-on: the least severity that makes the exit code 1; warning where it is left out.',
    '--device-memory: hold what would train on a GPU against so much memory, not against the GPU that was found here.',
  ],
  usage:
    'check FILE|FOLDER... [--format text|json|sarif] [--severity CODE=off|information|warning|error]... [--fail-on error|warning|information] [--device-memory 24GiB] [--runs DIR] [--json]',
  options: {
    format: { type: 'string' },
    severity: { type: 'string', multiple: true },
    'fail-on': { type: 'string' },
    'device-memory': { type: 'string' },
    runs: { type: 'string' },
  },
  async run({ positionals, values, stdout, stderr, cwd, signal }) {
    if (positionals.length === 0) throw new WrongUse('Name at least one config or folder, as in moe-lab check experiments/.');
    const format = formatOf(values);
    const failOn = choice(values, 'fail-on', severities) ?? 'warning';
    const checked = await checkFiles(await configFiles(positionals, cwd), {
      readText: readTextFromDisk,
      severities: severitiesOf(values),
      memory: await memoryOf(values, cwd),
      ...(signal === undefined ? {} : { signal }),
    });
    const write: Readonly<Record<Format, () => string>> = {
      text: () => checkedText(checked, cwd),
      json: () => JSON.stringify(checkedJson(checked, cwd)),
      sarif: () => JSON.stringify(sarif(checked, cwd), undefined, 2),
    };
    const output = write[format]();
    if (output !== '') stdout.write(`${output}\n`);
    if (format === 'text') stderr.write(`${summary(checked)}\n`);
    const fails = checked.findings.some(({ finding }) => severities.indexOf(finding.severity) >= severities.indexOf(failOn));
    return fails ? exitCode.findings : exitCode.done;
  },
};

/** That of this machine, with the GPU that was found when something last trained on it, or `moe-lab devices` was asked. */
async function memoryOf(values: OptionValues, cwd: string): Promise<MachineMemory> {
  const device = await gpuOf(values, cwd);
  return { host: memoryLimit(totalmem(), process.constrainedMemory()), ...(device === undefined ? {} : { device }) };
}

async function gpuOf(values: OptionValues, cwd: string): Promise<KnownGpu | undefined> {
  const stated = values['device-memory'];
  if (typeof stated !== 'string') return largestGpu((await readGpus(runsDirectoryOf(values, cwd))) ?? []);
  const bytes = bytesIn(stated);
  if (bytes === undefined) throw new WrongUse(`--device-memory takes an amount such as 24GiB, not ${stated}.`);
  return statedGpu(bytes);
}

function formatOf(values: OptionValues): Format {
  const format = choice(values, 'format', formats);
  if (values['json'] !== true) return format ?? 'text';
  if (format !== undefined && format !== 'json') throw new WrongUse(`--json and --format ${format} ask for two formats; take one of them.`);
  return 'json';
}

function choice<const Choices extends readonly string[]>(
  values: OptionValues,
  option: string,
  choices: Choices,
): Choices[number] | undefined {
  const value = values[option];
  if (value === undefined) return undefined;
  const chosen = choices.find((known) => known === value);
  if (chosen === undefined) throw new WrongUse(`--${option} is one of ${choices.join(', ')}.`);
  return chosen;
}

function severitiesOf({ severity = [] }: OptionValues): RuleSeverities {
  return Object.fromEntries((Array.isArray(severity) ? severity : [severity]).map((entry) => severityOf(String(entry))));
}

function severityOf(entry: string): [string, RuleSeverity] {
  const [code = '', level = ''] = entry.split('=');
  const rule = ruleList.find((known) => known.code === code);
  if (rule === undefined) {
    const meant = didYouMean(
      code,
      ruleList.map((known) => known.code),
    );
    throw new WrongUse(
      `There is no rule ${code}${meant ? `; did you mean ${meant}?` : '; --severity takes CODE=LEVEL, as in macs-off-parity=error.'}`,
    );
  }
  if (!rule.advisory) throw new WrongUse(`The rule ${code} keeps a model from being built, so it stays an error.`);
  const severity = ruleSeverities.find((known) => known === level);
  if (severity === undefined) throw new WrongUse(`--severity ${code}= takes one of ${ruleSeverities.join(', ')}.`);
  return [code, severity];
}

function summary({ files, findings }: Awaited<ReturnType<typeof checkFiles>>): string {
  const amount = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const of = (severity: Severity): number => findings.filter(({ finding }) => finding.severity === severity).length;
  const found = [...severities].reverse().flatMap((severity) => (of(severity) === 0 ? [] : [amount(of(severity), severity)]));
  return `${amount(files.length, 'config')}: ${found.length === 0 ? 'nothing found' : found.join(', ')}.`;
}
