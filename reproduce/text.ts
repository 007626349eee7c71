import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textEntropy, type TextEntropy } from './entropy';
import { Problem } from './problem';
import { writeWhereNew } from './writeWhereNew';

/** A text of the reproduction, as its file `text/<name>.txt` in the reproduction's folder. */
export interface PreparedText {
  /** Relative to the reproduction's folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly entropy: TextEntropy;
}

export interface PreparedTexts {
  readonly train: PreparedText;
  /** Chooses the learning rates, and nothing else. */
  readonly tuning: PreparedText;
  readonly validation: Readonly<Record<string, PreparedText>>;
  /** Sets that the data folder lacks, and what was looked for. */
  readonly missing: readonly string[];
}

/** Documents of RedPajama by their number: two in ten are held out whole, so that no paper is both trained and validated on. */
const VALIDATION_DIGIT = 3;
const TUNING_DIGIT = 4;

/**
 * Makes the texts from a folder that has `redpajama/*.jsonl` (objects with `text`, RedPajama's form) and, if it is there, `c4/*.jsonl` of
 * the same form and `wikitext-2/valid.txt`. Validation texts are cut to `validationBytes`. Throws Problem where RedPajama is missing.
 */
export async function prepareTexts(data: string, folder: string, validationBytes: number): Promise<PreparedTexts> {
  await mkdir(join(folder, 'text'), { recursive: true });
  const write = async (name: string, text: string): Promise<PreparedText> => {
    const file = join('text', `${name}.txt`);
    await writeWhereNew(join(folder, file), text);
    const bytes = Buffer.from(text);
    return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), entropy: textEntropy(bytes) };
  };
  const papers = await documents(join(data, 'redpajama'));
  const digit = (wanted: number) => papers.filter((_, index) => index % 10 === wanted);
  const training = papers.filter((_, index) => index % 10 !== VALIDATION_DIGIT && index % 10 !== TUNING_DIGIT);
  if (training.length === 0 || digit(TUNING_DIGIT).length === 0) {
    throw new Problem(
      `${join(data, 'redpajama')} has no *.jsonl with five or more documents {"text": ...}. Name the folder above it with --data.`,
    );
  }
  const web = await documents(join(data, 'c4'));
  const wiki = await readFile(join(data, 'wikitext-2', 'valid.txt'), 'utf8').catch(() => undefined);
  const validation: Record<string, PreparedText> = {
    RedPajama: await write('redpajama-validation', cut(joined(digit(VALIDATION_DIGIT)), validationBytes)),
  };
  if (wiki !== undefined) validation['Wiki'] = await write('wikitext-2', cut(wiki, validationBytes));
  if (web.length > 0) validation['C4'] = await write('c4', cut(joined(web), validationBytes));
  return {
    train: await write('redpajama-train', joined(training)),
    tuning: await write('redpajama-tuning', cut(joined(digit(TUNING_DIGIT)), validationBytes)),
    validation,
    missing: [
      ...(wiki === undefined ? [`Wiki (${join(data, 'wikitext-2', 'valid.txt')})`] : []),
      ...(web.length === 0 ? [`C4 (${join(data, 'c4', '*.jsonl')})`] : []),
    ],
  };
}

/** The texts of all *.jsonl files of a folder, in the order of their names; none where there is no such folder. */
async function documents(folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.jsonl')).sort();
  const texts: string[] = [];
  for (const name of names) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      if (line.trim() === '') continue;
      const { text }: { text?: unknown } = JSON.parse(line);
      if (typeof text === 'string') texts.push(text);
    }
  }
  return texts;
}

function joined(texts: readonly string[]): string {
  return texts.join('\n\n');
}

/** At most so many bytes of UTF-8, without half a character at the end. */
function cut(text: string, bytes: number): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  let end = bytes;
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end--;
  return all.subarray(0, end).toString('utf8');
}
