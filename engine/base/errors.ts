/**
 * The kinds of failure that are not the guest's: the user's mistake, a file's, and ours. Guest failures are traps, as
 * data. Shared by every layer; relies on nothing.
 */

/**
 * A mistake the user can mend: bad image, bad flag value, machine too small. The message is one line that says what
 * was expected, where it went wrong and how to mend it; callers print it without a stack trace. A list may follow, each
 * line of it indented by two spaces; a line break without them is part of a name.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/**
 * A file that cannot be used as what it was given for: damaged, of another version, or something else altogether. One
 * line, as UserError's, that begins with the file's name; kept apart because scripts ask whether it is the file or the
 * command.
 */
export class FileFormatError extends Error {
  override readonly name = 'FileFormatError';

  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`${path}: ${why}`, options);
  }
}

/** A broken assumption of ours: stops at once rather than letting a run go on from a wrong state. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Asserts what must hold if this program is right. @throws InvariantError with `message`: what was expected, what was
 * seen.
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(`internal error: ${message}`);
}
