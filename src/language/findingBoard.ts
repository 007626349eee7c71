import type { ConfigFinding } from '../config/configFile';

/**
 * The findings of many configs by the file that they are in, as a list of problems shows them: a base that two variants extend is reported
 * once, and a file is only named where what is shown of it has changed.
 */
export class FindingBoard {
  readonly #byConfig = new Map<string, readonly ConfigFinding[]>();
  /** Files, with the configs that find something in them. */
  readonly #finders = new Map<string, Set<string>>();
  readonly #shown = new Map<string, readonly ConfigFinding[]>();

  /** Takes what is now found by way of a config. Returns the files whose findings have changed. */
  put(config: string, findings: readonly ConfigFinding[]): readonly string[] {
    const before = this.#byConfig.get(config) ?? [];
    if (before === findings) return [];
    const touched = new Set([...before, ...findings].map(({ file }) => file));
    for (const { file } of before) this.#finders.get(file)?.delete(config);
    for (const { file } of findings) this.#findersOf(file).add(config);
    if (findings.length === 0) this.#byConfig.delete(config);
    else this.#byConfig.set(config, findings);
    return [...touched].filter((file) => this.#refresh(file));
  }

  /** Nobody looks at a config any more. */
  remove(config: string): readonly string[] {
    return this.put(config, []);
  }

  /** From top to bottom. */
  of(file: string): readonly ConfigFinding[] {
    return this.#shown.get(file) ?? [];
  }

  #findersOf(file: string): Set<string> {
    const known = this.#finders.get(file);
    if (known !== undefined) return known;
    const made = new Set<string>();
    this.#finders.set(file, made);
    return made;
  }

  #refresh(file: string): boolean {
    const merged = new Map<string, ConfigFinding>();
    for (const config of this.#finders.get(file) ?? []) {
      for (const finding of this.#byConfig.get(config) ?? []) {
        if (finding.file !== file) continue;
        const identity = identityOf(finding);
        if (!merged.has(identity)) merged.set(identity, finding);
      }
    }
    const findings = [...merged.values()].toSorted(
      ({ range: { start: a } }, { range: { start: b } }) => a.line - b.line || a.character - b.character,
    );
    const shown = this.of(file);
    if (findings.length === 0) {
      this.#shown.delete(file);
      this.#finders.delete(file);
    } else this.#shown.set(file, findings);
    return !sameOnScreen(shown, findings);
  }
}

function identityOf({ range, code, message }: ConfigFinding): string {
  return JSON.stringify([range, code, message]);
}

/** Whether two lists look alike: what mends a finding is asked for when somebody wants it. */
function sameOnScreen(one: readonly ConfigFinding[], other: readonly ConfigFinding[]): boolean {
  const looks = (finding: ConfigFinding): string => `${finding.severity} ${identityOf(finding)}`;
  return one.length === other.length && one.every((finding, index) => other[index] !== undefined && looks(finding) === looks(other[index]));
}
