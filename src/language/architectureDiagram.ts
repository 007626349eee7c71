import { nodeCosts } from '../graph/cost';
import { elementCount, type Shape } from '../graph/dimensions';
import type { Parameter, ProgramNode } from '../graph/program';
import { repeatsOf, type ProgramOutline } from '../models/outline';
import { formatAmount } from '../parity/formatCount';
import { repeatedGroups } from './repeatedGroups';

/** What a block of a model costs: trained elements, and multiply-adds per token, forward. */
export interface BlockCost {
  readonly parameters: number;
  readonly macsPerToken: number;
}

export type BlockKind = 'embedding' | 'attention' | 'dense' | 'routed' | 'retrieval' | 'output';

/** Something in a block that costs: the router, the experts, the head layer. */
export interface DiagramPart extends BlockCost {
  readonly title: string;
  /** Widths and numbers, as the program has them: `40 × (384 → 768)`. */
  readonly size: string;
}

export interface DiagramBlock extends BlockCost {
  readonly kind: BlockKind;
  readonly title: string;
  /** What it is, in a few words: `12 heads of 64`. */
  readonly size: string;
  /** In the order in which a token passes them; empty where the block is one thing. */
  readonly parts: readonly DiagramPart[];
}

/** Layers that come one after the other `times` times, drawn once. */
export interface DiagramGroup {
  readonly times: number;
  readonly layers: readonly DiagramLayer[];
}

export interface DiagramLayer {
  /** Numbers of the layers that it stands for, from 0. */
  readonly indices: readonly number[];
  readonly blocks: readonly DiagramBlock[];
}

/** A model as a picture shows it, from its program alone. */
export interface ArchitectureDiagram {
  readonly input: DiagramBlock;
  readonly groups: readonly DiagramGroup[];
  readonly output: DiagramBlock;
  readonly total: BlockCost;
  /** The same in words, for those who do not see it. */
  readonly description: string;
}

/** Of a program, or of its outline, which costs less. `context`: tokens of a window; what attention costs depends on it. */
export function architectureDiagram(program: ProgramOutline, context: number): ArchitectureDiagram {
  const reader = new ProgramReader(program, context);
  const layers = reader.layers().map((blocks, index) => ({ blocks, index }));
  // Layers that one stands for have the same blocks: each kind is written once.
  const names = new Map([...new Set(layers.map(({ blocks }) => blocks))].map((blocks) => [blocks, JSON.stringify(blocks)]));
  const groups = repeatedGroups(layers, ({ blocks }) => names.get(blocks) ?? '').map(({ times, items }) => ({
    times,
    layers: items.map((same) => ({ indices: same.map(({ index }) => index), blocks: same[0]?.blocks ?? [] })),
  }));
  const [input, output] = [reader.input(), reader.output()];
  const total = reader.total();
  return { input, groups, output, total, description: descriptionOf({ input, groups, output, total }) };
}

/** A node with MACs, under the scope that it has in the layer that is looked at. */
interface CostlyNode {
  readonly node: ProgramNode;
  readonly scope: string;
}

class ProgramReader {
  private readonly macs: ReadonlyMap<ProgramNode, number>;
  private readonly nodesOf = new Map<string, ProgramNode[]>();
  private readonly parametersOf = new Map<string, Parameter[]>();

  constructor(
    private readonly program: ProgramOutline,
    context: number,
  ) {
    this.macs = new Map(
      nodeCosts(program, { batch: 1, time: context }).flatMap(({ node, macs }) => (macs === 0 ? [] : [[node, macs / context]])),
    );
    for (const node of this.macs.keys()) push(this.nodesOf, blockOf(node.scope), node);
    for (const parameter of program.parameters) push(this.parametersOf, blockOf(parameter.name), parameter);
  }

  layers(): DiagramBlock[][] {
    const layers: string[][] = [];
    for (const scope of this.parametersOf.keys()) {
      if (scope.startsWith('layers.')) (layers[Number(scope.split('.')[1])] ??= []).push(scope);
    }
    const { standIns } = this.program;
    const drawn = new Map<number, DiagramBlock[]>();
    return layers.map((scopes, index) => {
      const standIn = standIns?.[index] ?? index;
      const blocks =
        drawn.get(standIn) ?? scopes.map((scope) => this.block(scope, standIn)).toSorted((one, other) => orderOf(one) - orderOf(other));
      drawn.set(standIn, blocks);
      return blocks;
    });
  }

  input(): DiagramBlock {
    const parameters = this.parametersOf.get('embedding') ?? [];
    const [rows = 0, width = 0] = parameters[0]?.shape ?? [];
    return {
      kind: 'embedding',
      title: 'Token embedding',
      size: `${digits(rows)} tokens, ${digits(width)} wide`,
      ...this.cost(parameters, []),
      parts: [],
    };
  }

