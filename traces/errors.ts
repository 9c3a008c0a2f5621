/**
 * What can go wrong with a trace file, said once for people: each message is one line that tells what was expected and
 * what to do. Does not decide exit codes; callers map `kind`.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, systemReason } from './system-errors.ts';

/**
 * `unreadable`: the operating system refused. `newer`: another format version. `incompatible`: readable, but it cannot
 * replay here. The others speak of the content.
 */
export type TraceErrorKind =
  | 'missing'
  | 'unreadable'
  | 'empty'
  | 'not-a-trace'
  | 'newer'
  | 'damaged'
  | 'no-image'
  | 'incompatible';

/** A file cannot be used as a trace, or a part of it that was asked for cannot be read. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly kind: TraceErrorKind;
  readonly path: string;

  constructor(kind: TraceErrorKind, path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options);
    this.kind = kind;
    this.path = path;
  }
}

/** `in-use`: another recorder writes there. `exists`: a new name was asked for. */
export type TraceWriteErrorKind =
  | 'disk-full'
  | 'not-writable'
  | 'is-directory'
  | 'no-folder'
  | 'not-a-trace'
  | 'in-use'
  | 'exists'
  | 'io';

/** A trace cannot be created or continued. What was flushed before stays readable. */
export class TraceWriteError extends Error {
  override readonly name = 'TraceWriteError';
  readonly kind: TraceWriteErrorKind;
  readonly path: string;

  constructor(kind: TraceWriteErrorKind, path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options);
    this.kind = kind;
    this.path = path;
  }
}

/** The TraceWriteError for an error of the operating system. */
export function writeError(path: string, error: unknown): TraceWriteError {
  if (error instanceof TraceWriteError) return error;
  const options = { cause: error };
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new TraceWriteError('disk-full', path, `${systemReason(error)}; make room or record elsewhere`, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new TraceWriteError(
        'not-writable',
        path,
        `cannot be written: ${systemReason(error)}; choose another place or change permissions`,
        options,
      );
    case 'EEXIST':
      return new TraceWriteError('exists', path, 'exists already; choose another name', options);
    case 'EISDIR':
      return new TraceWriteError('is-directory', path, 'is a folder; give a file name ending in .djvm', options);
    case 'ENOENT':
    case 'ENOTDIR':
      return noPlace(path, options);
    default:
      return new TraceWriteError('io', path, `cannot be written: ${systemReason(error)}; record elsewhere`, options);
  }
}

function noPlace(path: string, options: ErrorOptions): TraceWriteError {
  const [kind, why] = ((): [TraceWriteErrorKind, string] => {
    if (path === '') return ['no-folder', 'an empty name; give a file name ending in .djvm'];
    if (path.endsWith('/')) return ['is-directory', 'names a folder; give a file name ending in .djvm'];
    const folder = dirname(path);
    if (!existsSync(folder)) return ['no-folder', `folder ${folder} does not exist; create it or choose another place`];
    const why = statSync(folder).isDirectory() ? 'takes no new files' : 'is not a folder';
    return ['no-folder', `${folder} ${why}; choose another place`];
  })();
  return new TraceWriteError(kind, path, why, options);
}
