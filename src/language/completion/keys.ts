import { describeKey, type KeyDescription } from '../../config/describeKey';
import { keyText } from '../hover';
import type { TypedPlace } from '../place';
import { completion, verbatim, type Completion } from './completion';

/** Keys of the mapping that is typed in, those that must be there first. Of one that is there already, none. */
export function keyCompletions(place: TypedPlace): readonly Completion[] {
  const parent = describeKey(place.path);
  return (parent?.keys ?? []).flatMap((key, index): Completion[] => {
    const description = describeKey([...place.path, key]);
    if (description === undefined || place.siblings.has(key)) return [];
    const isSection = description.keys.length > 0;
    const rank = description.required ? '0' : isSection ? '2' : '1';
    return [
      completion(key, isSection ? 'section' : 'key', place.range, {
        ...inserted(key, description, place),
        detail: description.required ? 'required' : isSection ? 'section' : defaultText(description),
        documentation: keyText(description),
        sortText: `${rank}${String(index).padStart(3, '0')}`,
      }),
    ];
  });
}

function defaultText({ default: preset, type }: KeyDescription): string {
  return preset === undefined ? type : `${type}; default ${JSON.stringify(preset)}`;
}

/** Keys whose value is one of a few words, or that names a file. */
function asksForWord({ choices, type, path }: KeyDescription): boolean {
  return choices.length > 0 || type === 'true or false' || path === 'extends' || path === 'parity';
}

function inserted(key: string, description: KeyDescription, place: TypedPlace): Partial<Completion> {
  const { keys, type } = description;
  if (place.hasColon) return { insertText: key };
  if (keys.length > 0) return { insertText: sectionSnippet(key, description, place), isSnippet: true };
  if (type.startsWith('a list')) return { insertText: `${key}: [$0]`, isSnippet: true, asksOn: true };
  if (type.startsWith('a mapping')) return { insertText: place.flow ? `${key}: { $0 }` : `${key}:\n  $0`, isSnippet: true, asksOn: true };
  return { insertText: `${key}: `, asksOn: asksForWord(description) };
}

/** A section with what must stand in it, as deep as that goes, and places to fill it in. */
function sectionSnippet(key: string, description: KeyDescription, { flow, path }: TypedPlace): string {
  let stop = 0;
  const filled = (name: string, inner: KeyDescription, at: readonly (string | number)[], indent: string): string => {
    const needed = inner.keys.flatMap((child) => {
      const known = describeKey([...at, child]);
      return known?.required ? [{ child, known }] : [];
    });
    if (inner.keys.length === 0) return `${name}: ${valueStop(inner)}`;
    const entries = needed.map(({ child, known }) => filled(child, known, [...at, child], `${indent}  `));
    if (flow) return `${name}: { ${entries.length === 0 ? '$0' : entries.join(', ')} \\}`;
    const lines = entries.length === 0 ? ['$0'] : entries;
    return `${name}:\n${lines.map((line) => `${indent}  ${line}`).join('\n')}`;
  };
  const valueStop = ({ choices, type }: KeyDescription): string => {
    stop += 1;
    if (choices.length > 0) return `\${${stop}|${choices.join(',')}|}`;
    return type.startsWith('a list') ? `[\${${stop}}]` : `\${${stop}}`;
  };
  return filled(verbatim(key), description, [...path, key], '');
}
