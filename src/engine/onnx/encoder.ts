import { ProtobufWriter } from './protobuf';

/** The element types used here, with their number in TensorProto.DataType. */
export const elementTypes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof elementTypes;

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] };

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** '' is the standard operator set; 'com.microsoft' the runtime's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian elements. */
  readonly data: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  /** Undefined where the runtime infers it. */
  readonly shape?: readonly number[];
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Format version 10 goes with operator set 21 (ONNX 1.16). */
const IR_VERSION = 10;
const OPERATOR_SET = 21;

/** ONNX's own bytes for `model`: a ModelProto. Field numbers are those of onnx.proto. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return new ProtobufWriter()
    .integer(1, IR_VERSION)
    .text(2, 'moe-lab')
    .message(7, (graph) => writeGraph(graph, model))
    .message(8, (set) => set.text(1, '').integer(2, OPERATOR_SET))
    .message(8, (set) => set.text(1, 'com.microsoft').integer(2, 1))
    .finish();
}

function writeGraph(graph: ProtobufWriter, model: OnnxModel): void {
  for (const node of model.nodes) graph.message(1, (writer) => writeNode(writer, node));
  graph.text(2, model.name);
  for (const tensor of model.initialisers) graph.message(5, (writer) => writeTensor(writer, tensor));
  for (const value of model.inputs) graph.message(11, (writer) => writeValue(writer, value));
  for (const value of model.outputs) graph.message(12, (writer) => writeValue(writer, value));
}

function writeNode(writer: ProtobufWriter, node: OnnxNode): void {
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(3, node.name).text(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message(5, (message) => writeAttribute(message.text(1, name), attribute));
  }
  if (node.domain !== '') writer.text(7, node.domain);
}

function writeAttribute(writer: ProtobufWriter, attribute: Attribute): void {
  switch (attribute.kind) {
    case 'float':
      writer.float(2, attribute.value).integer(20, 1);
      return;
    case 'int':
      writer.integer(3, attribute.value).integer(20, 2);
      return;
    case 'text':
      writer.text(4, attribute.value).integer(20, 3);
      return;
    case 'ints':
      // Not packed: onnx.proto is proto2, where a repeated number is packed only where it says so.
      for (const value of attribute.value) writer.integer(8, value);
      writer.integer(20, 7);
  }
}

function writeTensor(writer: ProtobufWriter, tensor: OnnxTensor): void {
  for (const size of tensor.shape) writer.integer(1, size);
  writer.integer(2, elementTypes[tensor.type]).text(8, tensor.name).blob(9, tensor.data);
}

function writeValue(writer: ProtobufWriter, value: OnnxValue): void {
  writer.text(1, value.name).message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, elementTypes[value.type]);
      if (value.shape !== undefined) writeShape(tensor, value.shape);
    }),
  );
}

function writeShape(tensor: ProtobufWriter, shape: readonly number[]): void {
  tensor.message(2, (message) => {
    for (const size of shape) message.message(1, (dimension) => dimension.integer(1, size));
  });
}