  output(): DiagramBlock {
    const own = this.parametersOf.get('output') ?? [];
    const parameters = [...own, ...(this.parametersOf.get('norm') ?? [])];
    const nodes = this.nodesIn('logits', 'logits');
    const size = own.length === 0 ? 'by the embedding' : 'by a matrix of its own';
    return { kind: 'output', title: 'Norm and logits', size, ...this.cost(parameters, nodes), parts: [] };
  }

  total(): BlockCost {
    const repeats = repeatsOf(this.program);
    const macsPerToken = [...this.macs].reduce((sum, [node, macs]) => sum + macs * repeats(node.scope), 0);
    return { ...this.cost(this.program.parameters, []), macsPerToken };
  }

  /** The nodes of a block, under the block's own scope also where those of another layer stand for them. */
  private nodesIn(scope: string, where: string): CostlyNode[] {
    return (this.nodesOf.get(where) ?? []).map((node) => ({ node, scope: `${scope}${node.scope.slice(where.length)}` }));
  }

  private block(scope: string, standIn: number): DiagramBlock {
    const parameters = this.parametersOf.get(scope) ?? [];
    const kind = scope.split('.')[2] ?? '';
    const nodes = this.nodesIn(scope, `layers.${standIn}.${kind}`);
    const cost = this.cost(parameters, nodes);
    if (kind === 'attention') return { kind: 'attention', ...this.attention(scope, nodes), ...cost };
    if (kind === 'moe') return { kind: 'routed', ...this.routed(scope, nodes), ...cost };
    if (kind === 'product_keys') return { kind: 'retrieval', ...this.retrieval(scope, nodes), ...cost };
    return { kind: 'dense', title: 'Feed-forward', size: this.matrices(parameters), parts: [], ...cost };
  }

  private attention(scope: string, nodes: readonly CostlyNode[]): Pick<DiagramBlock, 'title' | 'size' | 'parts'> {
    const core = nodes.map(({ node }) => node).find(({ op }) => op === 'attention' || op === 'relativeAttention');
    const [, heads = 0, , width = 0] = core === undefined ? [] : this.shapeOf(core.inputs[0]);
    const causal = core?.op !== 'attention' || core.attributes.causal;
    const shared = this.sharedKeys(scope, Number(heads) * Number(width), Number(width));
    const routed = this.program.routedLayers.filter(({ name }) => name.startsWith(`${scope}.`));
    const positions = core?.op === 'relativeAttention' ? ', relative positions' : '';
    const size = `${digits(heads)} ${heads === 1 ? 'head' : 'heads'} of ${digits(width)}${shared}${positions}`;
    const [first] = routed;
    if (first === undefined) return { title: causal ? 'Attention' : 'Attention to both sides', size, parts: [] };
    return {
      title: 'SwitchHead attention',
      size,
      parts: [
        this.part('Selection', routed.length === 1 ? 'one side' : 'both sides', scope, nodes, (name) => name.includes('.router')),
        this.part(
          'Experts',
          `${digits(first.experts / Number(heads))} a head, top ${first.k}`,
          scope,
          nodes,
          (name, node) => node?.op === 'expertMatmul' || (this.shapeOfParameter(name)?.length ?? 0) === 3,
        ),
      ],
    };
  }

  /** Grouped-query attention: keys narrower than queries. */
  private sharedKeys(scope: string, queries: number, width: number): string {
    const key = this.shapeOfParameter(`${scope}.key`);
    const keys = key?.length === 2 ? (key[1] ?? queries) : queries;
    return keys === queries || width === 0 ? '' : `, ${digits(keys / width)} for keys and values`;
  }

  private routed(scope: string, nodes: readonly CostlyNode[]): Pick<DiagramBlock, 'title' | 'size' | 'parts'> {
    const layer = this.program.routedLayers.find(({ name }) => name === scope || name.startsWith(`${scope}.`));
    const units = layer?.unitsPerToken ?? 1;
    const k = layer === undefined ? '' : layer.taken === null ? `top ${layer.k}` : `up to ${layer.k}`;
    const unit = units === 1 ? '' : ` of each of ${units} sub-tokens`;
    const below = (part: string) => (name: string) => name.startsWith(`${scope}.${part}`);
    const experts = this.shapeOfParameter(`${scope}.experts.w1`) ?? [];
    const shared = this.shapeOfParameter(`${scope}.shared.w1`);
    const square = (part: string): string => (this.shapeOfParameter(`${scope}.${part}.weight`) ?? []).map(digits).join(' × ');
    const parts = [
      this.part('Head layer', square('head'), scope, nodes, below('head')),
      this.part('Router', `${digits(experts[1] ?? 0)} → ${digits(experts[0] ?? 0)}`, scope, nodes, below('router')),
      this.part(
        'Experts',
        `${digits(experts[0] ?? 0)} × (${digits(experts[1] ?? 0)} → ${digits(experts[2] ?? 0)}), ${k}${unit}`,
        scope,
        nodes,
        below('experts'),
      ),
      this.part('Merge layer', square('merge'), scope, nodes, below('merge')),
      this.part('Shared expert', shared === undefined ? '' : `${digits(shared[1] ?? 0)} wide`, scope, nodes, below('shared')),
    ];
    return {
      title: units === 1 ? 'Mixture of experts' : 'Multi-head mixture of experts',
      size: `${digits(experts[0] ?? 0)} experts, ${k}${unit}`,
      parts: parts.filter(({ parameters, macsPerToken }) => parameters + macsPerToken > 0),
    };
  }

