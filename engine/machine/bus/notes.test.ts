import { expect, it } from 'vitest';
import { isDetection, NOTES, noteText } from './notes.ts';

it.each([
  [NOTES.FROZEN.code, 2, '2 harts frozen'],
  [NOTES.DETECTED_TRAP.code, 0x8005, 'detected: unexpected trap 0x8005'],
  [NOTES.FIXUP.code, 3, 'fix-up 3 ran'],
  [0x1abc, 7, 'note 0x1abc, argument 7'],
])('says what note %i with argument %i means', (code, arg, text) => {
  expect(noteText(code, arg)).toBe(text);
});

it('has a place for the argument in every text', () => {
  for (const { text } of Object.values(NOTES)) expect(text).toContain('{}');
});

it('takes every code of the range for a detection, whatever hypervisor writes it', () => {
  expect([0x100f, 0x1010, NOTES.DETECTED_HANG.code, 0x101f, 0x1020].map(isDetection)).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
});
