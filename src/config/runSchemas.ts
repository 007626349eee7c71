import * as z from 'zod';
import { count, most } from './schemaBounds';

/** What an experiment says of a run beside the model and its training: text, validation, checkpoints, engine. */

const files = z.array(z.string().min(1)).min(1);

export const dataSchema = z
  .strictObject({
    tokenizer: z.enum(['bytes']).default('bytes').describe('bytes: every byte of the UTF-8 text is a token, vocabulary 256.'),
    train: files.describe('Text files or globs, relative to this file.'),
    validation: z
      .record(z.string().min(1), files)
      .default({})
      .describe('Named validation sets, each a list of text files or globs, scored whole in non-overlapping windows.'),
  })
  .describe('Training and validation text.');

export const evaluateSchema = z
  .strictObject({
    every: count(most.steps).default(250).describe('Validate every this many steps, and at the end.'),
  })
  .describe('When validation happens.');

export const checkpointSchema = z
  .strictObject({
    every: count(most.steps).default(500).describe('Write a checkpoint every this many steps, and at the end.'),
    keep: count(most.steps).default(2).describe('Newest checkpoints kept.'),
  })
  .describe('Checkpoints: safetensors and the trainer state, enough to resume exactly.');

export const engineSchema = z
  .strictObject({
    device: z.enum(['cpu', 'webgpu']).default('cpu').describe('cpu, or webgpu for a GPU.'),
    threads: z
      .int()
      .nonnegative()
      .max(most.threads)
      .default(0)
      .describe('CPU threads; 0 for one per physical core. The same number gives the same losses again.'),
  })
  .describe('Where it runs.');
