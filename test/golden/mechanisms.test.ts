import { describe, expect, it } from 'vitest';
import { interpret } from '../../src/graph/reference/interpreter';
import { runValues } from '../engine/support/deviceTasks';
import { expectClose, FLOAT64 } from './closeness';
import { expectMechanism } from './deviceExpectations';
import { bindings, mechanismCases } from './goldenFiles';
import { mechanismProgram } from './mechanismProgram';

describe('golden mechanisms, reference interpreter', () => {
  it.each(mechanismCases)('$name', (golden) => {
    const { program, feeds, expectations } = mechanismProgram(golden);
    const values = interpret(program, { bindings, feeds, wanted: expectations.map(({ value }) => value) });
    for (const { value, what, data } of expectations) expectClose(values.get(value)?.data, data, FLOAT64, what);
  });
});

describe('golden mechanisms, ONNX on the CPU', () => {
  it.each(mechanismCases)('$name', (golden) => expectMechanism({ values: (task) => runValues('cpu', task) }, golden));
});

it('no vectors are missing', () => {
  expect(mechanismCases).toHaveLength(123);
});
