import { isMapping } from './mapping';
import type { KeyPath } from './yamlTree';

/** What stands at a path of a config, as it is written or with its defaults filled in; undefined where a section above it is absent. */
export function valueAt(config: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((part, key) => {
    if (Array.isArray(part)) return typeof key === 'number' ? (part as readonly unknown[])[key] : undefined;
    return isMapping(part) && Object.hasOwn(part, key) ? part[key] : undefined;
  }, config);
}

/** The config with another value at a path; sections that are not there are made. Whether the value is allowed is for who asks to know. */
export function withValue<Config extends object>(config: Config, path: KeyPath, value: unknown): Config {
  return replaced(config, path, value) as Config;
}

function replaced(part: unknown, [key, ...rest]: KeyPath, value: unknown): unknown {
  if (key === undefined) return value;
  const mapping = isMapping(part) ? part : {};
  return { ...mapping, [key]: replaced(Object.hasOwn(mapping, key) ? mapping[key] : undefined, rest, value) };
}
