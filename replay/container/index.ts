/** Between traces and machines: a machine's configuration in a trace's header, and where traces are kept and found. */
export { CheckpointWriter } from './checkpoints.ts';
export {
  configFromTrace,
  describedConfig,
  headerFields,
  imageContents,
  inputsFromTrace,
  traceInput,
} from './config.ts';
export { findLatest, LATEST, resolveTrace, setLatest, traceWords } from './latest.ts';
export { defaultTracePaths, EXTENSION, isSameFile, namedTracePath, TRACE_FOLDER_RULE, traceFolder } from './store.ts';
export { TOOL_VERSION } from './version.ts';
