/** What `dejavm show` tells of a moment: read from the command line, collected from a machine, made into text. */
export { collect } from './collect.ts';
export { parseRequest, SECTIONS } from './request.ts';
export { showText } from './text.ts';
