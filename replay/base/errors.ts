/** Mistakes about time that a user can make. Relies on nothing. */

/** A moment that the run does not have. The message says which moments it has. */
export class MomentError extends Error {
  override readonly name = 'MomentError';
}
