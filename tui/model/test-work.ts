/**
 * A session that counts the work it causes, for tests that bound a frame and a key by work instead of by time. Relies
 * on fake-travel.ts.
 */

import { createLanes } from '../panels/lanes.ts';
import type { Introspection, Session } from '../panels/types.ts';
import { type FakeRun, fakeDebug, fakeIntrospection, fakeTravel, RECOVERED_RUN } from './fake-travel.ts';
import { createSession } from './session.ts';

export interface Work {
  /** Calls of the machine: registers of a hart, one CSR, which hart is next. */
  looks: number;
  /** Calls of the introspection: code, symbol, VMs. */
  inside: number;
  /** Instructions disassembled. */
  decoded: number;
  /** Seeks and steps, each of which may re-execute a part of the run. */
  journeys: number;
}

/** A session on a made-up run, and what it has asked for so far. `during` is what one piece of code asks for. */
export function workingSession(run: FakeRun = RECOVERED_RUN): {
  readonly session: Session;
  readonly during: (act: () => void) => Work;
} {
  const work: Work = { looks: 0, inside: 0, decoded: 0, journeys: 0 };
  const fake = fakeTravel(run);
  const machine = observed(fake.machine, () => work.looks++);
  const travel = new Proxy(
    observed(fake, (name) => {
      if (name !== 'consoleLines') work.journeys++;
    }),
    { get: (object, name) => (name === 'machine' ? machine : Reflect.get(object, name)) },
  );
  const introspection: Introspection = observed(fakeIntrospection, (_name, result) => {
    work.inside++;
    if (Array.isArray(result)) work.decoded += result.length;
  });
  const session = createSession(fakeDebug(travel), introspection, createLanes(run.harts));
  return {
    session,
    during(act) {
      const before = { ...work };
      act();
      return {
        looks: work.looks - before.looks,
        inside: work.inside - before.inside,
        decoded: work.decoded - before.decoded,
        journeys: work.journeys - before.journeys,
      };
    },
  };
}

/** The same object; each call of one of its functions is noted. */
function observed<T extends object>(target: T, note: (name: string, result: unknown) => void): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const result: unknown = value.apply(object, args);
        note(String(name), result);
        return result;
      };
    },
  });
}
