/**
 * What a value on the command line can be: declared with each flag and each argument, for shell completion. What there
 * is to choose from stands where it is read; completion/suggestions.ts asks there. Relies on nothing.
 */
export type Takes =
  /** Numbers, seeds, text of one's own: nothing can be offered. */
  | 'text'
  | 'file'
  /** A trace to be read: a file, a name in the trace folder, or `latest`. */
  | 'trace'
  /** A file, or `none` or `default`. */
  | 'firmware'
  | 'fault'
  | 'fault-plan'
  | 'drive'
  | 'netdev'
  | 'device'
  | 'date'
  | 'setup'
  | 'recovery'
  | 'enhancements'
  | 'checks'
  | 'export-format'
  /** Kinds of records of a trace, with commas between them. */
  | 'record-kinds'
  /** Kinds of entries of a log, with commas between them. */
  | 'log-kinds'
  /** How often a condition is looked at. */
  | 'every'
  /** A campaign file, or a plan that comes with dejavm. */
  | 'plan'
  /** Parts of what there is to show of a moment, with commas between them. */
  | 'sections'
  | 'shell'
  | 'verb';
