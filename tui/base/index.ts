/** What commands and the terminal UI share: streams, errors, exit codes, numbers and how they are read. */
export { explainError, UsageError } from './errors.ts';
export { EXIT, type ExitCode, exitCodeHelp } from './exit-codes.ts';
export { byteSize, counted, grouped, hex, table, virtualTime } from './format.ts';
export { readInputFile } from './input-file.ts';
export { type Io, openIo, progressLine } from './io.ts';
export { type JobControl, processJobControl } from './job-control.ts';
export { conclude, openOutput } from './output.ts';
export { packageFile, packageVersion } from './package-root.ts';
export {
  parseConsoleInput,
  parseFaultPlan,
  parseInteger,
  parseMoment,
  parsePoke,
  parseSeed,
  parseSize,
  parseWord,
  parseWords,
} from './parse.ts';
export { type NamedSymbols, parseSymbols } from './parse-symbols.ts';
