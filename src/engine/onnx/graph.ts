import { encodeModel, type Attribute, type ElementType, type OnnxNode, type OnnxTensor, type OnnxValue } from './encoder';

/** The name of a tensor in an ONNX graph. */
export type TensorName = string;

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const text = (value: string): Attribute => ({ kind: 'text', value });

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
}

/**
 * An ONNX graph under construction. Nodes are hash-consed: asking twice for the same operator on the same inputs with the same
 * attributes gives the same tensor, so a backward rule that writes down a forward intermediate (attention probabilities, the
 * reciprocal norm, a softmax) reuses it instead of computing it again. Nodes that no output needs are left out.
 */
export class OnnxGraph {
  /** Prefix of the names of new nodes; profiles are grouped by it. */
  scope = '';
  private readonly inputs = new Map<string, OnnxValue>();
  private readonly initialisers = new Map<TensorName, OnnxTensor>();
  private readonly nodes: OnnxNode[] = [];
  private readonly known = new Map<string, readonly TensorName[]>();
  private readonly outputs = new Map<TensorName, OnnxValue>();
  private count = 0;

  constructor(readonly name: string) {}

  /** `shape` is left out where the input may have any. */
  input(name: TensorName, type: ElementType, shape?: readonly number[]): TensorName {
    if (!this.inputs.has(name)) this.inputs.set(name, shape === undefined ? { name, type } : { name, type, shape });
    return name;
  }

  /** Adds a node with one output. */
  node(operator: string, inputs: readonly TensorName[], options: NodeOptions = {}): TensorName {
    const [output] = this.nodeWithOutputs(operator, inputs, 1, options);
    return output as TensorName;
  }

  nodeWithOutputs(operator: string, inputs: readonly TensorName[], outputs: number, options: NodeOptions = {}): readonly TensorName[] {
    const { attributes = {}, domain = '' } = options;
    const key = JSON.stringify([domain, operator, inputs, outputs, attributes]);
    const existing = this.known.get(key);
    if (existing !== undefined) return existing;
    const names = Array.from({ length: outputs }, () => `t${this.count++}`);
    this.nodes.push({ name: `${this.scope}/${operator}/${names[0]}`, operator, domain, inputs, outputs: names, attributes });
    this.known.set(key, names);
    return names;
  }

  /** A float32 scalar. */
  scalar(value: number): TensorName {
    return this.constant('float32', [], [value]);
  }

  integer(value: number): TensorName {
    return this.constant('int32', [], [value]);
  }

  /** An int64 vector: how ONNX takes shapes and axes. They are constants, folded when the session is made. */
  dimensions(values: readonly number[]): TensorName {
    return this.constant('int64', [values.length], values);
  }

  /** A small constant held in the model; equal ones are stored once. */
  constant(type: ElementType, shape: readonly number[], values: ArrayLike<number>): TensorName {
    const data = bytesOf(type, values);
    const key = `${type}[${shape.join()}]${Buffer.from(data).toString('base64')}`;
    const existing = this.known.get(key);
    if (existing !== undefined) return existing[0] as TensorName;
    const name = `c${this.count++}`;
    this.initialisers.set(name, { name, type, shape, data });
    this.known.set(key, [name]);
    return name;
  }

  /** Makes `tensor` a graph output and returns the name it has there. */
  output(tensor: TensorName, type: ElementType): TensorName {
    const taken = this.inputs.has(tensor) || this.initialisers.has(tensor) || this.outputs.has(tensor);
    let name = tensor;
    if (taken) {
      // An output needs a node and a name of its own.
      name = `t${this.count++}`;
      this.nodes.push({
        name: `${this.scope}/Identity/${name}`,
        operator: 'Identity',
        domain: '',
        inputs: [tensor],
        outputs: [name],
        attributes: {},
      });
    }
    this.outputs.set(name, { name, type });
    return name;
  }

  /** The encoded model and the inputs it still has after unneeded nodes are dropped. */
  build(): { readonly bytes: Uint8Array; readonly inputs: readonly string[]; readonly nodes: readonly OnnxNode[] } {
    const needed = new Set<TensorName>(this.outputs.keys());
    const nodes: OnnxNode[] = [];
    for (const node of [...this.nodes].reverse()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      nodes.push(node);
      for (const input of node.inputs) needed.add(input);
    }
    nodes.reverse();
    const inputs = [...this.inputs.values()].filter((input) => needed.has(input.name));
    const bytes = encodeModel({
      name: this.name,
      nodes,
      initialisers: [...this.initialisers.values()].filter((tensor) => needed.has(tensor.name)),
      inputs,
      outputs: [...this.outputs.values()],
    });
    return { bytes, inputs: inputs.map((input) => input.name), nodes };
  }
}

function bytesOf(type: ElementType, values: ArrayLike<number>): Uint8Array {
  const list = Array.from(values);
  switch (type) {
    case 'float32':
      return new Uint8Array(Float32Array.from(list).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(list).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(list, BigInt).buffer);
    case 'bool':
      return Uint8Array.from(list);
  }
}
