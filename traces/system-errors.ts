/**
 * What the operating system refuses, by name and in words, for all that read or write files. Relies on libuv's words.
 */
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

/** One that files meet and libuv does not know: Node calls it "Unknown system error -122". */
const QUOTA = { errno: -constants.errno.EDQUOT, name: 'EDQUOT', message: 'disk quota exceeded' } as const;

/** Name of an operating system's error (`ENOSPC`, …), or '' for anything else. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code, errno } = error as NodeJS.ErrnoException;
  return errno === QUOTA.errno ? QUOTA.name : typeof code === 'string' ? code : '';
}

/** Why the operating system refused, without the name and the call; the message of any other error. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errno } = error as NodeJS.ErrnoException;
  if (errno === QUOTA.errno) return QUOTA.message;
  return errno === undefined ? error.message : getSystemErrorMessage(errno);
}
