import type { LoadedConfig, ReadText } from '../config/configFile';
import { loadBeforeSweep, type ConfigBeforeSweep } from '../config/loadConfig';
import type { Steps } from '../config/steps';

/** A loaded config, with every text that was read for it: undefined for a file that is not there. */
export interface ReadConfig extends Omit<ConfigBeforeSweep, 'tried'> {
  readonly texts: ReadonlyMap<string, string | undefined>;
  /** With the members of its sweep, which are tried once. */
  whole(): Steps<LoadedConfig>;
}

/** Loaded configs by file, until a file that they read is said to have changed. A baseline of many is loaded once. */
export class ReadConfigs {
  readonly #read = new Map<string, ReadConfig>();
  #changes = 0;

  constructor(private readonly readText: ReadText) {}

  *load(file: string): Steps<ReadConfig> {
    const known = this.#read.get(file);
    if (known !== undefined) return known;
    const before = this.#changes;
    const texts = new Map<string, string | undefined>();
    const { own, listed, tried } = yield* loadBeforeSweep(file, (path) => {
      // Once per load, so that all of it speaks of the same text.
      if (!texts.has(path)) texts.set(path, this.readText(path));
      return texts.get(path);
    });
    let loaded: LoadedConfig | undefined;
    const read: ReadConfig = {
      own,
      listed,
      texts,
      *whole() {
        return (loaded ??= yield* tried());
      },
    };
    // What changed between two steps may be what was read.
    if (this.#changes === before) this.#read.set(file, read);
    return read;
  }

  outdate(file: string): void {
    this.#changes += 1;
    for (const [config, { texts }] of this.#read) if (texts.has(file)) this.#read.delete(config);
  }
}
