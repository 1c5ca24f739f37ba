/** The present as Unix seconds; every function that judges validity accepts a replacement. */
export type Now = () => number;

/** The machine's clock. */
export const systemNow: Now = () => Date.now() / 1000;
