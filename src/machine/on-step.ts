/**
 * Told what a long operation is doing, whenever that changes.
 *
 * @param text a few words for a person, for example `compiling 87 of 190`
 * @param fraction how much of the operation is done, 0…1, where that is known
 */
export type OnStep = (text: string, fraction?: number) => void;
