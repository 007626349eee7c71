/** Runs of one config have one name: their directory tells them apart. */
export function uniqueLabel(run: string, name: string, runs: readonly { readonly run: string; readonly name: string }[]): string {
  return runs.some((other) => other.run !== run && other.name === name) ? `${name} (${run.split(/[\\/]/).at(-1)})` : name;
}
