/**
 * Text for a notification, as it is: VS Code makes links of `[label](address)` in its messages, also links that run a command, and names
 * and reasons come from files of the workspace, whether it is trusted or not.
 */
export function notificationText(text: string): string {
  return text.replaceAll('](', '] (');
}
