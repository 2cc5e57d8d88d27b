/**
 * Callback that reports the current step of a long operation, whenever it changes.
 *
 * @param text short human-readable text, for example `compiling 87 of 190`
 * @param fraction completed share of the operation, 0…1, if known
 */
export type OnStep = (text: string, fraction?: number) => void;
