import { describeConformance } from './conformance';
import { runTraining, runValues } from './support/deviceTasks';

describeConformance(() => ({
  device: 'cpu',
  values: (task) => runValues('cpu', task),
  train: (task) => runTraining('cpu', task),
}));
