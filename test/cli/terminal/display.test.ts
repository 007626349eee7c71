import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { expertPicture } from '../../../src/cli/terminal/expertPicture';
import { compact, duration, grouped, perplexityText } from '../../../src/cli/terminal/figures';
import { meanPerplexity, progressLine } from '../../../src/cli/terminal/progressLine';
import { TrainingDisplay } from '../../../src/cli/terminal/trainingDisplay';
import { sketchOf } from '../../../src/runs/sketch';
import { aDescription, aLine } from '../../runs/fixtures';

class Screen extends Writable {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 100,
  ) {
    super();
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

describe('figures', () => {
  it('are short', () => {
    expect([7.123, 123.45, 4321.9, 2.5e8, Number.NaN, Number.POSITIVE_INFINITY, null].map(perplexityText)).toEqual([
      '7.12',
      '123.5',
      '4322',
      '2.5e+8',
      'NaN',
      'Infinity',
      '-',
    ]);
    expect([950, 15_240, 3_400_000, 2e9].map(compact)).toEqual(['950', '15.2k', '3.4M', '2.0G']);
    expect([7, 754, 10_921, -3].map(duration)).toEqual(['0:07', '12:34', '3:02:01', '0:00']);
    expect(grouped(1_234_567)).toBe('1,234,567');
  });

  it('of several validation sets are averaged in the loss', () => {
    expect(meanPerplexity([2, 8])).toBeCloseTo(4, 12);
    expect(meanPerplexity([])).toBeNull();
  });
});

describe('the progress line', () => {
  const progress = {
    step: 123,
    totalSteps: 300,
    trainPerplexity: 12.3,
    validationPerplexity: 11.9,
    tokensPerSecond: 15_200,
    remaining: 42,
  };

  it('says step, perplexities, speed and time to go', () => {
    expect(progressLine(progress, 200)).toBe(
      '████████░░░░░░░░░░░░ 123/300  perplexity 12.30 train 11.90 validation  15.2k tokens/s  0:42 to go',
    );
  });

  it('leaves out what is not known, and never exceeds the terminal', () => {
    const line = progressLine({ ...progress, validationPerplexity: null, tokensPerSecond: null, remaining: null }, 200);
    expect(line).toContain('12.30 train - validation');
    expect(line).not.toContain('to go');
    expect(progressLine(progress, 30)).toHaveLength(30);
  });
});

describe('the picture of experts', () => {
  it('shades each expert by its share against the uniform one', () => {
    expect(expertPicture([{ name: 'layers.1', counts: [0, 10, 30, 60, 100] }], 40)).toEqual(['layers.1  ·░▒▓█  busiest 2.5x, 1 idle']);
    expect(expertPicture([{ name: 'layers.1', counts: [5, 5] }], 40)).toEqual(['layers.1  ▓▓  busiest 1.0x']);
    expect(expertPicture([{ name: 'layers.1', counts: [0, 0] }], 40)).toEqual(['layers.1  ··  busiest 0.0x, 2 idle']);
  });

  it('averages neighbours where there are more experts than cells', () => {
    const counts = Array.from({ length: 64 }, (_, expert) => (expert < 32 ? 1 : 0));
    expect(expertPicture([{ name: 'l', counts }], 8)).toEqual(['l  ████····  busiest 2.0x, 32 idle']);
  });

  it('keeps attention heads apart, in no more room', () => {
    const counts = Array.from({ length: 16 }, (_, expert) => (expert < 4 ? 1 : 0));
    const picture = (width: number, heads: number) => expertPicture([{ name: 'l', counts, heads }], width);
    expect(picture(40, 4)).toEqual(['l  ████ ···· ···· ····  busiest 4.0x, 12 idle']);
    expect(picture(12, 4)).toEqual(['l  ██ ·· ·· ··  busiest 4.0x, 12 idle']);
    expect(picture(4, 4)).toEqual(['l  █···  busiest 4.0x, 12 idle']);
  });
});

describe('the training display', () => {
  function shown(screen: Screen, environment: Record<string, string> = {}): string {
    let now = 0;
    const description = aDescription({ totalSteps: 4, routedLayers: [{ name: 'layers.1', experts: 2, k: 1, unitsPerToken: 1 }] });
    const display = new TrainingDisplay({ stdout: screen, description, environment, clock: () => (now += 1000) });
    display.onEvent({ time: '', step: 0, kind: 'started', message: 'Starts at step 0 on cpu.' });
    for (let step = 1; step <= 4; step++) {
      display.onMetrics(aLine(step, Math.log(10)));
      display.onExperts({ step, layer: 0, counts: Float32Array.of(3, 1) });
    }
    display.onMetrics({ step: 4, time: 2, tokens: 40, validation: { prose: { loss: 1, perplexity: 9.5 } } });
    display.onEvent({ time: '', step: 4, kind: 'warning', message: 'The text has changed.' });
    display.end();
    return screen.text;
  }

  it('says the mean K, and at a validation what retrievals have come to', () => {
    const screen = new Screen(false);
    const description = aDescription({
      totalSteps: 2,
      routedLayers: [{ name: 'layers.1.moe', experts: 2, k: 2, unitsPerToken: 1 }],
      retrievals: [{ name: 'layers.0.product_keys', experts: 16, k: 4 }],
    });
    const display = new TrainingDisplay({ stdout: screen, description, environment: {} });
    for (let step = 1; step <= 2; step++) {
      display.onMetrics({ ...aLine(step, Math.log(10)), train: { loss: 1, crossEntropy: 1, meanK: 1.5 } });
      display.onExperts({ step, layer: 0, counts: Float32Array.of(3, 1) });
      const counts = Float64Array.from({ length: 16 }, (_, expert) => (expert >= step && expert < 5 ? 1 : 0));
      display.onSketch({ step, layer: 0, ...sketchOf(counts) });
    }
    display.onMetrics({ step: 2, time: 2, tokens: 40, validation: { prose: { loss: 1, perplexity: 9.5 } } });
    expect(screen.text).toContain('mean K 1.50');
    expect(screen.text).toMatch(/^ {2}layer 1 {2}/m);
    expect(screen.text).toContain('layer 0 retrieval  4 of 16 experts ever used (25.0 %), 3 in the last frame, unevenness of choices 1.67');
  });

  it('says an alarm once, and again only if it comes back', () => {
    const screen = new Screen(false);
    const display = new TrainingDisplay({ stdout: screen, description: aDescription({ totalSteps: 1000 }), environment: {} });
    const idle = (step: number, idle: number) => {
      const idleExperts = { layer: 'layers.1.moe', experts: 4, idle, steps: 20 };
      display.onMetrics({ ...aLine(step, 1), train: { loss: 1, crossEntropy: 1, idleExperts } });
      display.onMetrics(aLine(step + 1, 1));
    };
    const said = () => screen.text.match(/^Alarm: .*$/gm) ?? [];
    idle(80, 4);
    expect(said()).toEqual([]);
    for (const step of [120, 140]) idle(step, 3);
    expect(said()).toEqual(['Alarm: 3 of the 4 experts of layer 1 got less than a tenth of an even share, over 20 steps up to step 120.']);
    idle(160, 1);
    idle(180, 2);
    expect(said()).toHaveLength(2);
  });

  it('draws one line over and over in a terminal, and keeps what stays above it', () => {
    const text = shown(new Screen(true));
    expect(text.split('\r\u001b[K').length).toBeGreaterThan(4);
    expect(text).toContain('2/4  perplexity 10.00 train - validation');
    expect(text).toContain('step 4  validation perplexity  prose \u001b[1m9.50');
    expect(text).toContain('layers.1  ▓▒');
    expect(text).toContain('\u001b[31mThe text has changed.');
    expect(text.endsWith('\n')).toBe(true);
  });

  it('has no colours with NO_COLOR, and draws all the same', () => {
    const text = shown(new Screen(true), { NO_COLOR: '1' });

    expect(text.replaceAll('\r\u001b[K', '')).not.toMatch(/\u001b/);
  });

  it('writes plain lines elsewhere', () => {
    const text = shown(new Screen(false));

    expect(text).not.toMatch(/[\r\u001b]/);
    expect(text.trim().split('\n')).toEqual([
      'Starts at step 0 on cpu.',
      expect.stringContaining('1/4'),
      expect.stringContaining('2/4'),
      expect.stringContaining('3/4'),
      expect.stringContaining('4/4'),
      'step 4  validation perplexity  prose 9.50',
      expect.stringContaining('against uniform'),
      '  layers.1  ▓▒  busiest 1.5x',
      'The text has changed.',
    ]);
  });
});
