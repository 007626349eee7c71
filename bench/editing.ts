/**
 * What an editor costs while a config is written: own synchronous time from a keystroke to the data of diagnostics, lenses and hints, for
 * the largest preset, alone and with the largest sweep; the fixes of the lightbulb behind it; the solver; and a workspace of configs that
 * all name a baseline, checked again after it has changed. In milliseconds, and as ratios to a calibrated loop of the same machine.
 */
import { presets } from '../src/config/presets/catalogue';
import { presetText } from '../src/config/presets/presetText';
import { experimentSchema } from '../src/config/schema';
import { actionLenses, countLens, familyLens, parityLens } from '../src/extension/language/lensTexts';
import { AnalysisStore } from '../src/language/analysisStore';
import { offeredFixes } from '../src/language/codeFixes';
import { familyTable } from '../src/language/familyTable';
import { FindingBoard } from '../src/language/findingBoard';
import { inlayHints } from '../src/language/inlayHints';
import { SolvedSizes } from '../src/language/solvedSizes';
import { inSlices, ownSlices, type Slices } from '../src/language/slices';
import { WorkspaceCheck } from '../src/language/workspaceCheck';
import { modelCost } from '../src/parity/closedForm/modelCost';
import { calibration, percentile, processorTime } from './calibration';
import { measureSolver } from './solver';

const rounds = roundsOf(process.argv.slice(2));
const environment = { severities: {}, memory: { host: 2 ** 60 } };

interface Row {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
  /** Of processor time, where it was measured. */
  readonly spent?: number;
  readonly target: string;
}

/** A family of as many members as there may be, of combinations. */
function familyOf(preset: (typeof presets)[number], text: string): string {
  const { experts = 8, expert_width: width = 1024 } = experimentSchema.parse(preset.experiment).model.moe ?? {};
  const values = (from: number, step: number): string => Array.from({ length: 8 }, (_, index) => from + step * index).join(', ');
  return `${text}sweep:\n  model.moe.experts: [${values(experts, 1)}]\n  model.moe.expert_width: [${values(width, 8)}]\n`;
}

/** Every text that comes up while some words of it are written anew. */
function keystrokes(text: string): readonly string[] {
  const texts: string[] = [];
  for (const key of ['expert_width', 'experts', 'top_k', 'd_model', 'layers']) {
    const stated = new RegExp(`(\\b${key}: )(\\w+)`).exec(text);
    const [whole = '', name = '', value = ''] = stated ?? [];
    if (stated === null) continue;
    for (let length = 0; length <= value.length; length++) texts.push(text.replace(whole, `${name}${value.slice(0, length)}`));
    // Another value, which nobody has counted yet.
    for (let length = 1; length <= value.length + 1; length++) texts.push(text.replace(whole, `${name}${`1${value}`.slice(0, length)}`));
  }
  return [...texts, `${text}\n# A comment`, text];
}

async function measureKeystrokes(): Promise<readonly Row[]> {
  const sized = presets.map((preset) => ({
    preset,
    parameters: modelCost(experimentSchema.parse(preset.experiment).model).parameters.total,
  }));
  const largest = sized.reduce((one, other) => (other.parameters > one.parameters ? other : one)).preset;
  const text = `parity: baseline.moe.yaml\n${presetText(largest)}\ntrain: { steps: 1000, batch_tokens: 65536, micro_batch: 1 }\n`;
  const alone = measureTexts(largest, text);
  const family = await measureFamily(largest, familyOf(largest, text));
  return [...alone, ...family];
}

/** What is done by the time that a keystroke is shown. */
function shown(store: AnalysisStore): void {
  const analysis = store.own('/w/own.moe.yaml');
  actionLenses(analysis.loaded, true);
  countLens(analysis.loaded, analysis, { needs: analysis.needs, estimate: undefined });
  parityLens(analysis);
  inlayHints(analysis);
}

