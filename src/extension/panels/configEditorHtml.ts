import { pageHtml, type PageSources } from './pageHtml';

export function configEditorHtml(sources: PageSources): string {
  return pageHtml(sources, { title: 'MoE Lab Config Editor', root: 'config-editor' });
}
