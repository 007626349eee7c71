import { atValue } from '../pathFinding';
import type { Rule } from './rule';
import { withoutEffect } from './withoutEffect';

export const deviationOfFanIn: Rule = {
  code: 'initial-std-fan-in',
  severity: 'warning',
  summary: '`initial_std` is set, but `initialization: fan_in` does not use it',
  check(input) {
    if (input.experiment.model.initialization !== 'fan_in') return undefined;
    return withoutEffect(input, ['model'], ['initial_std'], {
      why: '`initialization: fan_in` draws every matrix by the number of its inputs',
      instead: 'use `initialization: gpt2`',
      elsewhere: [atValue('model', 'initialization')],
    });
  },
};
