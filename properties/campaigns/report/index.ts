/**
 * Reports of a campaign: the papers' tables beside ours, for terminals, Markdown, spreadsheets, programs and browsers.
 */
export { pooledRate } from './bootstrap.ts';
export { csvReport } from './csv.ts';
export { htmlReport } from './html/index.ts';
export { markdownReport } from './markdown.ts';
export type { Rate } from './statistics.ts';
export { type Report, summarise } from './summarise.ts';
export { textReport } from './text.ts';
