/**
 * What a user calls traces by: a path, a name in the trace folder, or `latest`, the last one recorded in the working
 * folder, or else by this user anywhere. Both are pointers in the trace folder, text files that hold a path: a symbolic
 * link needs privileges on some systems. Relies on the file system; does not open traces.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../../engine/index.ts';
import { fileSource, PRIVATE_FOLDER, systemReason } from '../../traces/index.ts';
import { EXTENSION, traceFolder } from './store.ts';

/** Name by which every verb takes the last recorded trace. */
export const LATEST = 'latest';
/** The user's pointer; those of folders stand in a folder of their own, named by a hash of where they hold. */
const USER_POINTER = 'latest';
const FOLDER_POINTERS = 'latest-in';
/** Folders that are remembered; of more, those where nothing was recorded for longest are forgotten. */
const MAX_FOLDERS = 1000;
/** No path is longer, on any system. */
const MAX_POINTER_BYTES = 1 << 16;

export interface Latest {
  /** Absolute; the file may be gone. */
  readonly path: string;
  /** Whether it was recorded in the working folder. */
  readonly here: boolean;
}

/** Makes `latest` mean this trace, here and elsewhere. @throws UserError when the trace folder cannot be written */
export function setLatest(path: string): void {
  const text = `${resolve(path)}\n`;
  const here = folderPointer();
  try {
    if (here !== undefined) {
      replaceFile(here, text);
      forgetFolders(dirname(here));
    }
    replaceFile(join(traceFolder(), USER_POINTER), text);
  } catch (error) {
    throw new UserError(
      `cannot remember ${path} as latest: ${systemReason(error)}; set XDG_DATA_HOME to a writable folder`,
    );
  }
}

/** What `latest` means here; undefined when nothing was recorded yet. */
export function findLatest(): Latest | undefined {
  const here = folderPointer();
  const recordedHere = here === undefined ? undefined : readPointer(here);
  if (recordedHere !== undefined) return { path: recordedHere, here: true };
  const path = readPointer(join(traceFolder(), USER_POINTER));
  return path === undefined ? undefined : { path, here: false };
}

/** Undefined when the working folder has been removed. */
function folderPointer(): string | undefined {
  try {
    const name = createHash('sha256').update(process.cwd()).digest('hex');
    return join(traceFolder(), FOLDER_POINTERS, name);
  } catch {
    return undefined;
  }
}

function readPointer(pointer: string): string | undefined {
  try {
    return Buffer.from(fileSource(pointer).read(0, MAX_POINTER_BYTES)).toString().replace(/\n$/, '') || undefined;
  } catch {
    return undefined;
  }
}

/** Renamed into place: a reader sees the old path or the new one, whole, and of two writers one wins. */
function replaceFile(path: string, text: string): void {
  const beside = `${path}.${randomUUID()}.tmp`;
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  try {
    writeFileSync(beside, text);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function forgetFolders(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= MAX_FOLDERS) return;
  const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const byAge = names.map((name) => join(folder, name)).sort((a, b) => modified(a) - modified(b));
  for (const path of byAge.slice(0, names.length - MAX_FOLDERS)) rmSync(path, { force: true });
}

/**
 * The path that a user's word for a trace means: `latest`, a path, or a name in the trace folder.
 * @throws UserError when it is `latest` and there is none. A path that does not exist is left to `openTrace`.
 */
export function resolveTrace(word: string): string {
  if (word !== LATEST) return existsSync(word) ? word : (inFolder(word) ?? word);
  const latest = findLatest();
  if (!latest)
    throw new UserError('no trace was recorded yet, so there is no latest; run `dejavm demo` or `dejavm record`');
  const { path, here } = latest;
  if (existsSync(path)) return path;
  throw new UserError(
    `the latest trace${here ? ' of this folder' : ''}, ${path}, is gone; give a trace, or record one`,
  );
}

/** Every word without a folder in it that means a trace now; to be guessed from. */
export function traceWords(): string[] {
  const stored = tracesIn(traceFolder());
  const names = stored.map((name) => name.slice(0, -EXTENSION.length));
  return [LATEST, ...tracesIn('.'), ...stored, ...names];
}

function tracesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(EXTENSION));
  } catch {
    return [];
  }
}

function inFolder(name: string): string | undefined {
  if (/[\\/]/.test(name)) return undefined;
  return [name, name + EXTENSION].map((file) => join(traceFolder(), file)).find((path) => existsSync(path));
}
