/**
 * Opens the trace that a command line names, and says on standard error when it is not whole. Relies on replay's
 * store for `latest`.
 */
import { resolveTrace } from '../../replay/index.ts';
import { type OpenOptions, openTrace, type Trace } from '../../traces/index.ts';
import { grouped } from '../format.ts';
import type { Io } from '../io.ts';

/**
 * @param name a path, or `latest`
 * @param options how much of it is checked now: damage that is not looked at is not warned of
 * @throws UserError when there is no such trace, TraceError when it cannot be read at all
 */
export function openNamedTrace(name: string, io: Io, options: OpenOptions = {}): Trace {
  const trace = openTrace(resolveTrace(name), options);
  if (trace.damage) {
    io.err(
      `dejavm: warning: ${trace.path} is ${trace.damage.kind} at byte ${trace.damage.offset}: ${trace.damage.message}; ` +
        `using what is intact, up to moment ${grouped(trace.last.moment)}\n`,
    );
  }
  return trace;
}
