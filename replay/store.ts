/**
 * Where traces live when nobody says otherwise: `$XDG_DATA_HOME/dejavm`, by default `~/.local/share/dejavm`. Relies on the
 * file system; does not open traces. What a user calls them by is in latest.ts.
 */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../engine/index.ts';

export const EXTENSION = '.djvm';

/** The folder for traces; not created. */
export function traceFolder(): string {
  const { XDG_DATA_HOME } = process.env;
  // The XDG specification: relative paths are to be ignored.
  const base = XDG_DATA_HOME && isAbsolute(XDG_DATA_HOME) ? XDG_DATA_HOME : join(homedir(), '.local', 'share');
  return join(base, 'dejavm');
}

/**
 * Paths in the trace folder for a new trace, to be tried one after another: `name.djvm`, `name-2.djvm` and so on. Creates
 * the folder. @throws UserError when it cannot
 */
export function* defaultTracePaths(name: string): Generator<string> {
  const folder = createFolder();
  for (let n = 1; ; n++) yield join(folder, `${name}${n === 1 ? '' : `-${n}`}${EXTENSION}`);
}

/** The path of `name.djvm` in the trace folder, whether it exists or not. Creates the folder. @throws UserError when it cannot */
export function namedTracePath(name: string): string {
  return join(createFolder(), name + EXTENSION);
}

function createFolder(): string {
  const folder = traceFolder();
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UserError(
      `cannot create the trace folder ${folder}: ${reason(error)}; give -o FILE or set XDG_DATA_HOME`,
    );
  }
  return folder;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
