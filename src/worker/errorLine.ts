/** The line of a program's output that says what was wrong: Node prints a stack around it. Empty for no output. */
export function errorLine(output: string): string {
  return /^(?:Uncaught )?\w*Error\b.*$/m.exec(output)?.[0] ?? lastLine(output);
}

export function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() ?? '';
}
