/**
 * Where traces live when nobody says otherwise: `$XDG_DATA_HOME/dejavm`, by default `~/.local/share/dejavm`. Relies on
 * the file system; does not open traces. What a user calls them by is in latest.ts.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../../engine/index.ts';
import { PRIVATE_FOLDER, systemReason } from '../../traces/index.ts';

export const EXTENSION = '.djvm';

/** Where the trace folder is, for those that look there without this program: shells that complete names of traces. */
export const TRACE_FOLDER_RULE = { variable: 'XDG_DATA_HOME', otherwise: ['.local', 'share'], name: 'dejavm' } as const;

/** The folder for traces; not created. @throws UserError when nothing says where it is */
export function traceFolder(): string {
  const { variable, otherwise, name } = TRACE_FOLDER_RULE;
  const given = process.env[variable];
  // The XDG specification: relative paths are to be ignored.
  return join(given && isAbsolute(given) ? given : join(homeFolder(), ...otherwise), name);
}

/** What HOME says; the user database where that is empty or relative and would mean the working folder. */
function homeFolder(): string {
  for (const source of [homedir, () => userInfo().homedir]) {
    try {
      const home = source();
      if (isAbsolute(home)) return home;
    } catch {
      // Neither HOME nor an entry for this user.
    }
  }
  throw new UserError('no home folder is known for this user, where traces are kept; set XDG_DATA_HOME to a folder');
}

/**
 * Paths in the trace folder for a new trace, to be tried one after another: `name.djvm`, `name-2.djvm` and so on.
 * Creates the folder. @throws UserError when it cannot
 */
export function* defaultTracePaths(name: string): Generator<string> {
  const folder = createFolder();
  for (let n = 1; ; n++) yield join(folder, `${name}${n === 1 ? '' : `-${n}`}${EXTENSION}`);
}

/**
 * The path of `name.djvm` in the trace folder, whether it exists or not. Creates the folder. @throws UserError when it
 * cannot
 */
export function namedTracePath(name: string): string {
  return join(createFolder(), name + EXTENSION);
}

/** Creates the trace folder, for its owner alone. @throws UserError when it cannot */
function createFolder(): string {
  const folder = traceFolder();
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw new UserError(
      `cannot create the trace folder ${folder}: ${systemReason(error)}; give -o FILE or set XDG_DATA_HOME`,
    );
  }
  return folder;
}

/** Whether two paths lead to one file that is there. */
export function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}
