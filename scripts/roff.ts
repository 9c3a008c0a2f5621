/** Text as roff reads it, for man(7) pages that groff and mandoc render without a warning. Relies on nothing. */

/** What roff acts upon, and what it would print as another character: a hyphen for `-`, curly quotes for `'`. */
const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
};

/** One line of text, anywhere in a page: behind a macro too, if it stands between quotes. */
export function roff(text: string): string {
  const escaped = text
    .replace(/[\\\-'`^~"]/g, (character) => SPECIAL[character]!)
    .replace(
      /[^\x20-\x7e]/gu,
      (character) => `\\[u${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  // A control line begins with a dot (or a quote, which is no longer there).
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}

export const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
export const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

/** Text that is filled. What is in it may be copied, so no word is hyphenated; macros switch that on again. */
export const paragraph = (text: string): string => `.nh\n${roff(text)}`;

/** A paragraph with a hanging tag; the tag has its fonts already. */
export const tagged = (tag: string, text: string): string => `.TP\n${tag}\n${paragraph(text)}`;

/** Lines as they are, to be copied. */
export const verbatim = (lines: readonly string[]): string => ['.EX', ...lines.map(roff), '.EE'].join('\n');

export const section = (title: string, ...body: readonly string[]): string =>
  `.SH "${roff(title)}"\n${body.join('\n')}`;
export const subsection = (title: string, ...body: readonly string[]): string =>
  `.SS "${roff(title)}"\n${body.join('\n')}`;
