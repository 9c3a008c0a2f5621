/**
 * Mistakes in what a person wrote in this language, with the place marked. Relies on nothing but the engine's errors.
 */
import { UserError, visible } from '../../engine/index.ts';
import type { Span } from './syntax.ts';

/** Characters of the text that a message shows around the place. */
const SHOWN = 100;

/** What was wrong, and below it the text with a caret under the place. */
export function mistake(problem: string, text: string, at: Span): UserError {
  const start = Math.max(0, Math.min(at.start - SHOWN / 2, text.length - SHOWN));
  const shown = text.slice(start, start + SHOWN);
  const lead = `${start > 0 ? '…' : ''}${visible(shown.slice(0, at.start - start))}`;
  const marked = visible(shown.slice(at.start - start, Math.max(at.start, at.end) - start));
  const rest = visible(shown.slice(Math.max(at.start, at.end) - start));
  const caret = `${' '.repeat(lead.length)}^${'~'.repeat(Math.max(0, marked.length - 1))}`;
  return new UserError(`${problem}\n  ${lead}${marked}${rest}${start + SHOWN < text.length ? '…' : ''}\n  ${caret}`);
}

/**
 * What was asked for does not exist at this moment, though it may at another: a VM, a mapping. Those that look for a
 * condition take it as not holding there.
 */
export class AbsentError extends UserError {}
