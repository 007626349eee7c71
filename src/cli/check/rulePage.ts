import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The page of a rule, in Markdown; undefined where the package has none. */
export function rulePage(code: string): string | undefined {
  const folder = pagesFolder();
  const file = folder && join(folder, `${code}.md`);
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Above the bundle, or above this source. */
function pagesFolder(): string | undefined {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const pages = join(folder, 'media', 'rules');
    if (existsSync(pages)) return pages;
    if (dirname(folder) === folder) return undefined;
  }
}
