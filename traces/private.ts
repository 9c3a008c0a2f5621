/**
 * Modes of what may hold a guest's memory, its console or what came of it: nobody else's business, until its owner says
 * so.
 */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;
