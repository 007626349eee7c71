import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { quickStartArguments, quickStartUsage } from '../../src/cli/quickStartArguments';

it.each([
  [[], { folder: resolve('.try', 'workspace'), steps: undefined }],
  [['here'], { folder: resolve('here'), steps: undefined }],
  [['--steps', '20'], { folder: resolve('.try', 'workspace'), steps: 20 }],
  [[join('some', 'where'), '--steps=20'], { folder: resolve('some', 'where'), steps: 20 }],
  [['--help'], undefined],
])('npm start -- %j', (args, expected) => {
  expect(quickStartArguments(args)).toEqual(expected);
});

it.each([
  [['--step', '20'], "Unknown option '--step'. "],
  [['--steps', 'few'], '--steps takes a positive whole number, not few. '],
  [['one', 'two'], 'One folder is enough. '],
])('npm start -- %j trains nothing', (args, sentence) => {
  expect(() => quickStartArguments(args)).toThrow(`${sentence}${quickStartUsage}`);
});
