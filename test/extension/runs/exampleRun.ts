import type { RunSummary } from '../../../src/runs/runIndex';

/** A run in the middle of its training, with what a test wants different. */
export function exampleRun(different: Partial<RunSummary> = {}): RunSummary {
  return {
    directory: '/projects/.moe-lab/runs/20260101-120000-smoe-abcd',
    id: '20260101-120000-smoe-abcd',
    name: 'SMoE',
    createdAt: '2026-01-01T12:00:00.000Z',
    state: 'running',
    step: 120,
    totalSteps: 300,
    failure: null,
    alarms: [],
    host: 'here',
    remote: false,
    trainPerplexity: 8.5,
    validationPerplexity: { prose: 7.421 },
    tokensPerSecond: 15_500,
    varyingK: false,
    meanK: null,
    expertUsage: null,
    causality: { causal: true, reasons: [] },
    sweep: null,
    follows: null,
    ...different,
  };
}
