import { expect, it } from 'vitest';
import { NOTES, noteText } from './notes.ts';

it.each([
  [NOTES.FROZEN.code, 2, '2 harts frozen'],
  [NOTES.DETECTED_TRAP.code, 0x8005, 'detected: unexpected trap 0x8005'],
  [NOTES.FIXUP.code, 3, 'fix-up sched ran'],
  [NOTES.FIXUP.code, 99, 'fix-up 99 ran'],
  [0x1abc, 7, 'note 0x1abc, argument 7'],
])('says what note %i with argument %i means', (code, arg, text) => {
  expect(noteText(code, arg)).toBe(text);
});

it('has a place for the argument in every text', () => {
  for (const { text } of Object.values(NOTES)) expect(text).toContain('{}');
});
