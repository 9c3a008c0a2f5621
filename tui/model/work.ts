/**
 * Moves that may take long. Where somebody sits in front of the screen they are done slice by slice, so that keys are
 * heard in between and Ctrl-C stops them; the screen stands still meanwhile, but for the line that says how far it is.
 * Everywhere else they are done at once.
 */
import { finish, type SearchProgress, type Slices } from '../../replay/index.ts';
import { grouped } from '../base/index.ts';
import { registerFile, type Session } from '../panels/index.ts';
import { arrive, say } from './session.ts';

/** Does the work of a move; `then` is told how it ended, when the session shows where it led. */
export function journey<R>(session: Session, slices: Slices<R>, then: (result: R) => void): void {
  const baseline = registerFile(session.travel.machine, session.state.registerSet);
  const arrived = (result: R) => {
    arrive(session, baseline);
    then(result);
  };
  if (!session.inTurns) {
    arrived(finish(slices));
    return;
  }
  session.work = {
    advance() {
      const next = slices.next();
      if (!next.done) say(session, progressText(next.value));
      else {
        session.work = undefined;
        arrived(next.value);
      }
    },
    stop() {
      session.work = undefined;
      slices.return(undefined as R);
      say(session, 'stopped');
    },
  };
}

const progressText = ({ moment, executed }: SearchProgress): string =>
  `looking at ${grouped(moment)}, ${grouped(executed)} instructions executed; Ctrl-C stops`;
