/**
 * Where traces live when nobody says otherwise: `$XDG_DATA_HOME/dejavm`, by default `~/.local/share/dejavm`; and the
 * name `latest` for the last one recorded. Relies on the file system; does not open traces.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../engine/index.ts';

const EXTENSION = '.djvm';
/** A text file that holds the path: a symbolic link needs privileges on some systems. */
const POINTER = 'latest';
/** Name by which every verb takes the last recorded trace. */
const LATEST = 'latest';

/** The folder for traces; not created. */
export function traceFolder(): string {
  const { XDG_DATA_HOME } = process.env;
  // The XDG specification: relative paths are to be ignored.
  const base = XDG_DATA_HOME && isAbsolute(XDG_DATA_HOME) ? XDG_DATA_HOME : join(homedir(), '.local', 'share');
  return join(base, 'dejavm');
}

/**
 * A path in the trace folder that no file has: `name.djvm`, or `name-2.djvm` and so on. Creates the folder.
 * @throws UserError when it cannot
 */
export function defaultTracePath(name: string): string {
  const folder = createFolder();
  for (let n = 1; ; n++) {
    const path = join(folder, `${name}${n === 1 ? '' : `-${n}`}${EXTENSION}`);
    if (!existsSync(path)) return path;
  }
}

/** The path of `name.djvm` in the trace folder, whether it exists or not. Creates the folder. @throws UserError when it cannot */
export function namedTracePath(name: string): string {
  return join(createFolder(), name + EXTENSION);
}

/** Makes `latest` mean this trace. @throws UserError when the trace folder cannot be written */
export function setLatest(path: string): void {
  const pointer = join(createFolder(), POINTER);
  try {
    // Renamed into place: a reader never sees half a path.
    writeFileSync(`${pointer}.${process.pid}`, `${resolve(path)}\n`);
    renameSync(`${pointer}.${process.pid}`, pointer);
  } catch (error) {
    throw new UserError(`cannot remember ${path} as latest: ${reason(error)}; set XDG_DATA_HOME to a writable folder`);
  }
}

/** Path of the last recorded trace; undefined when none was recorded or it has been removed. */
export function latestTrace(): string | undefined {
  const path = readPointer();
  return path !== undefined && existsSync(path) ? path : undefined;
}

/**
 * The path that a user's word for a trace means: `latest`, a path, or a name in the trace folder.
 * @throws UserError when it is `latest` and there is none. A path that does not exist is left to `openTrace`.
 */
export function resolveTrace(word: string): string {
  if (word !== LATEST) return existsSync(word) ? word : (inFolder(word) ?? word);
  const path = readPointer();
  if (path === undefined)
    throw new UserError('no trace was recorded yet, so there is no latest; run `dejavm demo` or `dejavm record`');
  if (!existsSync(path)) throw new UserError(`the latest trace, ${path}, is gone; give a trace, or record one`);
  return path;
}

function inFolder(name: string): string | undefined {
  if (/[\\/]/.test(name)) return undefined;
  return [name, name + EXTENSION].map((file) => join(traceFolder(), file)).find((path) => existsSync(path));
}

function readPointer(): string | undefined {
  try {
    return readFileSync(join(traceFolder(), POINTER), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
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