/** A keystroke in a config with a sweep: what is shown at once, and the members after it, in slices. */
async function measureFamily(largest: (typeof presets)[number], text: string): Promise<readonly Row[]> {
  const files: Record<string, string> = { '/w/own.moe.yaml': text, '/w/baseline.moe.yaml': presetText(largest) };
  const store = new AnalysisStore({ readText: (file) => files[file], environment: () => environment });
  const times: Timed[] = [];
  const whole: number[] = [];
  const slices: number[] = [];
  const press = async (content: string): Promise<void> => {
    files['/w/own.moe.yaml'] = content;
    const [start, begun] = [performance.now(), processorTime()];
    store.outdate('/w/own.moe.yaml');
    shown(store);
    times.push({ waited: performance.now() - start, spent: processorTime() - begun });
    const timed = new TimedSlices();
    const analysis = await inSlices(store.steps('/w/own.moe.yaml'), () => true, timed);
    const table = analysis && familyTable(analysis);
    if (table) familyLens(table);
    timed.end();
    whole.push(performance.now() - start);
    slices.push(...timed.lengths);
  };
  const texts = (round: number): readonly string[] =>
    keystrokes(text.replace(/vocabulary: (\d+)/, (_, size: string) => `vocabulary: ${Number(size) + round}`));
  for (const content of [0, 1, 2].flatMap(texts)) await press(content);
  for (const list of [times, whole, slices]) list.length = 0;
  for (let round = 0; round < rounds; round++) for (const content of texts(round + 3)) await press(content);
  return [
    row('the same with a sweep of 64', times, '<= 16 (p95)'),
    { what: 'until its members are shown', p50: percentile(whole, 0.5), p95: percentile(whole, 0.95), target: '' },
    { what: 'slices of the members', p50: percentile(slices, 0.5), p95: percentile(slices, 0.95), target: '<= 8' },
  ];
}

function measureTexts(largest: (typeof presets)[number], text: string): readonly Row[] {
  const files: Record<string, string> = { '/w/own.moe.yaml': text, '/w/baseline.moe.yaml': presetText(largest) };
  const store = new AnalysisStore({ readText: (file) => files[file], environment: () => environment });
  const board = new FindingBoard();
  const sizes = new SolvedSizes();
  const press = (content: string): Timed => {
    files['/w/own.moe.yaml'] = content;
    const [start, begun] = [performance.now(), processorTime()];
    store.outdate('/w/own.moe.yaml');
    const analysis = store.get('/w/own.moe.yaml');
    board.put(analysis.file, analysis.findings);
    shown(store);
    return { waited: performance.now() - start, spent: processorTime() - begun };
  };
  // The lightbulb asks when a text has been left alone for a moment, and again whenever the cursor moves on the line of a finding.
  const look = (): Timed => {
    const [start, begun] = [performance.now(), processorTime()];
    const analysis = store.get('/w/own.moe.yaml');
    for (const finding of analysis.findings) offeredFixes(finding, analysis, (file) => files[file], sizes);
    return { waited: performance.now() - start, spent: processorTime() - begun };
  };
  // Every round has numbers of its own, so that nothing is known from the round before.
  const texts = (round: number): readonly string[] =>
    keystrokes(text.replace(/vocabulary: (\d+)/, (_, size: string) => `vocabulary: ${Number(size) + round}`));
  for (let round = 0; round < 3; round++) texts(round).forEach(press);
  const times = Array.from({ length: rounds }, (_, round) => texts(round + 3).map(press)).flat();
  const looks = Array.from({ length: rounds }, (_, round) =>
    texts(round + rounds + 3).map((content) => {
      press(content);
      return { first: look(), again: look() };
    }),
  ).flat();
  return [
    row(`keystroke, ${largest.id}`, times, '<= 16 (p95)'),
    row(
      'lightbulb at all its findings',
      looks.map(({ first }) => first),
      '<= 50',
    ),
    row(
      'lightbulb, the cursor has moved',
      looks.map(({ again }) => again),
      '<= 16 (p95)',
    ),
  ];
}

interface Timed {
  readonly waited: number;
  readonly spent: number;
}

function row(what: string, times: readonly Timed[], target: string): Row {
  const [waited, spent] = [times.map((time) => time.waited), times.map((time) => time.spent)];
  return { what, p50: percentile(waited, 0.5), p95: percentile(waited, 0.95), spent: percentile(spent, 0.95), target };
}

