/**
 * From what a user sees of a failed run to what began it: each symptom is a question, and the earliest that leads to a
 * cause is the explanation. Relies on symptoms and the walk backwards; what was injected is not looked at.
 */
import type { Slices } from '../search/index.ts';
import { findSymptoms, type Symptom } from '../symptoms/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { questionOf, type WhyAnswer, type WhyProgress, why } from '../why/index.ts';

/** A symptom, and where it came from. */
export interface Explained {
  readonly symptom: Symptom;
  /** The symptom is that something did not happen: the question lies at the end of the run. */
  readonly isMissing: boolean;
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

/** What there is of an explanation that is not complete. */
export interface ExplainProgress extends WhyProgress {
  /** Absent: not known yet. */
  symptoms?: readonly Symptom[];
  /** What is being asked about; `soFar` gives its chain. */
  asking?: Symptom;
  tried?: readonly Explained[];
}

/** Symptoms that are asked about at most: the later ones of a failed run follow from the earlier. */
const MOST_ASKED = 6;

/**
 * Explains the failed run `a` by its golden run `g`. Both timelines are moved. `progress` is told what is found, for
 * explanations that are ended early.
 * @throws UserError when the golden run is of another machine or build; TraceError when a run leaves its recording
 */
export function* explainRun(a: TraceTimeline, g: TraceTimeline, progress: ExplainProgress = {}): Slices<Explanation> {
  const symptoms = yield* findSymptoms(a, g);
  const tried: Explained[] = [];
  Object.assign(progress, { symptoms, tried });
  for (const symptom of symptoms) {
    // Lines in another order differ by who was first, which is a matter of time.
    const isOrder = symptom.kind === 'output' && symptom.isOrder;
    const question = isOrder ? undefined : questionOf(symptom);
    if (!question) continue;
    if (tried.length === MOST_ASKED) break;
    progress.asking = symptom;
    delete progress.soFar;
    const one = { symptom, isMissing: question.kind === 'not', answer: yield* why(a, g, question, progress) };
    if (isCause(one.answer)) return { symptoms, explained: one, tried };
    tried.push(one);
  }
  return { symptoms, tried };
}

/** Whether a chain ends in something that began it: what changed by itself, or came from outside. */
const isCause = ({ cause }: WhyAnswer): boolean => ['register', 'csr', 'memory', 'code', 'pc'].includes(cause.kind);
