import { activeIsUpperBound } from '../../runs/activeParameters';
import type { RunDescription } from '../../runs/format';
import { runMacsAtMeanK } from '../../runs/runMacsAtMeanK';
import type { RunSummary } from '../../runs/runIndex';
import { sweepProblems, waitingNames } from '../../runs/sweepSummary';
import { notCausalReasons } from './notCausal';
import { perplexityText, stepText } from './runFigures';

/** Markdown for a run's tooltip. `description` is undefined where run.json cannot be read. */
export function runTooltip(run: RunSummary, description: RunDescription | undefined): string {
  const rows: [string, string][] = [['State', stateText(run)]];
  for (const [set, perplexity] of Object.entries(run.validationPerplexity)) {
    rows.push([`Perplexity, ${escapeMarkdown(set)}`, perplexityText(perplexity)]);
  }
  if (run.trainPerplexity !== null) rows.push(['Perplexity, training step', perplexityText(run.trainPerplexity)]);
  if (run.tokensPerSecond !== null) rows.push(['Speed', `${groupDigits(run.tokensPerSecond)} tokens/s`]);
  if (run.meanK !== null) rows.push(['Experts per unit, mean', run.meanK.toFixed(2)]);
  if (run.expertUsage !== null) rows.push(['Retrieved experts used', `${(100 * run.expertUsage).toFixed(1)} %`]);
  if (run.sweep !== null && run.sweep.waiting.length > 0)
    rows.push([run.sweep.goesOn ? 'Then' : 'Waiting', escapeMarkdown(waitingNames(run.sweep))]);
  if (description) rows.push(...descriptionRows(description, run.meanK));
  rows.push(['Started', `${escapeMarkdown(run.createdAt.slice(0, 19).replace('T', ' '))} UTC`]);
  const table = ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
  const failure = run.failure
    ? `\n\n**Failed at step ${run.failure.step}:** ${escapeMarkdown(run.failure.message)}\n\n${escapeMarkdown(run.failure.advice)}`
    : '';
  const alarms = run.alarms.map(({ message }) => `\n\n**Alarm:** ${escapeMarkdown(message)}`).join('');
  const sweep = (run.sweep === null ? [] : sweepProblems(run.sweep)).map((problem) => `\n\n**Sweep:** ${escapeMarkdown(problem)}`).join('');
  return `**${escapeMarkdown(run.name)}**\n\n${table}${failure}${sweep}${alarms}`;
}

function stateText(run: RunSummary): string {
  const where = run.remote ? ` on ${escapeMarkdown(run.host)}` : '';
  const state = run.state === 'lost' ? 'lost: its process ended without a word; it can be resumed' : run.state;
  return `${state}${where}, ${stepText(run)}`;
}

function descriptionRows(description: RunDescription, meanK: number | null): [string, string][] {
  const { parameters, macsPerToken, engine, configFile } = description;
  const measured = runMacsAtMeanK(description, meanK);
  const bound = activeIsUpperBound(description) ? '≤ ' : '';
  const notCausal = notCausalReasons(description);
  return [
    ...notCausal.map((reason): [string, string] => ['**Not causal**', escapeMarkdown(reason.replace(/^Not causal: /, ''))]),
    ['Parameters', `${groupDigits(parameters.total)} (${bound}${groupDigits(parameters.active)} active)`],
    ['MACs per token', groupDigits(macsPerToken)],
    ...(measured === null ? [] : [['MACs per token at that mean', groupDigits(measured)] satisfies [string, string]]),
    ['Device', escapeMarkdown(engine.device)],
    ['Config', escapeMarkdown(configFile)],
  ];
}

function groupDigits(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** Names and messages are text, not markup: they come from files. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&]/g, '\\$&').replace(/\s+/g, ' ');
}
