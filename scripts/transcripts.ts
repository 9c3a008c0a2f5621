/**
 * Transcripts in a document: blocks whose first line is a command behind `$ `. Each command is typed in a user's
 * project, in the order of the document, and what it prints is put below it. Relies on a built `dist/`.
 */
import { userProject } from '../properties/user-project.fixtures.ts';

/** A command of a transcript, and what the document says that it prints. */
export interface Typed {
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```\n(?=\$ )(.*?)^```$/gms;
const COMMAND = /^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm;

/** The commands of all transcripts, in order. */
export function transcripts(document: string): Typed[] {
  return [...document.matchAll(BLOCK)].flatMap(([, body = '']) =>
    [...body.matchAll(COMMAND)].map(([, command = '', output = '']) => ({ command, output: output.trimEnd() })),
  );
}

/** What our commands end with when they find a failure or a difference: that is what they were asked for. */
const FOUND = 1;

/** The document with each output as it is now, on both streams. @throws Error when a command fails */
export function withTranscripts(document: string): string {
  const project = userProject();
  try {
    const typed = (_: string, command: string) => {
      const { code, out } = project.run(`exec 2>&1\n${command}`);
      const isAnswer = code === 0 || (code === FOUND && command.startsWith('dejavm '));
      if (!isAnswer) throw new Error(`${command}: exit code ${code}\n${out}`);
      const printed = out.replace(/[ \t]+$/gm, '').trimEnd();
      return `$ ${command}\n${printed === '' ? '' : `${printed}\n`}`;
    };
    return document.replace(BLOCK, (_, body: string) => `\`\`\`\n${body.replace(COMMAND, typed)}\`\`\``);
  } finally {
    project.remove();
  }
}
