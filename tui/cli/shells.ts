/** Shells that can complete dejavm's command lines: what `dejavm completion` takes. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
