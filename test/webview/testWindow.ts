import type { EditorTheme } from './themes';

/** The window of a page that is tested, with what the tests put there. */
export interface TestWindow {
  messageToHost(text: string): void;
  messageFromHost(text: string): void;
  applyTheme(theme: EditorTheme): void;
  acquireVsCodeApi: unknown;
  violations: string[];
  savedState: unknown;
}

/** Runs in the page before its scripts: what the editor provides to a webview. */
export function prepareWindow({ theme, savedState }: { theme: EditorTheme; savedState: unknown }): void {
  const own = window as unknown as TestWindow;
  own.violations = [];
  own.savedState = savedState;
  document.addEventListener('securitypolicyviolation', (event) => own.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
  own.acquireVsCodeApi = () => ({
    postMessage: (message: unknown) => own.messageToHost(JSON.stringify(message)),
    getState: () => own.savedState,
    setState: (state: unknown) => (own.savedState = state),
  });
  own.messageFromHost = (text) => {
    const revive = (_: string, value: { base64?: string } | null) =>
      typeof value?.base64 === 'string' ? Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0)).buffer : value;
    window.postMessage(JSON.parse(text, revive), '*');
  };
  own.applyTheme = ({ bodyClass, variables }) => {
    document.documentElement.removeAttribute('style');
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
    document.body.className = bodyClass;
  };
  const ready = new MutationObserver(() => {
    if (document.body === null) return;
    ready.disconnect();
    own.applyTheme(theme);
  });
  ready.observe(document, { childList: true, subtree: true });
}
