/**
 * `dejavm ls`: the traces in the trace folder and the latest one, newest first. Files that are no traces are listed
 * with the reason.
 */

import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { shellLine, UserError } from '../../../engine/index.ts';
import { endText, findLatest, traceFolder } from '../../../replay/index.ts';
import { readTraceSummary, systemReason } from '../../../traces/index.ts';
import { byteSize, EXIT, type ExitCode, grouped, table } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { toJson } from '../json/index.ts';

interface Listed {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modified: string;
  readonly latest: boolean;
  readonly harts?: number;
  readonly moments?: number;
  readonly end?: string;
  readonly problem?: string;
}

export async function lsCommand({ flags, io }: CommandContext<'json'>): Promise<ExitCode> {
  const folder = traceFolder();
  const listed = listTraces(folder);
  if (flags.json) {
    io.out(toJson('ls', { folder, traces: listed }));
    return EXIT.ok;
  }
  if (listed.length === 0) {
    io.err(`dejavm: no traces in ${folder} yet; \`dejavm record\` or \`dejavm demo\` makes one\n`);
    return EXIT.ok;
  }
  const rows = listed.map((t) => [
    t.latest ? '*' : ' ',
    t.moments === undefined ? '-' : grouped(t.moments),
    byteSize(t.sizeBytes),
    t.modified.slice(0, 16).replace('T', ' '),
    t.problem ?? t.end ?? '',
    shellLine([t.path]),
  ]);
  io.out(`${table([[' ', 'moments', 'size', 'modified (UTC)', 'end', 'trace'], ...rows], [1, 2])}\n`);
  return EXIT.ok;
}

/** The folder's traces, and the latest one also when it lies elsewhere. */
function listTraces(folder: string): Listed[] {
  const latest = findLatest()?.path;
  const latestPath = latest !== undefined && existsSync(latest) ? realPath(latest) : undefined;
  const paths = new Set(namesIn(folder).map((name) => realPath(join(folder, name))));
  if (latestPath !== undefined) paths.add(latestPath);
  return [...paths]
    .flatMap((path) => {
      // Removed meanwhile, perhaps.
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat ? [{ path, stat }] : [];
    })
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs)
    .map(({ path, stat }) => ({
      path,
      sizeBytes: stat.size,
      modified: stat.mtime.toISOString(),
      latest: path === latestPath,
      ...contentOf(path),
    }));
}

function namesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.djvm'));
  } catch (error) {
    throw new UserError(`the trace folder ${folder} cannot be listed: ${systemReason(error)}`);
  }
}

/** Where a path leads; itself when that cannot be said: a link to nothing is listed, too. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function contentOf(path: string): Pick<Listed, 'harts' | 'moments' | 'end' | 'problem'> {
  try {
    const trace = readTraceSummary(path);
    const end = trace.end ? endText(trace.end) : trace.damage ? `cut off (${trace.damage.kind})` : 'cut off';
    return {
      harts: trace.header.machine.harts,
      moments: trace.last.moment - (trace.header.cut?.from.moment ?? 0),
      end,
    };
  } catch (error) {
    // A listing goes on past a file that cannot be opened: it says why beside the name.
    return { problem: error instanceof Error ? error.message.replace(`${path}: `, '') : String(error) };
  }
}
