import type { Case } from './changes';
import { router, withoutHead } from './changes';

export const capacityCases: readonly Case[] = [
  {
    of: 'only-with-capacity',
    changes: router({ capacity_priority: 'position', capacity_in_evaluation: true }),
    says: '[capacity_priority] warning only-with-capacity: `moe.router.capacity_priority: position` and `moe.router.capacity_in_evaluation: true` have no effect, because without `capacity_factor` nothing is dropped; add `capacity_factor`, or remove them.',
  },
  {
    of: 'ample-capacity',
    changes: router({ capacity_factor: 4 }),
    says: '[capacity_factor] warning ample-capacity: `moe.router.capacity_factor: 4` has no effect, because from `experts` / `top_k` = 4 on an expert could take every unit; use less, or remove it.',
  },
  {
    of: 'ample-capacity',
    changes: { ...withoutHead, ...router({ capacity_factor: 3.5, capacity_in_evaluation: true }) },
    says: '[capacity_factor] warning ample-capacity: `moe.router.capacity_factor: 3.5` has no effect, because from the 7 experts of `ablation: iso_mac` / `top_k` = 3.5 on an expert could take every unit; use less, or remove it.',
  },
  {
    of: 'capacity-priority-top-1',
    changes: { ...router({ capacity_factor: 1, capacity_priority: 'position', capacity_in_evaluation: true }), 'model.moe.top_k': 1 },
    says: '[capacity_priority] warning capacity-priority-top-1: `moe.router.capacity_priority: position` has no effect, because with `top_k: 1` every choice is a first one; use a `top_k` of at least 2, or remove it.',
  },
  {
    of: 'evaluation-capacity',
    changes: router({ capacity_factor: 1.25 }),
    says: '[capacity_factor] information evaluation-capacity: `capacity_factor` 1.25 drops units in training and none in evaluation, so what is validated is not quite what is trained (the released code of 2411.16205 drops in both); remove it to drop nowhere, or add `capacity_in_evaluation: true` with `capacity_priority: position`.',
  },
  {
    of: 'evaluation-capacity',
    changes: { ...router({ capacity_factor: 1 }), 'model.moe.top_k': 1 },
    says: '[capacity_factor] information evaluation-capacity: `capacity_factor` 1 drops units in training and none in evaluation, so what is validated is not quite what is trained (the released code of 2411.16205 drops in both); remove it to drop nowhere, or add `capacity_in_evaluation: true`.',
  },
];
