import type { DeviceTask } from './deviceTasks';
import { DeviceCopy } from '../../../src/engine/onnx/deviceCopy';
import { loadRuntime } from '../../../src/engine/onnx/runtime';
import { countCopies, countLiveTensors, runTraining, runValues } from './deviceTasks';

/** Runs WebGPU tasks in a process of its own: a fault of the provider ends the process it is in. */
process.on('message', (task: DeviceTask) => {
  run(task).then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

let keptOpen: Promise<DeviceCopy> | undefined;

async function run(task: DeviceTask): Promise<unknown> {
  // While some session is open the provider keeps its compiled shaders, which a software GPU takes long to make.
  keptOpen ??= loadRuntime().then((runtime) => DeviceCopy.create(runtime));
  await keptOpen;
  if (task.kind === 'copies') return countCopies(task);
  if (task.kind === 'liveTensors') return countLiveTensors(task);
  return task.kind === 'values' ? runValues('webgpu', task) : runTraining('webgpu', task);
}

process.on('disconnect', () => process.exit(0));
