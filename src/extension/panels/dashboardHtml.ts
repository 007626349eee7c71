import { pageHtml, type PageSources } from './pageHtml';

export function dashboardHtml(sources: PageSources): string {
  return pageHtml(sources, { title: 'MoE Lab Dashboard', root: 'dashboard' });
}