  private retrieval(scope: string, nodes: readonly CostlyNode[]): Pick<DiagramBlock, 'title' | 'size' | 'parts'> {
    const layer = this.program.retrievals.find(({ name }) => name === scope);
    const size = layer === undefined ? '' : `${digits(layer.experts)}, ${digits(layer.k)} for a token`;
    const router = (name: string): boolean => name.startsWith(`${scope}.router`);
    return {
      title: 'Retrieval by product keys',
      size,
      parts: [
        this.part('Queries and keys', '', scope, nodes, router),
        this.part(this.shapeOfParameter(`${scope}.down`) ? 'Experts of one neuron' : 'Values', size, scope, nodes, (name) => !router(name)),
      ],
    };
  }

  /** Costs of the nodes and parameters of a block that are the part's, by scope or name. Norms are no part's. */
  private part(
    title: string,
    size: string,
    scope: string,
    nodes: readonly CostlyNode[],
    belongs: (name: string, node: ProgramNode | undefined) => boolean,
  ): DiagramPart {
    const parameters = (this.parametersOf.get(scope) ?? []).filter(({ role, name }) => role !== 'norm' && belongs(name, undefined));
    return {
      title,
      size,
      ...this.cost(
        parameters,
        nodes.filter(({ node, scope: name }) => belongs(name, node)),
      ),
    };
  }

  private matrices(parameters: readonly Parameter[]): string {
    const matrices = parameters.filter(({ shape }) => shape.length === 2);
    const [inputs = 0, width = 0] = matrices.find(({ name }) => name.endsWith('.w1'))?.shape ?? [];
    return `${digits(inputs)} → ${digits(width)}, ${matrices.length} matrices`;
  }

  private cost(parameters: readonly Parameter[], nodes: readonly CostlyNode[]): BlockCost {
    return {
      parameters: parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      macsPerToken: nodes.reduce((sum, { node }) => sum + (this.macs.get(node) ?? 0), 0),
    };
  }

  private shapeOf(value: number | undefined): Shape {
    return (value === undefined ? undefined : this.program.values[value]?.shape) ?? [];
  }

  private shapeOfParameter(name: string): readonly number[] | undefined {
    return (this.parametersOf.get(blockOf(name)) ?? []).find((parameter) => parameter.name === name)?.shape;
  }
}

/** Attention comes before what follows it. */
function orderOf({ kind }: DiagramBlock): number {
  return kind === 'attention' ? 0 : 1;
}

/** `layers.3.moe` for all in it; what is in no layer stands for itself: `embedding`, `logits`. */
function blockOf(scope: string): string {
  const [first = '', ...rest] = scope.split('.');
  if (first === 'layers') return [first, ...rest.slice(0, 2)].join('.');
  return first.replace(/_bias$/, '');
}

function push<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

function digits(value: number | string): string {
  return typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 2 }) : value;
}

function costText({ parameters, macsPerToken }: BlockCost): string {
  return `${formatAmount(parameters)} parameters, ${formatAmount(macsPerToken)} MACs/token`;
}

function descriptionOf({ input, groups, output, total }: Omit<ArchitectureDiagram, 'description'>): string {
  const block = (one: DiagramBlock): string => {
    const parts = one.parts.map((part) => `${part.title} ${part.size} (${costText(part)})`.replace('  ', ' '));
    return `${one.title}: ${one.size}; ${costText(one)}${parts.length === 0 ? '' : `, of which ${parts.join(', ')}`}.`;
  };
  const layers = groups.flatMap(({ times, layers: same }) => [
    times === 1 ? '' : `${times} times:`,
    ...same.map(({ indices, blocks }) => `${layerNames(indices)}. ${blocks.map(block).join(' ')}`),
  ]);
  return [`A model of ${costText(total)}.`, block(input), ...layers, block(output)].filter(Boolean).join(' ');
}

/** `Layer 3`, `Layers 1, 3, 5, ... 47`. */
export function layerNames(indices: readonly number[]): string {
  const [first = 0, second = 0, third = 0] = indices;
  const last = indices.at(-1) ?? first;
  if (indices.length === 1) return `Layer ${first}`;
  const consecutive = indices.every((index, at) => index === first + at);
  if (consecutive) return `Layers ${first} to ${last}`;
  return indices.length <= 4 ? `Layers ${indices.join(', ')}` : `Layers ${first}, ${second}, ${third}, … ${last}`;
}
