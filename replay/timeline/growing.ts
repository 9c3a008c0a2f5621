/**
 * Whether a file that was read again is still the recording that it was, with more of it written. Relies on recordings
 * being appended to: what has been written never changes.
 */
import { type Trace, TraceError } from '../../traces/index.ts';

const LISTS = ['inputs', 'digests', 'vmDigests', 'console', 'notes', 'checkpoints'] as const;

/**
 * Compares a trace with the same file read before. @throws TraceError when it is another recording by now, has lost
 * something, or has been damaged since
 */
export function insistGoesOn(before: Trace, now: Trace): void {
  const { path, digests } = now;
  if (now.header.id !== before.header.id) throw new TraceError('incompatible', path, 'is another recording by now');
  if (now.damage && now.damage.kind !== 'truncated' && now.damage.kind !== before.damage?.kind) {
    throw new TraceError('damaged', path, `has been damaged at byte ${now.damage.offset}: ${now.damage.message}`);
  }
  if (LISTS.some((list) => now[list].length < before[list].length)) {
    throw new TraceError('damaged', path, `has become shorter: it ends at moment ${now.last.moment} by now`);
  }
  // The same machine, recorded anew with other inputs, has the same name.
  const n = before.digests.length - 1;
  if (n >= 0 && digests.at(n)!.digest !== before.digests.at(n)!.digest) {
    throw new TraceError('incompatible', path, 'is another recording by now');
  }
}
