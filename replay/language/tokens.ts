/**
 * Text to tokens. Every character belongs to a token or is refused with its place. Relies on the text being of bounded
 * length: `parseExpression` sees to it.
 */
import { visible } from '../../engine/index.ts';
import { mistake } from './errors.ts';
import type { Span } from './syntax.ts';

export interface Token extends Span {
  readonly kind: 'number' | 'name' | 'operator' | 'end';
  readonly text: string;
  /** Numbers only. */
  readonly value?: bigint;
}

const BLANK = /\s+/y;
/** Digits are checked afterwards, so that `0xzz` is one bad number and not a number and a name. */
const NUMBER = /\d\w*/y;
const NAME = /\.?[A-Za-z_$][\w$]*(?:\.[\w$]+)*/y;
const OPERATOR = /\|\||&&|==|!=|<<|>>|<=|>=|\.\.|[-+*&|^!~<>()[\]:@]/y;
const U64 = 1n << 64n;

/** The tokens of a text; the last one is its end. @throws UserError for a character that begins none */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let start = 0; start < text.length; ) {
    const match = (form: RegExp): string | undefined => {
      form.lastIndex = start;
      return form.exec(text)?.[0];
    };
    const blank = match(BLANK);
    if (blank !== undefined) {
      start += blank.length;
      continue;
    }
    const number = match(NUMBER);
    const name = number === undefined ? match(NAME) : undefined;
    const word = number ?? name ?? match(OPERATOR);
    if (word === undefined) throw unknownCharacter(text, start);
    const at = { start, end: start + word.length };
    if (number !== undefined) found.push({ kind: 'number', text: word, value: numberIn(word, text, at), ...at });
    else found.push({ kind: name === undefined ? 'operator' : 'name', text: word, ...at });
    start = at.end;
  }
  return [...found, { kind: 'end', text: '', start: text.length, end: text.length }];
}

function numberIn(word: string, text: string, at: Span): bigint {
  if (!/^(0x[0-9a-f]+(_[0-9a-f]+)*|\d+(_\d+)*)$/i.test(word)) {
    throw mistake(`'${word}' is no number: expected one such as 4096, 0x1000 or 0x8020_1000`, text, at);
  }
  const value = BigInt(word.replaceAll('_', ''));
  if (value >= U64) throw mistake('this number has more than 64 bits', text, at);
  return value;
}

function unknownCharacter(text: string, start: number): Error {
  const character = String.fromCodePoint(text.codePointAt(start)!);
  const at = { start, end: start + character.length };
  const hint = character === '=' ? ": '==' compares" : '';
  return mistake(`'${visible(character)}' means nothing here${hint}`, text, at);
}
