import { ruleSentence } from '../../config/ruleCodes';
import { ruleList } from '../ruleList';
import type { TypedPlace } from '../place';
import { completion, type Completion } from './completion';

const advisory = ruleList.filter((rule) => rule.advisory);

/** Codes as keys of `lint:`; only those whose severity can be set. */
export function lintCompletions(place: TypedPlace): readonly Completion[] {
  return advisory
    .filter(({ code }) => !place.siblings.has(code))
    .map((rule) =>
      completion(rule.code, 'rule', place.range, {
        insertText: place.hasColon ? rule.code : `${rule.code}: `,
        detail: rule.severity,
        documentation: ruleSentence(rule),
        asksOn: !place.hasColon,
      }),
    );
}

const forms = [
  ['moe-lab-disable-line', 'Suppress findings of rules on this line, and say why.'],
  ['moe-lab-disable-next-line', 'Suppress findings of rules on the next line, and say why.'],
  ['moe-lab-disable', 'Suppress findings of rules in the whole file, and say why.'],
] as const;

/** In a comment: how a suppression begins, then the codes that it may name. */
export function suppressionCompletions(place: TypedPlace): readonly Completion[] {
  const [, lead = '', begun = ''] = /^(#\s*)(\S*)$/.exec(place.typed) ?? [];
  const { start, end } = place.range;
  const from = (length: number) => ({ start: { ...start, character: start.character + length }, end });
  if (lead !== '' && 'moe-lab-disable-next-line'.startsWith(begun.slice(0, 'moe-lab'.length)) && begun !== 'moe-lab') {
    return forms.map(([form, documentation], index) =>
      completion(form, 'comment', from(lead.length), {
        insertText: `${form} `,
        documentation,
        sortText: String(index),
        asksOn: true,
      }),
    );
  }
  const codes = /^(#\s*moe-lab-disable(?:-next-line|-line)?\s+)((?:[\w-]+\s*,\s*)*)([\w-]*)$/.exec(place.typed);
  if (codes === null) return [];
  const [, head = '', before = ''] = codes;
  const named = new Set(before.split(/\s*,\s*/));
  const hasReason = / -- /.test(place.typed);
  // What stands behind the word stays: a reason that is there already.
  const word = { start: from(head.length + before.length).start, end: { ...start, character: start.character + place.typed.length } };
  return advisory
    .filter(({ code }) => !named.has(code))
    .map((rule) =>
      completion(rule.code, 'rule', word, {
        insertText: hasReason || place.range.end.character > word.end.character ? rule.code : `${rule.code} -- \${0:reason}`,
        isSnippet: !hasReason && place.range.end.character <= word.end.character,
        detail: rule.severity,
        documentation: ruleSentence(rule),
      }),
    );
}
