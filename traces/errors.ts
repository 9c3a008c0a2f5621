/**
 * What can go wrong with a trace file, said once for people: each message is one line that tells what was expected and
 * what to do. Relies on nothing. Does not decide exit codes; callers map `kind`.
 */

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

export type TraceWriteErrorKind = 'disk-full' | 'not-writable' | 'is-directory' | 'no-folder' | 'not-a-trace' | 'io';

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

/** `code` of an operating system error (`ENOSPC`, …), or '' for anything else. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