async function measureWorkspace(): Promise<readonly Row[]> {
  const configs = 500;
  const baseline = (width: number): string => `model:
  d_model: 768
  layers: 12
  context: 2048
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: ${width}, router: { balance: switch, balance_weight: 0.01 } }
train: { steps: 1000, batch_tokens: 65536, micro_batch: 8 }
`;
  const files: Record<string, string> = { '/w/baseline.moe.yaml': baseline(2048) };
  for (let index = 0; index < configs; index++) {
    files[`/w/config-${index}.moe.yaml`] = `extends: baseline.moe.yaml
parity: baseline.moe.yaml
model:
  moe: { kind: mh-moe, heads: 2, experts: ${40 + (index % 50)}, top_k: 2, expert_width: ${512 + 8 * index}, router: { balance: top_k } }
`;
  }
  const store = new AnalysisStore({ readText: (file) => files[file], environment: () => environment });
  const board = new FindingBoard();
  const first = new WorkspaceCheck(store, ({ file, findings }) => void board.put(file, findings));
  first.setFiles(Object.keys(files));
  await first.idle();
  const all: number[] = [];
  const spent: number[] = [];
  const slices: number[] = [];
  const longest: number[] = [];
  for (let round = 0; round < Math.max(5, Math.round(rounds / 2)); round++) {
    files['/w/baseline.moe.yaml'] = baseline(2048 + 8 * (round + 1));
    const timed = new TimedSlices();
    const [start, begun] = [performance.now(), processorTime()];
    const again = new WorkspaceCheck(store, ({ file, findings }) => void board.put(file, findings), timed);
    again.setFiles(store.outdate('/w/baseline.moe.yaml'));
    await again.idle();
    all.push(performance.now() - start);
    spent.push(processorTime() - begun);
    timed.end();
    slices.push(...timed.lengths);
    longest.push(again.longestSlice);
  }
  return [
    {
      what: `${configs} configs checked again`,
      p50: percentile(all, 0.5),
      p95: percentile(all, 0.95),
      spent: percentile(spent, 0.95),
      target: '<= 2000',
    },
    { what: 'their slices', p50: percentile(slices, 0.5), p95: percentile(slices, 0.95), target: '<= 8' },
    // Another program that takes the processor away in a slice makes it long: of several rounds the middle one says what is the check's
    // own.
    { what: 'the longest of a round', p50: percentile(longest, 0.5), p95: percentile(longest, 0.95), target: '<= 8 (p50)' },
  ];
}

/** The check's own slices, with their lengths. */
class TimedSlices implements Slices {
  readonly milliseconds = ownSlices.milliseconds;
  readonly lengths: number[] = [];
  private resumed: number | undefined = ownSlices.now();

  now(): number {
    return ownSlices.now();
  }

  async pause(): Promise<void> {
    this.end();
    await ownSlices.pause();
    this.resumed = this.now();
  }

  end(): void {
    if (this.resumed !== undefined) this.lengths.push(this.now() - this.resumed);
    this.resumed = undefined;
  }
}

function roundsOf(args: readonly string[]): number {
  const at = args.indexOf('--rounds');
  const rounds = at < 0 ? 20 : Number(args[at + 1]);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number of at least 1.');
  return rounds;
}

async function main(): Promise<void> {
  const loop = calibration();
  const rows: readonly Row[] = [...(await measureKeystrokes()), ...measureSolver(rounds), ...(await measureWorkspace())];
  const ratio = (milliseconds: number): string => (milliseconds / loop).toFixed(2);
  console.log(`The calibrated loop takes ${loop.toFixed(2)} ms; ratios are to it.\n`);
  console.log(['what'.padEnd(36), 'p50 ms', 'p95 ms', ' ratio', ' ratio', 'p95 processor ms', 'target ms'].join('  '));
  for (const { what, p50, p95, spent, target } of rows) {
    const figures = [p50.toFixed(2), p95.toFixed(2), ratio(p50), ratio(p95)].map((figure) => figure.padStart(6));
    console.log([what.padEnd(36), ...figures, (spent?.toFixed(2) ?? '').padStart(16), target].join('  '));
  }
}

void main();
