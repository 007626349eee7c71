import { isMapping } from '../config/mapping';
import type { ConfigValue } from '../config/remedy';
import type { KeyPath } from '../config/yamlTree';

/** The value at a path of a config with its defaults filled in; undefined where a section above it is absent. */
export function valueAt(config: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((part, key) => (isMapping(part) ? part[key] : undefined), config);
}

/** The config with another value at a path whose sections are there. Whether the value is allowed is for who asks to know. */
export function withValue<Config extends object>(config: Config, path: KeyPath, value: ConfigValue): Config {
  return replaced(config, path, value) as Config;
}

function replaced(part: unknown, [key, ...rest]: KeyPath, value: ConfigValue): unknown {
  if (key === undefined) return value;
  return { ...(isMapping(part) ? part : {}), [key]: replaced(isMapping(part) ? part[key] : undefined, rest, value) };
}
