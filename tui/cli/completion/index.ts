/** Scripts that complete the command line in shells. */
export { bashCompletion } from './bash.ts';
export { describeCommandLine } from './description.ts';
export { fishCompletion } from './fish.ts';
export { zshCompletion } from './zsh.ts';
