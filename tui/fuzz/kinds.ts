/** The kinds of files that are changed, by name. Apart from what does it, so that arguments are read quickly. */
export const KINDS = [
  'traces',
  'firmware ELF',
  'hypervisor ELF',
  'guest ELF',
  'debug file',
  'Linux Image',
  'device tree',
  'flat file',
  'campaign file',
  'database',
] as const;
export type Kind = (typeof KINDS)[number];
