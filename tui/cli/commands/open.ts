/**
 * Opens the trace that a command line names, and says on standard error when it is not whole, or another than the one
 * of this folder. Relies on replay for names.
 */
import { didYouMean } from '../../../engine/index.ts';
import { resolveTrace, traceWords } from '../../../replay/index.ts';
import { isBeingWritten, type OpenOptions, openTrace, type Trace, TraceError } from '../../../traces/index.ts';
import { grouped, type Io } from '../../base/index.ts';
import { explainLatest } from './latest.ts';

/**
 * @param name a path, or `latest`
 * @param options how much of it is checked now: damage that is not looked at is not warned of, and neither is damage
 * that
 *   the verb tells of itself
 * @throws UserError when there is no such trace, TraceError when it cannot be read at all
 */
export function openNamedTrace(name: string, io: Io, options: OpenOptions & { damageIsSaid?: true } = {}): Trace {
  const { damageIsSaid, ...checks } = options;
  const trace = openOrGuess(name, checks);
  explainLatest(name, io);
  if (trace.damage && !damageIsSaid) {
    const { kind, offset, message } = trace.damage;
    const isRecorded = kind === 'truncated' && isBeingWritten(trace.path);
    const what = isRecorded ? 'is still being recorded' : `is ${kind} at byte ${offset}: ${message}`;
    const used = `using what is ${isRecorded ? 'written so far' : 'intact'}, up to moment ${grouped(trace.last.moment)}`;
    io.err(`dejavm: warning: ${trace.path} ${what}; ${used}\n`);
  }
  return trace;
}

function openOrGuess(name: string, checks: OpenOptions): Trace {
  const path = resolveTrace(name);
  try {
    return openTrace(path, checks);
  } catch (error) {
    if (!(error instanceof TraceError) || error.kind !== 'missing') throw error;
    const guess = didYouMean(name, traceWords());
    throw guess === '' ? error : new TraceError('missing', path, `no such file${guess}`, { cause: error });
  }
}
