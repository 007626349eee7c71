import { describe, expect, it } from 'vitest';
import { largestParameter, limitIn } from '../../src/engine/onnx/deviceLimits';
import { tableProgram } from './support/tableProgram';

describe('limits of a device', () => {
  it('are read out of what the runtime says of a buffer', () => {
    const said =
      'WebGPU validation failed. Buffer size (1074790400) exceeds the max buffer size limit (1073741824).\n - While calling [Device].CreateBuffer([BufferDescriptor]).';
    expect(limitIn(said)).toBe(2 ** 30);
    expect(limitIn('vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY')).toBeUndefined();
  });

  it('are asked for by the largest parameter', () => {
    const program = tableProgram({ rows: 400 });
    expect(largestParameter(program)).toEqual({ name: 'retrieval.down', shape: [400, 6], bytes: 9600 });
    expect(largestParameter({ ...program, parameters: [] })).toBeUndefined();
  });
});
