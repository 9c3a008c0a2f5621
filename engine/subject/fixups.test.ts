import { expect, it } from 'vitest';
import { NOTES } from '../machine/index.ts';
import { noteText } from './fixups.ts';

it.each([
  [NOTES.FIXUP.code, 3, 'fix-up sched ran'],
  [NOTES.FIXUP.code, 99, 'fix-up 99 ran'],
  [NOTES.FROZEN.code, 3, '3 harts frozen'],
])('says what note %i with argument %i means', (code, arg, text) => {
  expect(noteText(code, arg)).toBe(text);
});
