/** Commands that are printed for people to paste into a shell. Shared by every layer. */
import { visible } from './visible.ts';

/** An argument list as one line that a POSIX shell reads back to the same arguments, and that a terminal only shows. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(shellWord).join(' ');
}

function shellWord(arg: string): string {
  if (/^[\w@%+=:,./-][\w@%+=:,./#-]*$/.test(arg)) return arg;
  if (visible(arg) === arg) return `'${arg.replaceAll("'", `'\\''`)}'`;
  // Dollar-single-quotes (POSIX.1-2024; bash, zsh, ksh and busybox have had them long): bytes in octal.
  const pieces = Array.from(arg, (character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    if (visible(character) === character) return character;
    return Array.from(new TextEncoder().encode(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  });
  return `$'${pieces.join('')}'`;
}
