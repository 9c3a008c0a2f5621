/**
 * `dejavm report RESULTS`: a campaign's tables beside the papers', as text, Markdown, CSV or JSON on standard output,
 * or as an HTML file. Relies on properties/campaigns/report for all of it; reads the database and runs nothing, also
 * while a campaign writes it.
 */

import { randomUUID } from 'node:crypto';
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import {
  csvReport,
  htmlReport,
  markdownReport,
  type Report,
  readCampaign,
  summarise,
  textReport,
} from '../../../properties/index.ts';
import { PRIVATE_FILE, systemReason } from '../../../traces/index.ts';
import { byteSize, EXIT, type ExitCode, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';

/** What may stand on standard output instead of the text. */
const FORMATS = {
  json: (report) => toJson('report', report),
  csv: csvReport,
  markdown: markdownReport,
} as const satisfies Record<string, (report: Report) => string>;
type Format = keyof typeof FORMATS;

export async function reportCommand({ args, flags, io }: CommandContext<Format | 'html'>): Promise<ExitCode> {
  const path = args[0]!;
  const formats = (Object.keys(FORMATS) as Format[]).filter((format) => flags[format]);
  if (formats.length > 1) {
    throw new UsageError(
      `give one of ${formats.map((format) => `--${format}`).join(', ')}: both go to standard output`,
    );
  }
  if (flags.html !== undefined && sameFile(flags.html, path)) {
    throw new UsageError(`--html ${flags.html} is the results database itself: give another file`);
  }
  const report = summarise(readCampaign(path), path);
  const [format] = formats;
  if (format) io.out(FORMATS[format](report));
  else if (flags.html === undefined) io.out(textReport(report));
  if (flags.html !== undefined) {
    const html = htmlReport(report);
    writeWhole(flags.html, html);
    io.err(`dejavm: report written to ${flags.html}, ${byteSize(Buffer.byteLength(html))}\n`);
  }
  return EXIT.ok;
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/**
 * Writes beside the file and renames: an old report stays until the new one is whole, and its permissions stay.
 * @throws UsageError
 */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(beside, text, { mode: PRIVATE_FILE });
    const before = statSync(path, { throwIfNoEntry: false });
    if (before?.isFile()) chmodSync(beside, before.mode & 0o777);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new UsageError(`${path}: the report cannot be written: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'its folder does not exist';
  if (code === 'EISDIR') return 'it is a folder';
  return systemReason(error);
}
