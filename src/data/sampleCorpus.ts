import { type Kind, kinds } from './sample/kinds';
import { mix } from './permutation';
import { Listener, Speaker, type Voice } from './sample/voice';

export const sampleKinds = Object.keys(kinds) as readonly Kind[];

export interface SampleFile {
  readonly path: string;
  readonly text: string;
}

/** How many nats a perfect model, which knows the grammar, needs for a text: no model does better on average. */
export interface KnownEntropy {
  readonly bytes: number;
  readonly nats: number;
  readonly bitsPerByte: number;
  /** The best reachable perplexity per byte, exp(nats / bytes). */
  readonly perplexity: number;
}

export interface SampleCorpus {
  readonly files: readonly SampleFile[];
  readonly entropy: Readonly<Record<Kind, { readonly train: KnownEntropy; readonly validation: KnownEntropy }>> & {
    /** Over the validation text of all kinds. */
    readonly bitsPerByte: number;
  };
}

/**
 * Four kinds of text drawn from probabilistic grammars (see Voice), with train and validation text per kind from different random streams.
 * Each file is complete pieces until it has at least its share of bytes; validation has a sixteenth of the training text.
 *
 * The stated entropies are those of whole files. Validation scores windows that do not see what came before, so even a perfect model stays
 * slightly above.
 */
export function generateSampleCorpus(seed: number, bytes: number): SampleCorpus {
  const share = Math.ceil(bytes / sampleKinds.length);
  const files: SampleFile[] = [];
  const draw = (kind: Kind, stream: number, part: 'train' | 'validation', least: number) => {
    const speaker = new Speaker(mix(seed, sampleKinds.indexOf(kind), stream));
    tell(kind, speaker, least);
    files.push({ path: `corpus/${part}/${kind}.txt`, text: speaker.text });
    return knownEntropy(speaker.length, speaker.nats);
  };
  const entropyOf = (kind: Kind) => ({
    train: draw(kind, 0, 'train', share),
    validation: draw(kind, 1, 'validation', Math.ceil(share / 16)),
  });
  const entropies = { prose: entropyOf('prose'), arithmetic: entropyOf('arithmetic'), lists: entropyOf('lists'), code: entropyOf('code') };
  const validation = Object.values(entropies).map((entropy) => entropy.validation);
  const sum = (pick: (entropy: KnownEntropy) => number) => validation.reduce((total, entropy) => total + pick(entropy), 0);
  return { files, entropy: { ...entropies, bitsPerByte: sum(({ nats }) => nats) / Math.LN2 / sum((entropy) => entropy.bytes) } };
}

/** The entropy of a text of one kind, found by reading it back through the grammar. Throws where it is not of that kind. */
export function scoreSampleText(kind: Kind, text: string): KnownEntropy {
  const listener = new Listener(text);
  tell(kind, listener, text.length);
  return knownEntropy(listener.length, listener.nats);
}

function tell(kind: Kind, voice: Voice & { readonly length: number }, least: number): void {
  while (voice.length < least) kinds[kind](voice);
}

function knownEntropy(bytes: number, nats: number): KnownEntropy {
  return { bytes, nats, bitsPerByte: nats / Math.LN2 / bytes, perplexity: Math.exp(nats / bytes) };
}
