/** The release of the programs whose commands, flags and texts these are. */
export const version = '1.15.3';
