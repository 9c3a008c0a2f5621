/** What a verb that records does to `latest`, and what one that reads it says about it. Relies on replay's pointers. */
import { UserError } from '../../../engine/index.ts';
import { findLatest, LATEST, setLatest } from '../../../replay/index.ts';
import type { Io } from '../../base/index.ts';

/**
 * Makes `latest` mean a trace that was recorded to its end. Interrupted and refused ones must not: what comes next on a
 * person's command line was typed for the one before. The trace is good whatever happens here: that is worth a warning.
 */
export function becomesLatest(path: string, io: Io): void {
  try {
    setLatest(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    io.err(`dejavm: warning: ${error.message}\n`);
  }
}

/** Says which trace `latest` is, when it was not recorded in the working folder. */
export function explainLatest(name: string, io: Io): void {
  const latest = name === LATEST ? findLatest() : undefined;
  if (latest && !latest.here) {
    io.err(`dejavm: nothing was recorded in this folder yet: latest is ${latest.path}, the last one of all\n`);
  }
}
