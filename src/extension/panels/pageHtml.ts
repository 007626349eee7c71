export interface PageSources {
  readonly script: string;
  readonly style: string;
  /** The webview's own origin, from which it may load style sheets. */
  readonly cspSource: string;
  /** Unguessable, new for every page. */
  readonly nonce: string;
}

/** A panel's page: nothing inline, nothing from elsewhere. */
export function pageHtml(
  { script, style, cspSource, nonce }: PageSources,
  page: { readonly title: string; readonly root: string },
): string {
  const policy = [`default-src 'none'`, `style-src ${cspSource}`, `font-src ${cspSource}`, `script-src 'nonce-${nonce}'`].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="${style}">
    <title>${page.title}</title>
  </head>
  <body>
    <main id="${page.root}"></main>
    <script type="module" nonce="${nonce}" src="${script}"></script>
  </body>
</html>
`;
}
