import type { DeviceTask } from './deviceTasks';
import { runTraining, runValues } from './deviceTasks';

/** Runs WebGPU tasks in a process of its own: a fault of the provider ends the process it is in. */
process.on('message', (task: DeviceTask) => {
  const result = task.kind === 'values' ? runValues('webgpu', task) : runTraining('webgpu', task);
  result.then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
