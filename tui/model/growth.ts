/**
 * A trace that is looked at while somebody records it: reads on when it has grown, and says when that is over. One
 * stays where one is, unless one follows the end. Does not know how one waits between two looks.
 */
import { basename } from 'node:path';
import { endText, insistGoesOn } from '../../replay/index.ts';
import { type Trace, TraceError } from '../../traces/index.ts';
import { grouped } from '../base/index.ts';
import type { Session } from '../panels/index.ts';
import { refreshEvents } from './bookmarks.ts';
import type { Scanner } from './scan.ts';
import { change, goTo, say, widen } from './session.ts';

/** The file that grows. */
export interface Recording {
  /** Whether a living process writes it. */
  readonly isBeingWritten: () => boolean;
  /** Reads it again. @throws TraceError */
  readonly reopen: () => Trace;
}

export interface Growth {
  /** Nothing more will come: there is no need to look again. */
  readonly isOver: boolean;
  /** Reads what has been written meanwhile, unless a move is being made. Returns whether the session has changed. */
  look(): boolean;
}

/** Says that the trace of a session is being recorded, and reads on in it. */
export function createGrowth(session: Session, scanner: Scanner, recording: Recording): Growth {
  change(session, { isGrowing: true });
  refreshEvents(session);
  say(session, 'at the start of a run that is still being recorded; F follows it');
  return {
    get isOver() {
      return !session.state.isGrowing;
    },
    look() {
      if (!session.state.isGrowing || session.work) return false;
      try {
        return readOn(session, scanner, recording);
      } catch (error) {
        if (!(error instanceof TraceError)) throw error;
        // The line has little room, and the folder is known.
        const name = basename(error.path);
        const why = error.kind === 'missing' ? `${name} is gone` : error.message.replace(error.path, name);
        end(session, `${why}; what was read of it stays`, true);
        return true;
      }
    },
  };
}

/** Goes to the end, and to each later one as the recording goes on, until a move leads elsewhere. */
export function follow(session: Session): void {
  if (!session.state.isGrowing) {
    say(session, 'this trace is not being recorded: there is nothing to follow', true);
    return;
  }
  const { moment } = session.travel.last;
  goTo(session, moment, `following the recording, at ${grouped(moment)}; any move ends it`);
  change(session, { follows: true });
}

function readOn(session: Session, scanner: Scanner, { isBeingWritten, reopen }: Recording): boolean {
  const { trace } = session.debug.run;
  // Asked before the file is read: what its recorder wrote last is in it.
  const isRecorded = isBeingWritten();
  const next = reopen();
  insistGoesOn(trace, next);
  const hasGrown = next.sizeBytes !== trace.sizeBytes;
  if (hasGrown) {
    session.debug.grow(next);
    scanner.grow(next);
    widen(session, trace.last.moment);
    refreshEvents(session);
    if (session.state.follows) follow(session);
  }
  const at = `at moment ${grouped(next.last.moment)}`;
  if (next.end) end(session, `the recording has ended ${at}: ${endText(next.end)}`);
  else if (!isRecorded) end(session, `the recording was cut off ${at}: its recorder is gone`, true);
  return hasGrown || !session.state.isGrowing;
}

function end(session: Session, message: string, isError = false): void {
  change(session, { isGrowing: false, follows: false });
  refreshEvents(session);
  say(session, message, isError);
}
