import type { RunDescription } from '../../runs/format';

export interface DebugFacts {
  /** Name and value, in order. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** Per device, what each Node that could train on it said; undefined where nothing may be tried, in an untrusted workspace. */
  readonly devices: Readonly<Record<string, RunDescription['launch']>> | undefined;
}

/** What a bug report needs, as Markdown. */
export function debugReport({ facts, devices }: DebugFacts): string {
  const lines = ['## MoE Lab', '', ...facts.map(([name, value]) => `- ${name}: ${value}`), '', '### Devices', ''];
  if (devices === undefined) lines.push('Not tried: the workspace is not trusted.');
  for (const [device, rungs] of Object.entries(devices ?? {})) {
    lines.push(`- ${device}: ${rungs.some(({ chosen }) => chosen) ? 'available' : 'not available'}`);
    lines.push(
      ...rungs.map(
        ({ rung, executable, chosen, reason }) => `  - ${chosen ? 'taken' : 'not taken'}: ${rung}, ${executable}: ${oneLine(reason)}`,
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
