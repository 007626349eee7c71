import { performance } from 'node:perf_hooks';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../src/config/loadConfig';
import { countModel } from '../src/models/count';
import { buildLanguageModel } from '../src/models/languageModel';

/** The configs of 2411.16205 at full size, which the count's tests use as well. */
const folder = join(process.cwd(), 'test', 'fixtures', 'tables-1-and-2');

export interface Counting {
  readonly name: string;
  /** Text to figures: parse, build the program, count it. Median, warm. */
  readonly milliseconds: number;
}

/** How long a keystroke's count takes: what the hint above `model:` costs. */
export function measureCounting(rounds: number): Counting[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.moe.yaml'));
  const times = files.map((): number[] => []);
  for (let round = 0; round < rounds + 2; round++) {
    files.forEach((name, index) => {
      const start = performance.now();
      const { experiment } = loadConfig(join(folder, name), (file) => readFileSync(file, 'utf8'));
      if (experiment === undefined) throw new Error(`${name} has errors.`);
      countModel(buildLanguageModel(experiment), experiment.model);
      if (round >= 2) times[index]?.push(performance.now() - start);
    });
  }
  return files.map((name, index) => {
    const sorted = [...(times[index] ?? [])].sort((a, b) => a - b);
    return { name: name.replace('.moe.yaml', ''), milliseconds: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
  });
}
