import { basename, dirname, resolve } from 'node:path';
import type { TypedPlace } from '../place';
import { completion, type Completion, type CompletionRequest, type CompletionSources, type FolderEntry } from './completion';

/** What of a folder a key takes. */
export type WantedFiles = 'configs' | 'texts';

const configEnding = '.moe.yaml';

/** Files for a path that is typed, folder by folder; relative to the config, with `/` everywhere. Of texts all of a kind, too. */
export function fileCompletions(
  place: TypedPlace,
  wanted: WantedFiles,
  { file }: Pick<CompletionRequest, 'file'>,
  sources: Pick<CompletionSources, 'listFolder'>,
): readonly Completion[] {
  const quote = /^["']/.exec(place.typed)?.[0] ?? '';
  const typed = place.typed.slice(quote.length);
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  const entries = sources.listFolder(resolve(dirname(file), folder)).filter(({ name }) => !name.startsWith('.') && name !== 'node_modules');
  const files = entries.filter((entry) => suits(entry, wanted) && !(folder === '' && entry.name === basename(file)));
  const paths = [
    ...files.map(({ name }) => ({ path: `${folder}${name}`, kind: 'file' as const, rank: '1' })),
    ...(wanted === 'texts' ? patterns(files, folder) : []),
    ...entries.filter(({ isFolder }) => isFolder).map(({ name }) => ({ path: `${folder}${name}/`, kind: 'folder' as const, rank: '2' })),
  ];
  return paths.map(({ path, kind, rank }) =>
    completion(path, kind, place.range, {
      insertText: `${place.needsSpace ? ' ' : ''}${written(path, quote, place.flow)}`,
      // The typed text has the quote in it.
      filterText: `${quote}${path}`,
      sortText: `${rank}${path}`,
      asksOn: kind === 'folder',
    }),
  );
}

function suits({ name, isFolder }: FolderEntry, wanted: WantedFiles): boolean {
  if (isFolder) return false;
  return wanted === 'configs' ? name.endsWith(configEnding) : !name.endsWith(configEnding);
}

/** `corpus/*.txt` where a folder has several texts. */
function patterns(files: readonly FolderEntry[], folder: string): { path: string; kind: 'file'; rank: string }[] {
  const endings = files.map(({ name }) => /\.[^.]+$/.exec(name)?.[0]).filter((ending) => ending !== undefined);
  const several = [...new Set(endings)].filter((ending) => endings.filter((other) => other === ending).length > 1);
  return several.map((ending) => ({ path: `${folder}*${ending}`, kind: 'file', rank: '0' }));
}

/** With quotes where YAML needs them: `*` begins an alias, ` #` a comment, and in brackets a comma ends an entry. */
function written(path: string, quote: string, flow: boolean): string {
  const needsQuotes = /^[\s*&!|>%@`{}[\],#?'"-]|: | #|\s$/.test(path) || (flow && /[,[\]{}]/.test(path));
  const mark = quote || (needsQuotes ? '"' : '');
  return `${mark}${mark === '"' ? path.replace(/["\\]/g, '\\$&') : mark === "'" ? path.replaceAll("'", "''") : path}${mark}`;
}
