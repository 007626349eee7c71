import type { ExperimentInput } from '../../src/config/schema';
import { laneBatches } from '../../src/data/lanes';
import type { Session } from '../../src/engine/engine';
import { corporaOf, experimentOf, learn, lossOn } from './learningSetup';

/** The mechanisms that choose among experts beside the routers of `routerTrial`, and memory of the window before: small models of each. */

type Model = Partial<ExperimentInput['model']>;
type Train = NonNullable<ExperimentInput['train']>;

export interface Mechanism {
  readonly name: string;
  readonly model: Model;
  /** In how many groups the experts that a parameter is stacked of are chosen; 0 where there are none. */
  readonly groups: (parameter: string) => number;
}

const ofAttention = (name: string) => (/attention\.(value|output)$/.test(name) ? 2 : 0);
const ofLayer = (name: string) => (/\.moe\.experts\.w\d$/.test(name) ? 1 : 0);
const ofTables = (name: string) => (/\.product_keys\.(down|up|values)$/.test(name) ? 1 : 0);

const switchHead: Model['attention'] = { heads: 2, head_width: 16, moe: { experts: 4, top_k: 2 } };
const routedBy = (router: NonNullable<NonNullable<Model['moe']>['router']>): Model => ({
  moe: { kind: 'smoe', every: 1, experts: 8, top_k: 2, expert_width: 16, router },
});
const sigmaMoe: Model = {
  ...routedBy({ score: 'sigmoid', balance: 'entropy', balance_weight: 0.001, expert_dropout: 0.05 }),
  ffn: { width: 32, activation: 'relu' },
};
const retrieved = { experts: 1024, heads: 4, top_k: 8, key_width: 16 };

export const mechanisms: readonly Mechanism[] = [
  { name: 'SwitchHead', model: { attention: switchHead }, groups: ofAttention },
  {
    name: 'SwitchAll',
    model: { ...sigmaMoe, attention: { ...switchHead, position: 'xl' }, norm: 'layer', initialization: 'fan_in' },
    groups: (name) => ofAttention(name) + ofLayer(name),
  },
  { name: 'PEER', model: { product_keys: { kind: 'peer', ...retrieved } }, groups: ofTables },
  { name: 'PKM', model: { product_keys: { kind: 'pkm', ...retrieved } }, groups: ofTables },
  { name: 'dynamic allocation', model: routedBy({ select: 'dynamic', importance: 'entropy' }), groups: ofLayer },
  { name: 'top-p', model: routedBy({ select: 'top_p', top_p: 0.4, entropy_weight: 0.0001 }), groups: ofLayer },
];

const experimentFor = (model: Model, train: Train) =>
  experimentOf({ d_model: 32, layers: 2, context: 32, attention: { heads: 2 }, ffn: { width: 64 }, ...model }, train);

/** Validation loss in nats per byte, and the same when every unit is given another expert than it chose. */
export async function choiceTrial(
  { model, groups }: Mechanism,
  train: Train,
  text: { readonly train: Uint8Array; readonly validation: Uint8Array },
): Promise<{ readonly loss: number; readonly moved: number }> {
  const experiment = experimentFor(model, train);
  const { session } = await learn(experiment, corporaOf(text.train));
  const loss = await lossOn(session, experiment, text.validation);
  if ((await moveExperts(session, groups)) === 0) throw new Error('This model has experts.');
  const moved = await lossOn(session, experiment, text.validation);
  await session.dispose();
  return { loss, moved };
}

/** Validation loss of Transformer-XL in nats per byte, and the same when every window begins anew. */
export async function memoryTrial(train: Train, text: { readonly train: Uint8Array; readonly validation: Uint8Array }) {
  const experiment = experimentFor({ attention: { heads: 2, position: 'xl' } }, train);
  const { session } = await learn(experiment, corporaOf(text.train));
  const loss = await lossOn(session, experiment, text.validation);
  let [nats, scored] = [0, 0];
  for (const batch of laneBatches(text.validation, experiment.model.context)) {
    nats += (await session.evaluate({ ...batch, resets: Int32Array.of(1) })).negativeLogLikelihood;
    scored += batch.targets.filter((target) => target >= 0).length;
  }
  await session.dispose();
  return { loss, forgetting: nats / scored };
}

/** Moves the experts of a trained model round by a third of their group, without their routers. Returns how many tensors that were. */
async function moveExperts(session: Session, groups: (parameter: string) => number): Promise<number> {
  const moved = [];
  for await (const tensor of session.exportState()) {
    const count = tensor.kind === 'parameter' ? groups(tensor.name) : 0;
    if (count === 0) continue;
    const [experts = 0] = tensor.shape;
    const size = experts / count;
    const width = tensor.data.length / experts;
    const data = new Float32Array(tensor.data.length);
    for (let expert = 0; expert < experts; expert++) {
      const place = expert % size;
      const from = expert - place + ((place + Math.ceil(size / 3)) % size);
      data.set(tensor.data.subarray(from * width, (from + 1) * width), expert * width);
    }
    moved.push({ ...tensor, data });
  }
  await session.importState(moved);
  return moved.length;
}
