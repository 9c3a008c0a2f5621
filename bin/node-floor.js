// The oldest Node that dejavm runs on, and what is said on an older one. Plain JavaScript: it must parse on old Nodes.
const FLOOR = 24;

export const isTooOld = () => Number(process.versions.node.split('.')[0]) < FLOOR;

/** What an older Node is told, `what` being the program, or the entry of the library, that was asked for. */
export const tooOld = (what) => `${what} needs Node >= ${FLOOR}, found ${process.version}`;

/** Throws an Error in one line when this Node is too old. */
export function requireNode(what) {
  if (!isTooOld()) return;
  const error = new Error(tooOld(what));
  // Where in here it was thrown helps nobody.
  error.stack = `${error.name}: ${error.message}`;
  throw error;
}
