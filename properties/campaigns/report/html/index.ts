/** A report as one HTML file with figures: no script, no network. */
export { htmlReport } from './page.ts';
