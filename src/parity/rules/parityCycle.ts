import { dirname, relative, resolve } from 'node:path';
import { atKey, type PathFinding } from '../../config/pathFinding';
import type { ParityInput } from './parityRule';

const code = 'parity-cycle';

/** A baseline that is compared with what is compared with it: then nobody is the baseline. */
export const parityCycle = {
  code,
  severity: 'warning',
  summary: 'configs name each other, or themselves, as their baseline',
  check(input: ParityInput): PathFinding[] {
    const circle = circleOf(input);
    if (circle === undefined) return [];
    const folder = dirname(input.loaded.file);
    // As one would write them here: configs of two folders may have one name.
    const names = [...circle, ...circle.slice(0, 1)].map((file) => relative(folder, file).replaceAll('\\', '/'));
    const message =
      circle.length === 1
        ? 'This config is its own baseline, so that every residual is zero; name another config, or remove `parity`.'
        : `\`parity\` goes round in a circle, ${names.join(' -> ')}, so that none of them is the baseline of the others; remove \`parity\` from the one that is.`;
    return [
      {
        spots: [atKey('parity')],
        severity: 'warning',
        code,
        message,
        remedies: [{ title: 'Remove `parity`', changes: [{ kind: 'remove', path: ['parity'] }] }],
      },
    ];
  },
} as const;

/** The files of the circle that this config is in, itself first; undefined where it is in none, though its baseline may be. */
function circleOf({ loaded: { file, experiment }, baseline, baselineOf }: ParityInput): readonly string[] | undefined {
  const visited: string[] = [];
  let next = named(file, experiment?.parity);
  while (next !== undefined && next !== file) {
    if (visited.includes(next)) return undefined;
    visited.push(next);
    next = baseline?.file === next ? named(next, baseline.experiment.parity) : baselineOf?.(next);
  }
  return next === undefined ? undefined : [file, ...visited];
}

function named(file: string, parity: string | undefined): string | undefined {
  return parity === undefined ? undefined : resolve(dirname(file), parity);
}
