import * as vscode from 'vscode';
import type { SourceRange } from '../../config/configFile';

export function toRange({ start, end }: SourceRange): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}
