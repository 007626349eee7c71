import { readFile, writeFile } from 'node:fs/promises';
import { Problem } from './problem';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Replaces what stands between the two markers of `name` in a document. */
export async function replaceSection(file: string, name: string, content: string): Promise<void> {
  const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
  const text = await readFile(file, 'utf8').catch(() => '');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Problem(`${file} has no lines ${begin} and ${end}: add them where the results belong.`);
  await writeFile(file, `${text.slice(0, from + begin.length)}\n\n${content.trim()}\n\n${text.slice(to)}`);
}
