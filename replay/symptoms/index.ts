/**
 * What a user sees of a failed run, next to its golden run: other output, output and VMs that are missing, another end,
 * other disks. Knows nothing of faults: what was injected is not looked at.
 */
export { findSymptoms } from './find.ts';
export { symptomText } from './text.ts';
export type {
  DetectedSymptom,
  DiskSymptom,
  EndedSymptom,
  MissingSymptom,
  OutputSymptom,
  StuckSymptom,
  Symptom,
  SymptomPlace,
} from './types.ts';
