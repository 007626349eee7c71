import type { LoadedConfig, ReadText } from '../config/configFile';
import { loadConfig } from '../config/loadConfig';

/** A loaded config, with every text that was read for it: undefined for a file that is not there. */
export interface ReadConfig {
  readonly loaded: LoadedConfig;
  readonly texts: ReadonlyMap<string, string | undefined>;
}

/** Loaded configs by file, until a file that they read is said to have changed. A baseline of many is loaded once. */
export class ReadConfigs {
  readonly #read = new Map<string, ReadConfig>();

  constructor(private readonly readText: ReadText) {}

  load(file: string): ReadConfig {
    const known = this.#read.get(file);
    if (known !== undefined) return known;
    const texts = new Map<string, string | undefined>();
    const loaded = loadConfig(file, (path) => {
      // Once per load, so that all of it speaks of the same text.
      if (!texts.has(path)) texts.set(path, this.readText(path));
      return texts.get(path);
    });
    const read = { loaded, texts };
    this.#read.set(file, read);
    return read;
  }

  outdate(file: string): void {
    for (const [config, { texts }] of this.#read) if (texts.has(file)) this.#read.delete(config);
  }
}
