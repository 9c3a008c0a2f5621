/**
 * From what a user sees of a failed run to what began it: each symptom is a question, and the earliest that leads to a
 * cause is the explanation. Relies on symptoms and the walk backwards; what was injected is not looked at.
 */
import type { Slices } from '../search/index.ts';
import { findSymptoms, type Symptom } from '../symptoms/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { type WhyAnswer, type WhyQuestion, why } from '../why/index.ts';

/** A symptom, and where it came from. */
export interface Explained {
  readonly symptom: Symptom;
  readonly answer: WhyAnswer;
}

export interface Explanation {
  /** What differs from the golden run, in order of time; none: the run does not fail. */
  readonly symptoms: readonly Symptom[];
  /** The earliest symptom that leads to a cause. Absent: none does. */
  readonly explained?: Explained;
  /** Symptoms that were asked about before, and led to nothing. */
  readonly tried: readonly Explained[];
}

/** Symptoms that are asked about at most: the later ones of a failed run follow from the earlier. */
const MOST_ASKED = 6;

/**
 * Explains the failed run `a` by its golden run `g`. Both timelines are moved.
 * @throws UserError when the golden run is of another machine or build; TraceError when a run leaves its recording
 */
export function* explainRun(a: TraceTimeline, g: TraceTimeline): Slices<Explanation> {
  const symptoms = yield* findSymptoms(a, g);
  const tried: Explained[] = [];
  for (const symptom of symptoms) {
    const question = questionOf(symptom);
    if (!question) continue;
    if (tried.length === MOST_ASKED) break;
    const one = { symptom, answer: yield* why(a, g, question) };
    if (isCause(one.answer)) return { symptoms, explained: one, tried };
    tried.push(one);
  }
  return { symptoms, tried };
}

/** Whether a chain ends in something that began it: what changed by itself, or came from outside. */
const isCause = ({ cause }: WhyAnswer): boolean => ['register', 'csr', 'memory', 'code', 'pc'].includes(cause.kind);

/** The question that a symptom is; undefined: it is none that the harts can answer. */
function questionOf(symptom: Symptom): WhyQuestion | undefined {
  switch (symptom.kind) {
    case 'detected':
      return { kind: 'did', at: symptom.at, ...hartOf(symptom.at) };
    case 'output':
      if (symptom.isOrder) return undefined;
      return symptom.golden
        ? { kind: 'stored', at: symptom.at, goldenAt: symptom.golden.at }
        : { kind: 'did', at: symptom.at, ...hartOf(symptom.at) };
    case 'missing':
    case 'stuck':
      return { kind: 'not', at: symptom.golden, ...hartOf(symptom.golden) };
    case 'ended':
      return symptom.how === 'goes-on' && symptom.golden
        ? { kind: 'not', at: symptom.golden.at, ...hartOf(symptom.golden.at) }
        : { kind: 'did', at: symptom.at, ...hartOf(symptom.at) };
    case 'disk':
      return undefined;
  }
}

const hartOf = ({ hart }: { readonly hart?: number }) => (hart === undefined ? {} : { hart });
