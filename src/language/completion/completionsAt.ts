import { describeKey } from '../../config/describeKey';
import { pathOfSweptKey } from '../../config/sweep';
import type { KeyPath } from '../../config/yamlTree';
import type { TypedPlace } from '../place';
import { typedPlace } from '../typedPlace';
import { verbatim, type Completion, type CompletionRequest, type CompletionSources } from './completion';
import { fileCompletions, type WantedFiles } from './files';
import { keyCompletions } from './keys';
import { isEmptyConfig, presetCompletions } from './presets';
import { lintCompletions, suppressionCompletions } from './rules';
import { sweepCompletions } from './sweepKeys';
import { valueCompletions } from './values';

/**
 * What can stand at a place, also where the text is no YAML yet. Beside the YAML extension only what its schema cannot know: files,
 * published models, codes of rules, keys of sweeps. Never throws.
 */
export function completionsAt(request: CompletionRequest, sources: CompletionSources): readonly Completion[] {
  const place = typedPlace(request.text, request.position);
  if (place === undefined) return [];
  if (place.side === 'comment') return suppressionCompletions(place);
  const [top] = place.path;
  const beyondSchema = top === 'lint' ? inLint(place, request) : top === 'sweep' ? inSweep(place) : inFiles(place, request, sources);
  const bySchema = request.beside === 'yaml' || top === 'sweep' ? [] : fromSchema(place, request.text);
  const whole = place.path.length === 0 && isEmptyConfig(request.text) ? presetCompletions(place, sources.presets()) : [];
  return [...beyondSchema, ...bySchema, ...whole];
}

function fromSchema(place: TypedPlace, text: string): readonly Completion[] {
  if (place.side === 'value') return valueCompletions(place, place.path);
  const keys = keyCompletions(place);
  return place.flow && !place.hasColon && hasKeyBehind(text, place) ? keys.map(withComma) : keys;
}

/** Whether the next entry of the brackets follows, on this line or a later one, without a comma before it. */
function hasKeyBehind(text: string, { range: { end } }: TypedPlace): boolean {
  const lines = text.split(/\r\n|\n|\r/).slice(end.line);
  const behind = [(lines[0] ?? '').slice(end.character), ...lines.slice(1)].map((line) => line.replace(/(?:^|\s)#.*$/, '').trim());
  return /^[^,}\]]/.test(behind.find((line) => line !== '') ?? '');
}

/** A comma behind the value, which is still to be typed. */
function withComma(key: Completion): Completion {
  return { ...key, insertText: `${key.isSnippet ? key.insertText : `${verbatim(key.insertText)}$0`}, `, isSnippet: true };
}

/** Codes, which the published schema has too. */
function inLint(place: TypedPlace, { beside }: CompletionRequest): readonly Completion[] {
  return beside === 'alone' && place.side === 'key' && place.path.length === 1 ? lintCompletions(place) : [];
}

/** Keys, and values of a key that is swept. */
function inSweep(place: TypedPlace): readonly Completion[] {
  const [, first, second] = place.path;
  if (place.side === 'key') return place.path.length === 1 || typeof first === 'number' ? sweepCompletions(place) : [];
  // `- ` alone: a member begins.
  if (typeof first === 'number' && second === undefined) return sweepCompletions(place);
  const swept = typeof first === 'number' ? second : first;
  const path = typeof swept === 'string' ? pathOfSweptKey(swept) : undefined;
  return path === undefined ? [] : valueCompletions(place, path);
}

function inFiles(place: TypedPlace, request: CompletionRequest, sources: CompletionSources): readonly Completion[] {
  const wanted = place.side === 'value' ? filesOf(place.path) : undefined;
  return wanted === undefined ? [] : fileCompletions(place, wanted, request, sources);
}

/** Which keys name files: `data.train` and each set of `data.validation` are lists of them. */
function filesOf(path: KeyPath): WantedFiles | undefined {
  const [top, key] = path;
  if (path.length === 1 && (top === 'extends' || top === 'parity')) return 'configs';
  if (top !== 'data' || (key !== 'train' && key !== 'validation')) return undefined;
  const isEntry = typeof path.at(-1) === 'number' && describeKey(path) !== undefined;
  return isEntry ? 'texts' : undefined;
}
